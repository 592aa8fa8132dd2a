/**
 * All rules that optimizers have, with parameters and gradients that reach their corners, for
 * suites that run over every one. No test framework in here: the portable suite runs it as well.
 */
import { type OptimizerName, optimizerNames } from '../../src/index';
import { Prng } from '../../src/math/prng';

/** What a suite calls it, the optimizer, its options. */
export type RuleCase = [what: string, name: OptimizerName, options: Record<string, unknown>];

/** The order in which the fingerprint takes optimizers; new ones follow in the order of names. */
const FIRST: readonly OptimizerName[] = [
  ...(['adal', 'sgd', 'adagrad', 'rmsprop', 'adam', 'adamw', 'amsgrad', 'nadam'] as const),
  ...(['radam', 'adabelief', 'adabound', 'lion', 'schedule-free-adamw'] as const),
];

/** Every rule: some optimizers have several. */
export const RULE_CASES: readonly RuleCase[] = [
  ...[...new Set([...FIRST, ...optimizerNames()])].map((name): RuleCase => {
    // Muon's matrices have tests of their own (tests/optimizers/muon.test.ts).
    return [name, name, name === 'muon' ? { useMuon: false } : {}];
  }),
  ['sgd with momentum', 'sgd', { momentum: 0.9, dampening: 0.1 }],
  ['sgd, Nesterov', 'sgd', { momentum: 0.9, nesterov: true, l2: 0.01 }],
  ['rmsprop with momentum', 'rmsprop', { momentum: 0.9 }],
  ['rmsprop, centred', 'rmsprop', { centered: true }],
  ['rmsprop, centred, with momentum', 'rmsprop', { centered: true, momentum: 0.9 }],
  ['rmsprop, ε inside', 'rmsprop', { epsInSqrt: true, eps: 1e-7 }],
  ['rmsprop, ε inside, with momentum', 'rmsprop', { epsInSqrt: true, eps: 1e-3, momentum: 0.9 }],
  [
    'rmsprop, ε inside, centred, with momentum',
    'rmsprop',
    { epsInSqrt: true, eps: 1e-3, centered: true, momentum: 0.9 },
  ],
];

/** Optimizers whose state may be compact. */
export const COMPACT_NAMES: readonly OptimizerName[] = [
  'adal',
  'adam',
  'adamw',
  'amsgrad',
  'nadam',
  'radam',
  'adabelief',
  'adabound',
  'adadelta',
  'adamax',
];

/** Each of them in both compact formats, whatever a parameter's size. */
export const COMPACT_CASES: readonly RuleCase[] = COMPACT_NAMES.flatMap((name) =>
  ['bf16', '8bit'].map(
    (state): RuleCase => [`${name}, ${state}`, name, { state, min8bitSize: 0, seed: 9 }],
  ),
);

/** One element, less than a turn of the kernels' loop, more than a block. */
const SIZES = { a: 1, b: 37, c: 8192 + 5 };

function fill(element: (i: number) => number): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, n]) => [
      name,
      Float32Array.from({ length: n }, (_, i) => element(i)),
    ]),
  );
}

export function initialParams(): Record<string, Float32Array> {
  const prng = new Prng(7);
  return fill(() => prng.normal());
}

/** Draws by step: normal numbers of our own making are slow, and every case wants the same. */
const draws = new Map<number, Float64Array>();

/** Gradients of step t; every fifth element is always zero. */
export function gradientsAt(t: number, scale = 1): Record<string, Float32Array> {
  let normals = draws.get(t);
  if (!normals) {
    const prng = new Prng(11, t);
    normals = Float64Array.from(
      { length: Object.values(SIZES).reduce((sum, n) => sum + n, 0) },
      () => prng.normal(),
    );
    draws.set(t, normals);
  }
  let drawn = 0;
  return fill((i) => (i % 5 === 3 ? 0 : scale * (normals as Float64Array)[drawn++]));
}
