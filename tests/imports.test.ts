/** The direction of imports: each folder of src/ may import only from those listed for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Files directly in src/ that everything may import. */
const BASE = ['errors', 'types', 'validate'];
const ALLOWED: Record<string, readonly string[]> = {
  'memory-layout': ['math'],
  math: [...BASE],
  runtime: [...BASE, 'math', 'memory-layout'],
  tensors: [...BASE, 'math', 'memory-layout', 'runtime'],
  schedules: [...BASE, 'math'],
  checkpoint: [...BASE, 'math', 'optimizers'],
  data: [...BASE, 'math', 'runtime'],
  optimizers: [...BASE, 'math', 'memory-layout', 'runtime', 'tensors', 'schedules'],
  accumulation: [...BASE, 'runtime', 'tensors', 'optimizers'],
  averaging: [...BASE, 'runtime', 'tensors', 'optimizers'],
  nn: [
    ...BASE,
    'math',
    'memory-layout',
    'runtime',
    'tensors',
    'data',
    'schedules',
    'checkpoint',
    'optimizers',
    'accumulation',
    'averaging',
  ],
  entries: [...BASE, 'index', 'runtime', 'optimizers', 'accumulation', 'averaging'],
  cli: [
    ...BASE,
    'index',
    'math',
    'runtime',
    'tensors',
    'optimizers',
    'nn',
    'data',
    'schedules',
    'checkpoint',
  ],
};

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : path.endsWith('.ts') ? [path] : [];
  });
}

/** Relative imports, static or lazy, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]);
  return found.map((path) => relative(SRC, resolve(dirname(file), path)));
}

/** The room of a path: its first folder, or its name for a file in src/ itself. */
const roomOf = (path: string): string => path.split('/')[0];

describe.each(Object.keys(ALLOWED))('src/%s', (room) => {
  it('imports only from the rooms before it', () => {
    const wrong: string[] = [];
    for (const file of filesIn(join(SRC, room))) {
      for (const path of importsOf(file)) {
        if (path.startsWith('../build/')) continue;
        const target = roomOf(path);
        if (target !== room && !ALLOWED[room].includes(target))
          wrong.push(`${relative(SRC, file)} imports ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

it('of src/checkpoint only the checkpoints of optimizers know optimizers, and only their data', () => {
  const found = new Set<string>();
  for (const file of filesIn(join(SRC, 'checkpoint'))) {
    for (const path of importsOf(file))
      if (roomOf(path) === 'optimizers') found.add(`${basename(file)} imports ${path}`);
  }
  expect([...found].sort()).toEqual([
    'optimizer-checkpoint.ts imports optimizers/state-array',
    'optimizer-checkpoint.ts imports optimizers/state-dict',
    'pytorch-adam.ts imports optimizers/state-dict',
    'pytorch-layout.ts imports optimizers/state-dict',
    'state-tensors.ts imports optimizers/state-array',
    'state-values.ts imports optimizers/state-array',
  ]);
});

it('lists every folder of src', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !(name in ALLOWED))).toEqual([]);
});

it('keeps run-time dependencies to the loader', () => {
  const manifest = JSON.parse(readFileSync(join(SRC, '../package.json'), 'utf8'));
  expect(Object.keys(manifest.dependencies)).toEqual(['@assemblyscript/loader']);
});
