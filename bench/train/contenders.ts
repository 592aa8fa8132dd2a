/** The contenders as processes, which are asked one request at a time. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { benchPath } from '../toolkit/bench-folder';
import type { CProgram } from '../toolkit/c-program';
import type { CallSample } from '../toolkit/cpu-time';
import { argumentsOf, type CTwins } from './c-twins';
import type { EngineOptions } from './engine';
import {
  ADAL,
  ADAL_2,
  ADAL_GRAPH,
  ADAL_RELAXED,
  ADAL_TWICE,
  C_128,
  C_WIDE,
  JAX,
  PEAK,
  PLAIN,
  PYTORCH,
  TF_CPU,
  TF_WASM,
} from './labels';
import { type LayerKind, operationsOf, type Workload } from './workloads';

const PEERS = benchPath('peers/');
const PROCESS = fileURLToPath(new URL('./train-contender.js', import.meta.url));

/** Installs the peers from their lock file, unless they are installed. */
export function installPeers(): void {
  const needed = ['@tensorflow/tfjs-layers', '@jax-js/jax'];
  if (needed.every((name) => existsSync(`${PEERS}node_modules/${name}`))) return;
  console.error('Installing the peers of this benchmark …');
  const { npm_execpath: npm } = process.env;
  const [command, ...rest] = npm ? [process.execPath, npm] : ['npm'];
  const { status } = spawnSync(command!, [...rest, 'ci', '--no-audit', '--no-fund'], {
    cwd: PEERS,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`npm ci failed in ${PEERS}`);
}

/** First message of a process. */
export interface Ready {
  readonly version: string;
  /** BLAS that PyTorch multiplies with. */
  readonly blas?: object;
  /** Operations per call, of the program that measures the peak. */
  readonly flops?: number;
}

/** Answers to the requests of contender-process.ts. */
interface Answers {
  readonly losses: number[];
  readonly sample: CallSample;
  readonly memory: number;
}

type Request = keyof Answers;

/** An engine that is ready to train, or was to be. */
export interface Contender {
  /** Waits for the first message. Rejects with the engine's own reason if it cannot run. */
  start(): Promise<Ready>;
  /** Rejects with the engine's own reason if it fails. */
  ask<K extends Request>(request: K, argument?: number): Promise<Answers[K]>;
  end(): void;
}

/** Starts a contender on a workload. */
export type Launch = (workload: Workload) => Contender;

/** A running process. */
export class ProcessContender implements Contender {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], ...options });
    // A process that cannot be started or has ended gives no line, which is reported then.
    this.#process.on('error', () => {});
    this.#process.stdin!.on('error', () => {});
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  start(): Promise<Ready> {
    return this.#receive();
  }

  ask<K extends Request>(request: K, argument?: number): Promise<Answers[K]> {
    this.#process.stdin!.write(`${request}${argument === undefined ? '' : ` ${argument}`}\n`);
    return this.#receive();
  }

  end(): void {
    this.#process.stdin!.end();
    this.#process.kill();
  }

  async #receive<T>(): Promise<T> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error('the process ended');
    const message = JSON.parse(value) as T & { readonly error?: string };
    if (message?.error) throw new Error(message.error);
    return message;
  }
}

/** Returns a contender that is not present. */
const missing = (reason: string): Contender => ({
  start: () => Promise.reject(new Error(reason)),
  ask: () => Promise.reject(new Error(reason)),
  end() {},
});

/** Returns two contenders that work at the same time, as one that is as fast as both together. */
function pair(first: Contender, second: Contender): Contender {
  const both = [first, second];
  return {
    async start() {
      const [ready] = await Promise.all(both.map((each) => each.start()));
      return ready!;
    },
    async ask<K extends Request>(request: K, argument?: number): Promise<Answers[K]> {
      const answers = await Promise.all(both.map((each) => each.ask(request, argument)));
      if (request === 'memory') {
        const bytes = answers as number[];
        return (bytes[0]! + bytes[1]!) as Answers[K];
      }
      if (request === 'losses') return answers[0]!;
      const rate = (answers as CallSample[]).reduce((sum, { calls, ns }) => sum + calls / ns, 0);
      return { calls: 1, ns: 1 / rate, cpu: 1 / rate } as Answers[K];
    },
    end() {
      for (const each of both) each.end();
    },
  };
}

