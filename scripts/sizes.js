/**
 * npm run sizes [-- --node <path>]
 *
 * What a program downloads that does some kind of training: bundles each with esbuild (minified,
 * split into chunks), runs it with one thread and SIMD, and adds up the chunks that it loaded, each
 * compressed by gzip. Chunks that it did not load, such as the binaries of other layers, are
 * counted apart. Exits 1 if the program of the E1 benchmark (batch norm, two dense layers, `fit`)
 * loads more than LIMIT_KB.
 *
 *   --node  the Node that runs the programs; this one if left out
 *
 * esbuild is installed into build/sizes/ at the first run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const ESBUILD = 'esbuild@0.28.2';
const LIMIT_KB = 115;
const ROOT = resolve(fileURLToPath(new URL('..', import.meta.url)));
const FOLDER = join(ROOT, 'build/sizes');

const fitting = (layers, names, shape = 'inputSize: 24', features = 24) => `
  import { SGD, createRuntime } from 'adal-wasm';
  import { createModel, fit, ${names} } from 'adal-wasm/nn';
  const runtime = await createRuntime({ threads: 1 });
  const layers = [${layers}];
  const model = await createModel(runtime, { ${shape}, layers, batchSize: 16 });
  const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
  const samples = 32;
  const data = {
    features: new Float32Array(samples * ${features}).map((_, i) => i % 3),
    labels: new Int32Array(samples).map((_, i) => i % 4),
  };
  await fit(model, data, { optimizer, epochs: 1 });`;

/** Programs by name. */
const PROGRAMS = {
  'AdaL, a step': `
    import { AdaL, createRuntime } from 'adal-wasm';
    const runtime = await createRuntime({ threads: 1 });
    const optimizer = new AdaL(runtime, { w: new Float32Array(8) });
    optimizer.step({ w: new Float32Array(8).fill(1) });`,
  E1: fitting('batchNorm(), dense(16), relu(), dense(4)', 'batchNorm, dense, relu'),
  convolutions: fitting(
    'conv2d(4, { kernelSize: 3 }), relu(), flatten(), dense(4)',
    'conv2d, dense, flatten, relu',
    'inputShape: [8, 8, 1]',
    64,
  ),
  LSTM: fitting('lstm(8), dense(4)', 'dense, lstm', 'inputShape: [6, 4]'),
  attention: fitting(
    'multiHeadAttention({ heads: 2 }), flatten(), dense(4)',
    'dense, flatten, multiHeadAttention',
    'inputShape: [6, 4]',
  ),
};

/** A module that makes Node print the path of every module it loads. */
const REPORTER = `
  import { register } from 'node:module';
  const hooks = 'export async function load(url, context, next) {' +
    'process._rawDebug("loaded " + url); return next(url, context); }';
  register('data:text/javascript,' + encodeURIComponent(hooks));`;

async function loadEsbuild() {
  const path = join(FOLDER, 'node_modules/esbuild/lib/main.js');
  if (!existsSync(path)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-audit', '--no-fund', '--no-save', ESBUILD];
    const { status, stderr } = spawnSync('npm', args, { cwd: FOLDER, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${ESBUILD} cannot be installed: ${stderr.trim()}`);
  }
  return import(pathToFileURL(path).href);
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Bundles and runs a program; returns the compressed bytes of its chunks, loaded and not. */
async function measure(esbuild, node, name, code) {
  const folder = join(FOLDER, name.replace(/\W+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  await esbuild.build({
    stdin: { contents: code, resolveDir: ROOT, sourcefile: 'program.js' },
    outdir: folder,
    entryNames: 'program',
    chunkNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    conditions: ['browser'],
    mainFields: ['module', 'main'],
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  });
  const reporter = join(FOLDER, 'reporter.mjs');
  writeFileSync(reporter, REPORTER);
  const args = ['--import', pathToFileURL(reporter).href, join(folder, 'program.mjs')];
  const { status, stderr } = spawnSync(node, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.slice(-400)}`);
  const loaded = new Set(
    [...stderr.matchAll(/^loaded file:.*\/([^/\n]+)$/gm)].map(([, file]) => file),
  );
  const sizes = { loaded: 0, others: 0, files: [] };
  for (const file of readdirSync(folder)) {
    const bytes = gzipSync(readFileSync(join(folder, file))).length;
    sizes[loaded.has(basename(file)) ? 'loaded' : 'others'] += bytes;
    if (loaded.has(file)) sizes.files.push(`${file.replace(/-[A-Z0-9]{8}/, '')} ${bytes}`);
  }
  return sizes;
}

const { values } = parseArgs({ options: { node: { type: 'string', default: process.execPath } } });
const esbuild = await loadEsbuild();
const { stdout } = spawnSync(values.node, ['--version'], { encoding: 'utf8' });
console.log(`esbuild ${esbuild.version}, Node ${stdout.trim()}, gzip; one thread, SIMD\n`);
console.log('| program | loaded | other chunks | files |\n|---|--:|--:|---|');
for (const [name, code] of Object.entries(PROGRAMS)) {
  const { loaded, others, files } = await measure(esbuild, values.node, name, code);
  console.log(`| ${name} | ${kilobytes(loaded)} | ${kilobytes(others)} | ${files.join(', ')} |`);
  if (name !== 'E1') continue;
  if (loaded <= 1000 * LIMIT_KB) continue;
  console.error(`E1 loads ${kilobytes(loaded)}, more than ${LIMIT_KB} kB`);
  process.exitCode = 1;
}
