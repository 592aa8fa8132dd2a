/** Every JavaScript example of the README runs as it stands. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error JavaScript without declarations
import { HEADERS } from './runtimes/headers.js';

const ROOT = resolve(import.meta.dirname, '..');
const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

/** Blocks of the README in a language, as they stand. */
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]);
const examples = blocks('js');

it('has examples', () => expect(examples.length).toBeGreaterThanOrEqual(3));

it.each(examples.map((code, index) => [index + 1, code] as const))('example %i runs and ends by itself', (index, code) => {
  // Inside the package, so that `adal-wasm` means the build under test.
  const file = resolve(ROOT, 'build', `readme-${index}.mjs`);
  writeFileSync(file, code);
  try {
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
    expect(output).not.toBe('');
    if (code.includes('evaluate(model, test)')) expect(Number(/accuracy: ([\d.]+)/.exec(output)?.[1])).toBeGreaterThan(0.9);
    if (code.includes("onNonFinite: 'skip'")) expect(output).toMatch(/skipped: true/);
    if (code.includes("createOptimizer('adal'")) expect(output).toMatch(/Float32Array\(2\)/);
  } finally {
    rmSync(file);
  }
});

it('its import map is the one of the example, which runs in a browser', () => {
  const page = readFileSync(resolve(ROOT, 'examples/import-map/index.html'), 'utf8');
  const maps = blocks('html');
  expect(maps).toHaveLength(1);
  expect(page).toContain(maps[0]);
});

it('its headers are those under which pages of the browser suite have threads', () => {
  const lines = blocks('http').flatMap((block) => block.trim().split('\n'));
  const headers = Object.fromEntries(lines.map((line) => line.split(': ')).map(([name, value]) => [name.toLowerCase(), value]));
  expect(headers).toEqual(HEADERS.readme);
});