const inNode =
  (engine: string, options: EngineOptions = {}): Launch =>
  ({ name }) => {
    const args = ['--no-warnings', PROCESS, name, engine, JSON.stringify(options)];
    return new ProcessContender(process.execPath, args);
  };

/**
 * Returns the environment of Python. PyTorch's own setting of threads does not reach its BLAS: only
 * the environment does. Variables that make OpenBLAS choose other kernels than those for this CPU
 * are left out.
 */
function environmentOfPython(): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...rest } = process.env;
  return { ...rest, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
}

const inPython =
  (python: string | null): Launch =>
  (workload) => {
    if (python === null) return missing('there is no Python with PyTorch here');
    const args = [`${PEERS}pytorch_training.py`, JSON.stringify(workload)];
    return new ProcessContender(python, args, { env: environmentOfPython() });
  };

const inC =
  ({ program, reason }: CProgram): Launch =>
  (workload) =>
    program === undefined ? missing(reason) : new ProcessContender(program, argumentsOf(workload));

/** Workloads that threads and fused multiply-adds are for. */
const LARGE = ['mlp-128', 'cnn-32', 'cnn-128', 'gemm-512x512x512'];

/** Tells whether threads and relaxed SIMD take part in a workload. */
export const isLarge = ({ name }: Workload): boolean => LARGE.includes(name);

/** The program that does as many operations as a product, in registers. */
const inRegisters =
  ({ program, reason }: CProgram): Launch =>
  (workload) =>
    program === undefined || workload.kind !== 'gemm'
      ? missing(reason ?? 'not a product')
      : new ProcessContender(program, ['peak', String(operationsOf(workload))]);

/** Workloads that are also given as graphs: a step, and a fit of small layers. */
const AS_GRAPHS = ['mlp-32', 'e1'];

/** Layers that plain.ts, training-jax.ts and twin.c have. */
const COMMON: readonly LayerKind[] = [
  'dense',
  'conv',
  'maxPool',
  'embedding',
  'batchNorm',
  'flatten',
  'relu',
  'tanh',
];

/** Tells whether all engines have the layers of a workload. */
const isCommon = (workload: Workload): boolean =>
  workload.kind === 'gemm' || workload.layers.every(({ kind }) => COMMON.includes(kind));

/** Native contenders that this machine has. */
export interface Natives {
  /** A Python with PyTorch; null without one. */
  readonly python: string | null;
  readonly twins: CTwins;
}

/** Returns the contenders of a workload, by label. */
export function contendersOf(workload: Workload, { python, twins }: Natives): Map<string, Launch> {
  const { kind, name } = workload;
  const all = new Map<string, Launch>([[ADAL, inNode('adal')]]);
  if (AS_GRAPHS.includes(name)) all.set(ADAL_GRAPH, inNode('adal', { graph: true }));
  if (isLarge(workload)) {
    all.set(ADAL_2, inNode('adal', { threads: 2 }));
    all.set(ADAL_TWICE, (given) => pair(inNode('adal')(given), inNode('adal')(given)));
    all.set(ADAL_RELAXED, inNode('adal', { relaxed: true }));
  }
  if (kind === 'gemm' && workload.ofLayer) {
    all.set(PEAK, inRegisters(twins.narrow));
    all.set(PYTORCH, inPython(python));
    all.set(C_128, inC(twins.narrow));
    return all;
  }
  all.set(TF_WASM, inNode('tensorflow', { backend: 'wasm' }));
  // A step of 18 seconds shows no more than that of 5, and a product or a fit no more than a step.
  if (kind === 'step' && name !== 'cnn-128')
    all.set(TF_CPU, inNode('tensorflow', { backend: 'cpu' }));
  const common = isCommon(workload);
  // It takes a hundred times as long: the smaller batch shows that as well.
  if (common && name !== 'cnn-128') all.set(JAX, inNode('jax'));
  if (common) all.set(PLAIN, inNode('plain'));
  all.set(PYTORCH, inPython(python));
  if (common) {
    all.set(C_128, inC(twins.narrow));
    all.set(C_WIDE, inC(twins.wide));
  }
  return all;
}
