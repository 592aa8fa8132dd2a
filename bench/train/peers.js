/** The contenders as processes: what a benchmark of several engines asks of each, one at a time. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { argumentsOf } from './native.js';

const HERE = new URL('.', import.meta.url).pathname;

/** Installs the peers from their lock file, once. */
export function installPeers() {
  const installed = ['@tensorflow/tfjs-core', '@jax-js/jax'];
  if (installed.every((name) => existsSync(`${HERE}node_modules/${name}`))) return;
  console.error('Installing the peers of this benchmark …');
  const { npm_execpath: npm } = process.env;
  const [command, ...rest] = npm ? [process.execPath, npm] : ['npm'];
  const { status } = spawnSync(command, [...rest, 'ci', '--no-audit', '--no-fund'], {
    cwd: HERE,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('npm ci failed in bench/train');
}

/** A Python that has PyTorch, the one of the path first; null where there is none. */
export function findPyTorch() {
  const works = (python) => {
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  return ['python3', '/usr/bin/python3'].find(works) ?? null;
}

/** Who competes: a label, and how to start it on a workload. */
function inNode(engine, options = {}) {
  const script = ['--no-warnings', `${HERE}contender.js`];
  return ({ name }) =>
    new Contender(process.execPath, [...script, name, engine, JSON.stringify(options)]);
}

/**
 * PyTorch's own setting of threads does not reach its BLAS: only the environment does. What would
 * make OpenBLAS choose another kernel than the one for this CPU is left out.
 */
function environmentOfPython() {
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...rest } = process.env;
  return { ...rest, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
}

function inPython(python) {
  const env = environmentOfPython();
  return (workload) =>
    new Contender(python, [`${HERE}engines/pytorch.py`, JSON.stringify(workload)], { env });
}

/** @param twin {program}, or {reason} why there is none */
function inC({ program, reason }) {
  return (workload) =>
    program ? new Contender(program, argumentsOf(workload)) : new Missing(reason);
}

export const ADAL = 'adal-wasm';
export const ADAL_2 = 'adal-wasm, 2 threads';
/**
 * What the machine has to give: two processes that share nothing. Virtual cores may be halves of
 * one.
 */
export const ADAL_TWICE = 'adal-wasm, 2 processes';
export const ADAL_RELAXED = 'adal-wasm, relaxed';
export const TF_WASM = 'TensorFlow.js wasm';
export const TF_CPU = 'TensorFlow.js cpu';
export const PLAIN = 'plain JS';
export const JAX = 'jax-js';
export const PYTORCH = 'PyTorch (native)';
/** The same step as a C program, whose vectors are WebAssembly's or the widest of the CPU. */
export const C_128 = 'C, 128-bit';
export const C_WIDE = 'C, widest vectors';
/**
 * What several threads or processes do is told by the clock on the wall; what one does, by the CPU
 * time that it got.
 */
export const SHARED = [ADAL_2, ADAL_TWICE];

/** Workloads that threads and fused multiply-adds are for. */
const LARGE = ['mlp-128', 'cnn-32', 'cnn-128', 'gemm-512x512x512'];
export const isLarge = ({ name }) => LARGE.includes(name);

/**
 * The contenders of a workload, by label: functions that start them on it.
 * @param natives {python, twins}: a Python with PyTorch or null, and what `compileTwins` returned
 */
export function contendersOf(workload, { python, twins }) {
  const { kind, name } = workload;
  const all = { [ADAL]: inNode('adal') };
  if (isLarge(workload)) {
    all[ADAL_2] = inNode('adal', { threads: 2 });
    all[ADAL_TWICE] = (given) => new Pair(inNode('adal')(given), inNode('adal')(given));
    all[ADAL_RELAXED] = inNode('adal', { relaxed: true });
  }
  all[TF_WASM] = inNode('tensorflow', { backend: 'wasm' });
  // A step of 18 seconds tells no more than that of 5, and a product or a fit no more than a step.
  if (kind === 'step' && name !== 'cnn-128') all[TF_CPU] = inNode('tensorflow', { backend: 'cpu' });
  // It takes a hundred times as long: the smaller batch tells that as well.
  if (name !== 'cnn-128') all[JAX] = inNode('jax');
  all[PLAIN] = inNode('plain');
  all[PYTORCH] = python
    ? inPython(python)
    : () => new Missing('there is no Python with PyTorch here');
  all[C_128] = inC(twins.narrow);
  all[C_WIDE] = inC(twins.wide);
  return all;
}

/** A running contender. Requests are answered in turn. */
export class Contender {
  #process;
  #lines;

  constructor(command, args, options = {}) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], ...options });
    this.#process.on('error', () => {});
    this.#process.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Its first message: {ready, version, …}. */
  async start() {
    return this.#receive();
  }

  /** @throws Error with the contender's own reason */
  async ask(request) {
    this.#process.stdin.write(`${request}\n`);
    return this.#receive();
  }

  end() {
    this.#process.stdin.end();
    this.#process.kill();
  }

  async #receive() {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error('the process ended');
    const message = JSON.parse(value);
    if (message?.error) throw new Error(message.error);
    return message;
  }
}

/** A contender that is not here, and says why. */
class Missing {
  #reason;

  constructor(reason) {
    this.#reason = reason;
  }

  async start() {
    throw new Error(this.#reason);
  }

  end() {}
}

/** Two contenders at once, as one that takes the time of a call by both their calls. */
class Pair {
  #each;

  constructor(...each) {
    this.#each = each;
  }

  async start() {
    const [first] = await Promise.all(this.#each.map((one) => one.start()));
    return first;
  }

  async ask(request) {
    const answers = await Promise.all(this.#each.map((one) => one.ask(request)));
    if (request === 'memory') return answers[0] + answers[1];
    if (!request.startsWith('sample')) return answers[0];
    const rate = answers.reduce((sum, { calls, ns }) => sum + calls / ns, 0);
    return { calls: 1, ns: 1 / rate, cpu: 1 / rate };
  }

  end() {
    for (const one of this.#each) one.end();
  }
}
