/**
 * What package.json promises: every file is there, in the order of conditions that platforms need,
 * and importing does nothing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const { exports: map } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
};
const conditional = Object.entries(map).filter(
  (entry): entry is [string, Record<string, string>] => typeof entry[1] === 'object',
);
/** Platforms with a main entry of their own, by condition. */
const PLATFORMS = readdirSync(join(ROOT, 'src/entries/platforms'))
  .filter((file) => !file.endsWith('.d.ts'))
  .map((file) => file.replace('.ts', ''));
/** Platforms come before `node`, which some bundlers for edge platforms set as well. */
const CONDITIONS = ['types', ...PLATFORMS, 'deno', 'bun', 'node', 'browser', 'default'];

/** Static imports of a built file. */
function importsOf(file: string): string[] {
  return [
    ...readFileSync(file, 'utf8').matchAll(/(?:^|[;}\n])(?:import|export)[^;()]*?"([^"]+)"/g),
  ].map((match) => match[1]);
}

describe('the exports map', () => {
  it('names files that exist', () => {
    const targets = Object.values(map).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target as object),
    );
    expect(targets.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it.each(conditional)('%s has its conditions in order', (_, target) => {
    // The platforms' own order says nothing: no bundler sets the conditions of two.
    const places = CONDITIONS.map((name) =>
      PLATFORMS.includes(name) ? 1 : CONDITIONS.indexOf(name),
    );
    const order = Object.keys(target).map((name) => places[CONDITIONS.indexOf(name)]);
    expect(order).toEqual([...order].sort((a, b) => a! - b!));
    expect(Object.keys(target)).toEqual(expect.arrayContaining(['types', 'default']));
  });

  it('has an entry for every declaration file of dist/', () => {
    const declared = conditional.map(([, { types }]) => types.replace('./dist/', ''));
    const found = readdirSync(join(ROOT, 'dist')).filter((file) => file.endsWith('.d.ts'));
    expect(declared.sort()).toEqual(found.sort());
  });

  it.each(PLATFORMS)(
    'has the condition "%s" of src/entries/platforms in every subpath',
    (platform) => {
      for (const [subpath, target] of conditional) {
        const own = ['.', './registry'].includes(subpath)
          ? target.default.replace('.js', `.${platform}.js`)
          : target.default;
        const message = `package.json, exports["${subpath}"]: add "${platform}": "${own}"`;
        expect(target[platform], message).toBe(own);
      }
    },
  );

  it.each(['index', 'registry'])('%s exports on every platform what the default does', (entry) => {
    const names = (file: string) => {
      const lists = [
        ...readFileSync(join(ROOT, 'dist', file), 'utf8').matchAll(/export\s*\{([^}]+)\}/g),
      ];
      return lists
        .flatMap(([, list]) => list.split(',').map((item) => item.trim().split(' as ').at(-1)))
        .sort();
    };
    expect(names(`${entry}.js`).length).toBeGreaterThan(0);
    for (const platform of PLATFORMS)
      expect(names(`${entry}.${platform}.js`)).toEqual(names(`${entry}.js`));
  });
});

describe('importing', () => {
  const library = conditional.map(([, target]) => target.default);
  const specifiers = conditional.map(([subpath]) => subpath.replace('.', 'adal-wasm'));

  it.each(library)('%s imports no module of Node, and waits for nothing', (file) => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const id of importsOf(path)) {
        expect(id, path).toMatch(/^\.|^@assemblyscript\/loader$/);
        if (id.startsWith('.')) visit(resolve(path, '..', id));
      }
    };
    visit(join(ROOT, file));
    // All but the smallest share code with others: without imports there would be nothing to see.
    if (!/(math|schedules)\.js$/.test(file)) expect(seen.size).toBeGreaterThan(1);
  });

  it('of the environment and WebAssembly would be seen', () => {
    const name = conditional[0]![0].replace('.', 'adal-wasm');
    expect(
      touchedBy(name, '.then(({ createRuntime }) => createRuntime({ backend: "simd" }))'),
    ).toEqual(expect.arrayContaining(['WebAssembly']));
  });

  it.each(specifiers)(
    '%s reads no environment or version and touches no WebAssembly or timer, by require() as well',
    (name) => expect(touchedBy(name)).toEqual([]),
  );

  /** What the package touches when it is imported, and by what comes after. */
  function touchedBy(name: string, after = ''): unknown {
    const script = `
      const touched = [];
      // Node's own loader reads some of these as well.
      const note = (name) => new Error().stack.includes('/dist/') && touched.push(name);
      const watch = (object, name, value) =>
        Object.defineProperty(object, name, {
          get() { note(name); return value; },
          configurable: true,
        });
      for (const name of ['env', 'versions', 'version', 'platform'])
        watch(process, name, process[name]);
      const globals = ['WebAssembly', 'Worker', 'SharedArrayBuffer', 'Atomics']
        .concat(['setTimeout', 'setInterval', 'navigator', 'crypto']);
      for (const name of globals) watch(globalThis, name, globalThis[name]);
      process.getBuiltinModule = note;
      require(${JSON.stringify(name)});
      import(${JSON.stringify(name)})${after}
        .then(() => require('node:fs').writeSync(1, JSON.stringify(touched)));
    `;
    const options = { cwd: ROOT, encoding: 'utf8', input: script } as const;
    return JSON.parse(execFileSync(process.execPath, ['--no-warnings', '-'], options));
  }
});
