/** Every example of the README and of docs/ compiles as strict TypeScript, and runs. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { createProgram, errorsOf, SETTINGS } from './package/declarations';
// @ts-expect-error JavaScript without declarations
import { HEADERS } from './runtimes/headers.js';

const ROOT = resolve(import.meta.dirname, '..');
const DOCS = readdirSync(resolve(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const FILES = ['README.md', ...DOCS.map((name) => `docs/${name}`)];

/** A file's blocks in a language, as they stand. */
function blocksOf(file: string, language: string): string[] {
  const text = readFileSync(resolve(ROOT, file), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block]) => block!,
  );
}

/** Examples in both languages: one in JavaScript is one in TypeScript as well. */
const examples = FILES.flatMap((file) =>
  blocksOf(file, '(?:js|ts)').map((code, index) => [file, index + 1, code] as const),
);

it('has examples', () =>
  expect(examples.filter(([file]) => file === 'README.md').length).toBeGreaterThanOrEqual(3));

/** The numbers in [0, 1] that an example prints, such as accuracies; there must be some. */
function shares(output: string): number[] {
  const found = [...output.matchAll(/(?<![\d.])(?:0\.\d+|1)(?![\d.])/g)];
  expect(found.length, output).toBeGreaterThan(0);
  return found.map(([text]) => Number(text));
}

/** What an example prints, by something in its code. */
const CHECKS: readonly (readonly [part: string, check: (output: string) => boolean])[] = [
  ["onNonFinite: 'skip'", (output) => output.includes('skipped: true')],
  [
    // README's first: gradients of ½|w|² + ½(b - 1)².
    "createOptimizer('adal'",
    (output) => {
      const [w0, w1, b] = [...output.matchAll(/-?\d[\d.e+-]*(?=[,\s])/g)].map(([text]) =>
        Number(text),
      );
      return Math.abs(w0!) < 1e-2 && Math.abs(w1!) < 1e-2 && Math.abs(b! - 1) < 1e-2;
    },
  ],
  ['the classes predicted for eights', (output) => shares(output)[0]! > 0.9],
  [
    'near sin(1)',
    (output) => shares(output).every((value) => Math.abs(value - Math.sin(1)) < 0.05),
  ],
  ['avgPool2d(2)', (output) => Number(/accuracy: ([\d.]+)/.exec(output)?.[1]) > 0.95],
  ['embedding(', (output) => shares(output)[0]! > 0.85],
  ['dropout(0.2)', (output) => shares(output).every((accuracy) => accuracy > 0.95)],
  ['huber(', (output) => output.startsWith('true') && Math.abs(shares(output)[0]! - 0.75) < 0.05],
  [
    'extractFeatures(',
    (output) => shares(output).length === 2 && shares(output).every((accuracy) => accuracy > 0.9),
  ],
  [
    'AbortSignal.timeout',
    (output) => output.startsWith('complete') && shares(output).at(-1)! > 0.95,
  ],
  [
    'function* open',
    (output) => output.startsWith('66') && shares(output).every((accuracy) => accuracy > 0.95),
  ],
  ['trainInWorker(', (output) => shares(output).at(-1)! > 0.95],
  // docs/graphs.md
  ['rainHead', (output) => shares(output)[1]! > 0.97 && output.endsWith('\n400\n')],
  ["'quantile'", (output) => Math.abs(shares(output)[0]! - 0.9) < 0.02],
  [
    "'spreads'",
    (output) => {
      const [small, large] = shares(output);
      return Math.abs(small! - 0.1) < 0.02 && Math.abs(large! - 0.4) < 0.05;
    },
  ],
  [
    "'generated'",
    (output) => {
      const [x, y] = [...output.matchAll(/-?\d\.\d+/g)].map(([text]) => Number(text));
      return Math.abs(x! - 1) < 0.2 && Math.abs(y! + 0.5) < 0.2;
    },
  ],
  ["'student'", (output) => shares(output)[0]! > 0.87],
  ["'right is better:'", (output) => /true/.test(output) && shares(output)[0]! > 0.6],
  ["'best action'", (output) => shares(output)[0]! > 0.8],
  ["'distance of unlike rows'", (output) => Number(/[\d.]+/.exec(output)?.[0]) > 0.8],
  ["'taken for'", (output) => output.trim() === 'taken for 8'],
];

it.each(CHECKS)('an example has %s, whose output is checked', (part) => {
  expect(examples.filter(([, , code]) => code.includes(part))).not.toEqual([]);
});

it.each(examples)('%s, example %i runs and ends by itself', (name, index, code) => {
  // Inside the package, so that `adal-wasm` means the build under test.
  const file = resolve(ROOT, 'build', `${name.replace(/\W/g, '-')}-${index}.mjs`);
  const { ESNext } = ts.ModuleKind;
  const options = { module: ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
  writeFileSync(file, ts.transpile(code, options));
  try {
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
    expect(output).not.toBe('');
    for (const [part, check] of CHECKS)
      if (code.includes(part)) expect(check(output), output).toBe(true);
  } finally {
    rmSync(file);
  }
});

const moduleName = (file: string, index: number) => `${file.replace(/\W/g, '-')}-${index}.mts`;

describe('as strict TypeScript', () => {
  // All at once: a program for each would take seconds each.
  const sources = examples.map(([file, index, code]) => [moduleName(file, index), code] as const);
  const program = createProgram(Object.fromEntries(sources), {
    ...SETTINGS.nodenext,
    exactOptionalPropertyTypes: false, // beyond `strict`
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    skipLibCheck: true,
  });
  const errors = errorsOf(program);

  it.each(examples)('%s, example %i compiles', (file, index) => {
    expect(errors.filter((line) => line.startsWith(moduleName(file, index)))).toEqual([]);
  });
});

it('its import map is the one of the example, which runs in a browser', () => {
  const page = readFileSync(resolve(ROOT, 'examples/import-map/index.html'), 'utf8');
  const maps = blocksOf('README.md', 'html');
  expect(maps).toHaveLength(1);
  expect(page).toContain(maps[0]);
});

it('its headers are those under which pages of the browser suite have threads', () => {
  const lines = blocksOf('README.md', 'http').flatMap((block) => block.trim().split('\n'));
  const headers = Object.fromEntries(
    lines.map((line) => line.split(': ')).map(([name, value]) => [name.toLowerCase(), value]),
  );
  expect(headers).toEqual(HEADERS.readme);
});
