/**
 * The contenders in the benchmark of an optimizer's step: the library on each backend, plain
 * JavaScript, and other libraries.
 */
import {
  createOptimizer,
  createRuntime,
  emptyResult,
  type Optimizer,
  type RuntimeOptions,
} from 'adal-wasm';
import type { Body } from '../../toolkit/timing';

export type Rule = 'adal' | 'adam';

export const HYPERPARAMETERS = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8 } as const;

/** What a step is timed on: tensors of equal size. */
export interface StepData {
  readonly n: number;
  readonly tensors: number;
  readonly gradients: 'normal' | 'zero' | 'denormal';
}

/** One contender, ready. Both bodies do one step. */
export interface Stepper {
  readonly threads: number;
  readonly step: Body;
  /** Gradients are copied in, and parameters out. */
  readonly stepWithCopies: Body;
  /** Of the first tensor: a copy. */
  params(): Float32Array;
  dispose(): void;
}

export interface Contender {
  readonly rule: Rule;
  readonly implementation: string;
  /** More parameters would take seconds a step, or memory that is not there. */
  readonly maxSize: number;
  readonly bytesPerParameter: number;
  /** Whether its bits must be the oracle's. */
  readonly exact: boolean;
  create(data: StepData): Promise<Stepper>;
}

/** Smooth test data without zeros: a pattern of 4,096 elements, repeated. */
export function fill(array: Float32Array, scale: number, phase: number): Float32Array {
  const pattern = Math.min(4096, array.length);
  for (let i = 0; i < pattern; i++)
    array[i] = scale * (((i * 7919 + phase * 104729) % 2003) / 1001.5 - 0.99983);
  for (let done = pattern; done < array.length; done *= 2) array.copyWithin(done, 0, done);
  return array;
}

const SCALES = { normal: 1e-3, zero: 0, denormal: 1e-40 };

export const thetaOf = ({ n, tensors }: StepData): Float32Array =>
  fill(new Float32Array(n / tensors), 1, 0);
export const gradientOf = ({ n, tensors, gradients }: StepData): Float32Array =>
  fill(new Float32Array(n / tensors), SCALES[gradients], 1);

/** The library. */
export async function createOwn(
  rule: Rule,
  data: StepData,
  options: RuntimeOptions,
): Promise<Stepper & { optimizer: Optimizer }> {
  const runtime = await createRuntime(options);
  const names = Array.from({ length: data.tensors }, (_, index) => `w${index}`);
  const params = Object.fromEntries(
    names.map((name) => [name, { shape: [data.n / data.tensors] }]),
  );
  const optimizer = await createOptimizer(rule, params, { ...HYPERPARAMETERS, runtime });
  const gradient = gradientOf(data);
  const gradients = Object.fromEntries(names.map((name) => [name, gradient]));
  for (const name of names) {
    optimizer.params[name].set(thetaOf(data));
    optimizer.grads[name].set(gradient);
  }
  const result = emptyResult();
  const out = new Float32Array(data.n / data.tensors);
  return {
    optimizer,
    threads: runtime.info.threads,
    step: () => optimizer.stepInto(result).gradNorm,
    stepWithCopies() {
      const { gradNorm } = optimizer.stepInto(result, gradients);
      for (const name of names) out.set(optimizer.params[name]);
      return gradNorm + out[0];
    },
    params: () => optimizer.params.w0.slice(),
    dispose: () => runtime.dispose(),
  };
}

function own(
  rule: Rule,
  implementation: string,
  options: RuntimeOptions,
  maxSize = 1e7,
): Contender {
  const create = (data: StepData) => createOwn(rule, data, options);
  return { rule, implementation, maxSize, bytesPerParameter: 32, exact: true, create };
}

type PlainUpdate = (
  theta: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  t: number,
) => number;

const [BETA1, BETA2] = HYPERPARAMETERS.betas;
const { lr: LR, eps: EPS } = HYPERPARAMETERS;

/** AdaL as one would write it: the rule without scaling. */
const plainAdaL: PlainUpdate = (theta, g, m, v, t) => {
  let norm = 0;
  for (let i = 0; i < g.length; i++) norm += Math.abs(g[i]);
  const step = LR / Math.sqrt(t) / (1 - BETA1 ** t);
  const correction = 1 / (1 - BETA2 ** t);
  for (let i = 0; i < g.length; i++) {
    const h = norm * g[i];
    m[i] = BETA1 * m[i] + (1 - BETA1) * h;
    v[i] = BETA2 * v[i] + (1 - BETA2) * h * h;
    theta[i] -= step * (1 / Math.sqrt(v[i] * correction) + EPS) * m[i];
  }
  return norm;
};

