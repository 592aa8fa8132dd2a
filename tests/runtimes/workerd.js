/** Runs the suite on Cloudflare's workerd, as a Worker that runs one configuration a request. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bundleSuite, ROOT } from './bundle.js';

const WORKER = `
import { runSuite } from './suite.js';

export default {
  async fetch(request) {
    const { configuration, backend } = await request.json();
    return Response.json(await runSuite(configuration, backend));
  },
};
`;
const CONFIGURATIONS = ['oracle', 1];
const ENTRY = 'index.workerd.js';
const BINARIES = [
  'optim.simd.wasm',
  'nn.simd.wasm',
  'nn-attention.simd.wasm',
  'nn-recurrent.simd.wasm',
];

/** Returns the Worker's modules: the suite, and the binaries that the entry for workerd imports. */
async function modules() {
  const file = resolve(ROOT, 'build/runtimes/suite.workerd.js');
  await bundleSuite({ file, entry: ENTRY, external: BINARIES });
  const list = [
    { type: 'ESModule', path: 'main.js', contents: WORKER },
    { type: 'ESModule', path: 'suite.js', contents: await readFile(file, 'utf8') },
  ];
  for (const path of BINARIES) {
    list.push({
      type: 'CompiledWasm',
      path,
      contents: await readFile(resolve(ROOT, 'dist', path)),
    });
  }
  return list;
}

/** Runs all configurations and returns a row of the table. */
export async function runWorkerd() {
  const row = { runtime: 'workerd', cells: [], passed: 0, failures: [], notes: [] };
  let Miniflare;
  try {
    ({ Miniflare } = await import('miniflare'));
  } catch (error) {
    return { ...row, unavailable: `miniflare is not installed: ${error.message}` };
  }
  const { default: manifest } = await import('workerd/package.json', { with: { type: 'json' } });
  row.version = `workerd ${manifest.version}`;
  const miniflare = new Miniflare({ modules: await modules(), compatibilityDate: '2026-07-01' });
  try {
    for (const configuration of CONFIGURATIONS) {
      const backend = configuration === 'oracle' ? 'oracle' : 'simd';
      const body = JSON.stringify({ configuration, backend });
      const response = await miniflare.dispatchFetch('http://localhost/', { method: 'POST', body });
      if (!response.ok) throw new Error((await response.text()).slice(0, 2000));
      const report = await response.json();
      row.cells.push(report);
      if (configuration === 1)
        row.notes.push(report.info?.backendReason || report.info?.threadsReason || '');
    }
    row.passed++;
  } catch (error) {
    row.failures.push({ name: 'runs', error: String(error) });
  } finally {
    await miniflare.dispose();
  }
  return row;
}
