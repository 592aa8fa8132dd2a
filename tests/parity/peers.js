/** Installs the peers and trains twins in them. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { loadTensorFlow, trainTensorFlow } from './tensorflow.js';
import { toTorch } from './weights.js';

const TFJS_VERSION = '4.22.0';
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('pytorch.py', import.meta.url));
const FOLDER = resolve(fileURLToPath(new URL('../../build/parity', import.meta.url)));

const succeeds = (command, args, options = {}) =>
  spawnSync(command, args, { stdio: 'ignore', ...options }).status === 0;

/** Returns TensorFlow.js as a peer; `missing` says why it cannot be had. */
export async function openTensorFlow() {
  const folder = join(FOLDER, `tfjs-${TFJS_VERSION}`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'node_modules/.package-lock.json'))) {
    const packages = ['core', 'layers', 'backend-cpu'].map(
      (name) => `@tensorflow/tfjs-${name}@${TFJS_VERSION}`,
    );
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages];
    if (!succeeds('npm', args, { cwd: folder })) return { missing: 'npm cannot install it here' };
  }
  const tools = await loadTensorFlow(folder);
  return {
    version: tools.version,
    /** Trains cases one after another; `onResult` gets each result, { name, runs | error }. */
    async train(cases, onResult) {
      for (const { name, seeds = 1, keras, twin } of cases) {
        try {
          const runs = [];
          for (let seed = 1; seed <= seeds; seed++)
            runs.push(await withSeed(seed, () => trainTensorFlow(tools, { ...twin, keras })));
          onResult({ name, runs });
        } catch (error) {
          onResult({ name, error: error.stack });
        }
      }
    },
  };
}

/** Replaces Math.random, from which TensorFlow.js draws its masks, while `body` runs. */
async function withSeed(seed, body) {
  const { random } = Math;
  let state = Math.imul(seed, 0x9e3779b9);
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  try {
    return await body();
  } finally {
    Math.random = random;
  }
}

/** Returns PyTorch as a peer; `missing` says why it cannot be had. */
export function openTorch() {
  const versionOf = () => {
    const args = ['-c', 'import torch; print(torch.__version__)'];
    const { status, stdout } = spawnSync(PYTHON, args, { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : null;
  };
  let version = versionOf();
  if (version === null && existsSync('/usr/bin/apt-get') && process.getuid() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const get = (...args) => succeeds('apt-get', ['-qq', ...args], { env });
    get('update');
    get('install', '-y', '--no-install-recommends', 'python3-torch');
    version = versionOf();
  }
  if (version === null) return { missing: 'python3-torch is not here and cannot be installed' };
  return { version, train: trainTorch };
}

/** Trains cases in one process; `onResult` gets each result, { name, runs | error | skipped }. */
async function trainTorch(cases, onResult) {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, 'cases.json');
  writeFileSync(file, JSON.stringify(cases.map(describeForTorch)));
  const child = spawn(PYTHON, [SCRIPT, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const open = new Set(cases.map(({ name }) => name));
  for await (const line of createInterface({ input: child.stdout })) {
    const result = JSON.parse(line);
    open.delete(result.name);
    onResult(result);
  }
  for (const name of open) onResult({ name, error: 'PyTorch ended before this case' });
}

/** Describes a case as pytorch.py reads it. */
function describeForTorch({ name, seeds, torchSince: since, twin }) {
  const plain = ({ shape, data }) => ({ shape, data: Array.from(data) });
  const each = (arrays) =>
    Object.fromEntries(Object.entries(arrays).map(([key, value]) => [key, plain(value)]));
  const weights = {};
  for (const { name: node, owner, layer } of twin.nodes) {
    if (owner === node) weights[node] = each(toTorch(layer, twin.weights[node] ?? {}));
  }
  const penalties = twin.penalties.map(({ match, ...rest }) => ({
    ...rest,
    parameters: match.map((parameter) => parameter.split('.')),
  }));
  const batches = twin.batches.map(({ inputs, targets, sampleWeights }) => ({
    inputs: each(inputs),
    targets: each(targets),
    sampleWeights,
  }));
  return { ...twin, name, seeds, since, weights, penalties, batches };
}