const plainAdam: PlainUpdate = (theta, g, m, v, t) => {
  const step = LR / (1 - BETA1 ** t);
  const correction = 1 / (1 - BETA2 ** t);
  for (let i = 0; i < g.length; i++) {
    m[i] = BETA1 * m[i] + (1 - BETA1) * g[i];
    v[i] = BETA2 * v[i] + (1 - BETA2) * g[i] * g[i];
    theta[i] -= (step * m[i]) / (Math.sqrt(v[i] * correction) + EPS);
  }
  return step;
};

function plain(rule: Rule, update: PlainUpdate): Contender {
  return {
    rule,
    implementation: 'plain JS',
    maxSize: 1e7,
    bytesPerParameter: 32,
    exact: false,
    async create(data) {
      const length = data.n / data.tensors;
      const gradient = gradientOf(data);
      const states = Array.from({ length: data.tensors }, () => ({
        theta: thetaOf(data),
        g: gradient.slice(),
        m: new Float32Array(length),
        v: new Float32Array(length),
      }));
      const out = new Float32Array(length);
      let t = 0;
      const step = () => {
        t++;
        let sum = 0;
        for (const { theta, g, m, v } of states) sum += update(theta, g, m, v, t);
        return sum;
      };
      const stepWithCopies = () => {
        for (const { g } of states) g.set(gradient);
        const sum = step();
        for (const { theta } of states) out.set(theta);
        return sum + out[0];
      };
      return {
        threads: 1,
        step,
        stepWithCopies,
        params: () => states[0].theta.slice(),
        dispose() {},
      };
    },
  };
}

/** Another library's Adam, from a module of bench/peers. */
export interface PeerModule {
  readonly implementations: readonly string[];
  createAdam(
    implementation: string,
    tensors: readonly PeerTensor[],
    hyperparameters: Hyperparameters,
  ): Promise<PeerAdam>;
}

export type Hyperparameters = typeof HYPERPARAMETERS;

/** Initial values of a tensor, and the gradient of every step. */
export interface PeerTensor {
  readonly theta: Float32Array;
  readonly gradient: Float32Array;
}

export interface PeerAdam {
  step(): void;
  stepWithCopies(gradients: readonly Float32Array[]): ArrayLike<number>[];
  params(): ArrayLike<number>[];
  dispose(): void;
}

export const PEERS = [
  { file: 'tensorflow.js', implementations: ['TensorFlow.js cpu', 'TensorFlow.js wasm'] },
  { file: 'jax.js', implementations: ['jax-js wasm'] },
] as const;

/** @param load imports a file of bench/peers, or says why it cannot */
function peer(
  file: string,
  implementation: string,
  load: (file: string) => Promise<PeerModule>,
): Contender {
  return {
    rule: 'adam',
    implementation,
    maxSize: 2 ** 20,
    bytesPerParameter: 32,
    exact: false,
    async create(data) {
      const { createAdam } = await load(file);
      const gradient = gradientOf(data);
      const tensors = Array.from({ length: data.tensors }, () => ({
        theta: thetaOf(data),
        gradient,
      }));
      const gradients = tensors.map((tensor) => tensor.gradient);
      const adam = await createAdam(implementation, tensors, HYPERPARAMETERS);
      return {
        threads: 1,
        step: () => {
          adam.step();
          return 0;
        },
        stepWithCopies: () => adam.stepWithCopies(gradients)[0][0],
        params: () => Float32Array.from(adam.params()[0]),
        dispose: () => adam.dispose(),
      };
    },
  };
}

export function createContenders(load: (file: string) => Promise<PeerModule>): Contender[] {
  const rules = ['adal', 'adam'] as const;
  return [
    ...rules.map((rule) => own(rule, 'wasm simd', { backend: 'simd' })),
    ...rules.map((rule) => own(rule, 'wasm threads', { backend: 'threads' })),
    ...rules.map((rule) => own(rule, 'oracle', { backend: 'oracle' }, 1e5)),
    plain('adal', plainAdaL),
    plain('adam', plainAdam),
    ...PEERS.flatMap(({ file, implementations }) =>
      implementations.map((name) => peer(file, name, load)),
    ),
  ];
}
