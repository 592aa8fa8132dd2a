/** What the project's scripts write: whole, or not at all. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = new URL('../scripts/replace-file.js', import.meta.url).href;
const { replaceFile } = (await import(SCRIPT)) as {
  replaceFile(file: string | URL, content: unknown): void;
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adal-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('replaceFile', () => {
  it('writes a new file, and replaces one with its mode', () => {
    const file = join(folder, 'a.md');
    replaceFile(file, 'one');
    expect(readFileSync(file, 'utf8')).toBe('one');
    chmodSync(file, 0o600);
    replaceFile(pathToFileURL(file), 'two');
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a.md']);
  });

  it('leaves the file as it was, and nothing beside it, when writing fails', () => {
    const file = join(folder, 'a.md');
    writeFileSync(file, 'one');
    expect(() => replaceFile(file, { not: 'text' })).toThrow(TypeError);
    expect(readFileSync(file, 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['a.md']);
    expect(() => replaceFile(join(folder, 'missing/b.md'), 'x')).toThrow('ENOENT');
  });
});
