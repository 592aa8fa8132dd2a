/** What the benchmark may import: the library by its published entries alone, and no circles. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const BENCH = join(ROOT, 'bench');
const read = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const library = read('package.json');
const manifest = read('bench/package.json');

const ENTRIES = Object.keys(library.exports).map((key) => key.replace(/^\./, library.name));
const PACKAGES = Object.keys({
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.peerDependencies,
});
/** Folders without sources; peers are modules that the suite loads by name. */
const SKIPPED = ['node_modules', 'dist', 'build', 'results', 'data', 'peers'];

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.includes(entry.name) ? [] : sourcesIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** Specifiers of static, lazy and type imports. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => fileName);
}

/** The module that a relative import names, as a path; null for files that are no source. */
function resolveImport(file: string, specifier: string): string | null {
  const path = resolve(dirname(file), specifier);
  return [path, `${path}.ts`, join(path, 'index.ts')].find((each) => files.has(each)) ?? null;
}

const files = new Set(sourcesIn(BENCH));
const graph = new Map(
  [...files].map((file) => [
    file,
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => resolveImport(file, specifier))
      .filter((path) => path !== null),
  ]),
);

describe('imports of bench/', () => {
  it('reach the library by its published entries alone', () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const specifier of importsOf(file)) {
        const outside =
          specifier.startsWith('.') &&
          relative(BENCH, resolve(dirname(file), specifier)).startsWith('..');
        const unpublished = /^adal-wasm(\/|$)/.test(specifier) && !ENTRIES.includes(specifier);
        if (outside || unpublished) wrong.push(`${relative(ROOT, file)}: ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('name packages that its package.json lists', () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const specifier of importsOf(file).filter((each) => !/^(\.|node:)/.test(each))) {
        const [scope, name] = specifier.split('/');
        const wanted = scope.startsWith('@') ? `${scope}/${name}` : scope;
        if (!PACKAGES.includes(wanted) && !builtinModules.includes(wanted))
          wrong.push(`${relative(ROOT, file)}: ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('form no circle', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      const from = path.indexOf(file);
      if (from >= 0) {
        circles.push([...path.slice(from), file].map((each) => relative(BENCH, each)).join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file)!) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});
