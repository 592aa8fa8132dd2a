/**
 * A program of Node that starts workerd with the Worker of workerd-worker.ts, and passes jobs and
 * entries on as child.ts does.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { createFileSource } from './file-source';
import type { WorkerAnswer } from './workerd-worker';

/** Of npm's miniflare, which is no dependency of the project: what is used here. */
interface Library {
  readonly Miniflare: new (
    options: object,
  ) => {
    dispatchFetch(url: string, options: { method: string; body: string }): Promise<Response>;
    dispose(): Promise<void>;
  };
  readonly Response: typeof Response;
}

const BINARIES = [
  'optim.simd.wasm',
  'nn.simd.wasm',
  'nn-attention.simd.wasm',
  'nn-recurrent.simd.wasm',
];
const COMPATIBILITY_DATE = '2026-07-01';

const [dataFolder, runtimes] = process.argv.slice(2);
const load = createRequire(new URL('../package.json', runtimes));
const library: Library = load('miniflare');
const workerd: { version: string } = load('workerd/package.json');
const data = createFileSource(new URL(dataFolder));
const say = (message: object): boolean => process.stdout.write(`${JSON.stringify(message)}\n`);

/** What a Worker asks for by name: bytes, or 404 with the reason why they are not here. */
async function serveData({ url }: { url: string }): Promise<Response> {
  try {
    const bytes = await data.load(decodeURIComponent(new URL(url).pathname.slice(1)));
    return new library.Response(bytes as BodyInit);
  } catch (error) {
    return new library.Response((error as Error).message, { status: 404 });
  }
}

/** The Worker, and the binaries as modules, since workerd compiles no bytes. */
async function readModules(): Promise<object[]> {
  const script = await readFile(new URL('workerd-worker.js', import.meta.url), 'utf8');
  const { resolve } = createRequire(import.meta.url);
  const binaries = BINARIES.map(async (name) => {
    const contents = await readFile(resolve(`adal-wasm/${name}`));
    return { type: 'CompiledWasm', path: name, contents };
  });
  return [
    { type: 'ESModule', path: 'worker.js', contents: script },
    ...(await Promise.all(binaries)),
  ];
}

const miniflare = new library.Miniflare({
  modules: await readModules(),
  compatibilityDate: COMPATIBILITY_DATE,
  bindings: { VERSION: workerd.version },
  serviceBindings: { DATA: serveData },
});
for await (const body of createInterface({ input: process.stdin })) {
  try {
    const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body });
    if (!response.ok) throw new Error(await response.text());
    const { entries, error } = (await response.json()) as WorkerAnswer;
    for (const entry of entries) say({ entry });
    say(error === null ? { done: true } : { error });
  } catch (error) {
    say({ error: String(error) });
  }
}
await miniflare.dispose();
process.exit(0);
