/**
 * What Node, Deno and Bun load can be read: an uncaught error shows one line of source, and its
 * stack names our functions.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist');
const BENCH = join(ROOT, 'bench/dist');
const scriptsIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.js') && name !== 'workerd-worker.js')
    .map((name) => join(folder, name));
const files = [join(DIST, 'cli.js'), ...scriptsIn(join(DIST, 'node')), ...scriptsIn(BENCH)];
/**
 * Lists of imports, the script of a report's page and the data of the digits are long lines all the
 * same.
 */
const STRING_LINE =
  /^(export |var |const )*\w+ = (\/\*.*\*\/ ?)?["'`]|^\s*(['"`]|default: )|^(import|export) \{/;

describe('files for Node', () => {
  it.each(files.map((file) => [relative(ROOT, file), file]))('%s is not minified', (_, file) => {
    const long = readFileSync(file, 'utf8')
      .split('\n')
      .filter(
        (line) => line.length > 1000 && line.split(';').length > 20 && !STRING_LINE.test(line),
      );
    expect(long.map((line) => line.slice(0, 100))).toEqual([]);
  });
});

it('an uncaught error of a wrong option begins with its message', () => {
  const entry = pathToFileURL(join(DIST, 'node/index.js')).href;
  const script = `
    import { Adam, createRuntime } from ${JSON.stringify(entry)};
    new Adam(await createRuntime(), { w: new Float32Array(2) }, { lr: -1 });`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(stderr.slice(0, 500)).toContain('ArgumentError: "lr" expected');
  expect(stderr).toMatch(/at checkNumber|at fail/);
  expect(stderr.length).toBeLessThan(3000);
});
