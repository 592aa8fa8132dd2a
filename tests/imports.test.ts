/**
 * Imports and lines of the sources: each folder of src/ imports only from those listed for it, no
 * imports form a circle, and no line has more than 100 columns.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findCircles,
  type Import,
  importsOf,
  sourcesIn,
  specifiersOf,
} from './support/import-graph';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');

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

/** What a file of src/ imports by relative paths: paths from src/, build output included. */
function pathsImportedBy(file: string): string[] {
  return specifiersOf(readFileSync(file, 'utf8'), file)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => relative(SRC, resolve(file, '..', specifier)));
}

/** The room of a path: its first folder, or its name for a file in src/ itself. */
const roomOf = (path: string): string => path.split('/')[0];

describe.each(Object.keys(ALLOWED))('src/%s', (room) => {
  it('imports only from the rooms before it', () => {
    const wrong: string[] = [];
    for (const file of sourcesIn(join(SRC, room))) {
      for (const path of pathsImportedBy(file)) {
        if (path.startsWith('../build/')) continue;
        const target = roomOf(path);
        if (target !== room && !ALLOWED[room].includes(target))
          wrong.push(`${relative(SRC, file)} imports ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

it('src/checkpoint: only the checkpoints of optimizers know optimizers', () => {
  const found = new Set<string>();
  for (const file of sourcesIn(join(SRC, 'checkpoint'))) {
    for (const path of pathsImportedBy(file))
      if (roomOf(path) === 'optimizers') found.add(`${basename(file)} imports ${path}`);
  }
  expect([...found].sort()).toEqual([
    'adal-moments.ts imports optimizers/state-array',
    'optimizer-checkpoint.ts imports optimizers/state-array',
    'optimizer-checkpoint.ts imports optimizers/state-dict',
    'pytorch-adam.ts imports optimizers/state-dict',
    'pytorch-layout.ts imports optimizers/state-dict',
    'state-tensors.ts imports optimizers/state-array',
    'state-tensors.ts imports optimizers/state-formats',
    'state-values.ts imports optimizers/state-array',
    'state-values.ts imports optimizers/state-formats',
  ]);
});

it('lists every folder of src', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !(name in ALLOWED))).toEqual([]);
});

it('keeps run-time dependencies to the loader', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(Object.keys(manifest.dependencies)).toEqual(['@assemblyscript/loader']);
});

/**
 * A file of each circle that is known and will be broken. To be emptied; nothing may be added.
 */
const KNOWN_CIRCLES: readonly string[] = [];

/** "a.ts → b.ts (types) → a.ts (lazy)": each file with the way in which it is imported. */
function describeCircle(circle: readonly Import[]): string {
  const steps = circle.map(({ to, kind }) =>
    kind === 'static' ? relative(ROOT, to) : `${relative(ROOT, to)} (${kind})`,
  );
  return [relative(ROOT, circle[0]!.from), ...steps].join(' → ');
}

describe('circles of imports', () => {
  it('src, assembly and bench have none', () => {
    const imports = ['src', 'assembly', 'bench']
      .flatMap((folder) => sourcesIn(join(ROOT, folder)))
      .flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(1000);
    const circles = findCircles(imports).filter(
      (circle) => !circle.some(({ from }) => KNOWN_CIRCLES.includes(relative(ROOT, from))),
    );
    expect(circles.map(describeCircle)).toEqual([]);
  });

  it('are found, the shortest of each group', () => {
    const step = (from: string, to: string, kind: Import['kind'] = 'static'): Import => ({
      from: join(ROOT, from),
      to: join(ROOT, to),
      kind,
    });
    const imports = [
      step('a.ts', 'b.ts'),
      step('b.ts', 'c.ts', 'types'),
      step('c.ts', 'a.ts', 'lazy'),
      step('c.ts', 'd.ts'),
      step('d.ts', 'c.ts'),
      step('e.ts', 'a.ts'),
      step('f.ts', 'f.ts'),
    ];
    expect(findCircles(imports).map(describeCircle)).toEqual(['c.ts → d.ts → c.ts', 'f.ts → f.ts']);
    expect(describeCircle(findCircles(imports.slice(0, 3))[0]!)).toBe(
      'a.ts → b.ts → c.ts (types) → a.ts (lazy)',
    );
  });

  it('knows every way of importing', () => {
    const text = `
      import './effects';
      import a, { type B } from './static';
      import type { C } from './types-1';
      import { type D, type E } from './types-2';
      export * from './reexported';
      export { type F } from './types-3';
      export type { G } from './types-4';
      type H = import('./types-5').H;
      const i = await import('./lazy');
      // import './comment';
      const j = "import './text'";`;
    expect(specifiersOf(text, 'file.ts')).toEqual([
      { specifier: './effects', kind: 'static' },
      { specifier: './static', kind: 'static' },
      { specifier: './types-1', kind: 'types' },
      { specifier: './types-2', kind: 'types' },
      { specifier: './reexported', kind: 'static' },
      { specifier: './types-3', kind: 'types' },
      { specifier: './types-4', kind: 'types' },
      { specifier: './types-5', kind: 'types' },
      { specifier: './lazy', kind: 'lazy' },
    ]);
  });
});

it('no source has a line of more than 100 columns', () => {
  const options = { cwd: ROOT, encoding: 'utf8' } as const;
  const listed = execFileSync('git', ['ls-files', '-z', '*.ts', '*.js', '*.mjs'], options);
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
  expect(files.length).toBeGreaterThan(500);
  const long = files.flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => ([...line].length > 100 ? [`${file}:${index + 1}`] : [])),
  );
  expect(long).toEqual([]);
});
