/** What the benchmark may import: the library by its published entries alone. */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourcesIn, specifiersOf } from '../support/import-graph';

const ROOT = resolve(import.meta.dirname, '../..');
const BENCH = join(ROOT, 'bench');
const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const library = read('package.json');
const manifest = read('bench/package.json');

const ENTRIES = Object.keys(library.exports).map((key) => key.replace(/^\./, library.name));
/** Examples import the package itself by its name. */
const PACKAGES = Object.keys({
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.peerDependencies,
}).concat(manifest.name);

/** Imports as "file: specifier"; configurations of the build belong to the repository. */
const imports = sourcesIn(BENCH)
  .filter((file) => !/rollup[\w.]*\.js$/.test(file))
  .flatMap((file) =>
    specifiersOf(readFileSync(file, 'utf8'), file).map(({ specifier }) => ({ file, specifier })),
  );
const textOf = ({ file, specifier }: (typeof imports)[number]) =>
  `${relative(ROOT, file)}: ${specifier}`;

/** 'd3-scale' of 'd3-scale/src/index', '@rollup/pluginutils' of that. */
function packageOf(specifier: string): string {
  const [scope, name] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

describe('imports of bench/', () => {
  it('are found', () => {
    expect(imports.length).toBeGreaterThan(300);
  });

  it('stay in bench/', () => {
    const outside = imports.filter(
      ({ file, specifier }) =>
        specifier.startsWith('.') &&
        relative(BENCH, resolve(dirname(file), specifier)).startsWith('..'),
    );
    expect(outside.map(textOf)).toEqual([]);
  });

  it('reach the library by its published entries', () => {
    const own = imports.filter(({ specifier }) => packageOf(specifier) === library.name);
    expect(own.length).toBeGreaterThan(30);
    expect(own.filter(({ specifier }) => !ENTRIES.includes(specifier)).map(textOf)).toEqual([]);
  });

  it('name packages that bench/package.json lists', () => {
    const unlisted = imports.filter(
      ({ specifier }) =>
        !/^(\.|node:)/.test(specifier) &&
        !PACKAGES.includes(packageOf(specifier)) &&
        !builtinModules.includes(specifier),
    );
    expect(unlisted.map(textOf)).toEqual([]);
  });
});
