/** What importing the built package does: nothing that a platform could mind. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const DIST = resolve(import.meta.dirname, '../../dist');
const entries = readdirSync(DIST).filter((name) => name.endsWith('.js') && name !== 'cli.js' && name !== 'worker.js');

it.each(entries)('%s reads no environment and no version, and touches no WebAssembly and no timer', (entry) => {
  const script = `
    const touched = [];
    // Node's own loader reads some of these as well.
    const note = (name) => new Error().stack.includes('/dist/') && touched.push(name);
    const watch = (object, name, value) =>
      Object.defineProperty(object, name, { get() { note(name); return value; }, configurable: true });
    for (const name of ['env', 'versions', 'version', 'platform']) watch(process, name, process[name]);
    const globals = ['WebAssembly', 'Worker', 'SharedArrayBuffer', 'Atomics', 'setTimeout', 'setInterval', 'navigator', 'crypto'];
    for (const name of globals) watch(globalThis, name, globalThis[name]);
    process.getBuiltinModule = note;
    await import(${JSON.stringify(pathToFileURL(resolve(DIST, entry)).href)});
    console.log(JSON.stringify(touched));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual([]);
});
