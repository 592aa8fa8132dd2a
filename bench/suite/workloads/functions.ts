/** W0: functions of a few variables, without noise. They are sanity checks and are not ranked. */
import type { Runtime } from 'adal-wasm';
import { cos, Prng } from 'adal-wasm/math';
import { finite } from '../problems/network';
import type { Problem, Workload } from '../types';
import { NO_FIGURES } from '../types';

interface TestFunction {
  readonly name: string;
  readonly title: string;
  /** Where runs begin: this, and up to `spread` around it, by seed. */
  readonly start: readonly number[];
  readonly spread: number;
  /** Value above the minimum, float64; writes the gradient. */
  readonly value: (x: Float32Array, gradient: Float32Array | null) => number;
}

const TWO_PI = 2 * Math.PI;
const HALF_PI = Math.PI / 2;

function rosenbrock([x, y]: Float32Array, gradient: Float32Array | null): number {
  const [a, b] = [1 - x, y - x * x];
  gradient?.set([-2 * a - 400 * x * b, 200 * b]);
  return a * a + 100 * b * b;
}

function beale([x, y]: Float32Array, gradient: Float32Array | null): number {
  const terms = [1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y];
  const byX = [y - 1, y * y - 1, y * y * y - 1];
  const byY = [x, 2 * x * y, 3 * x * y * y];
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  gradient?.set([2 * dot(terms, byX), 2 * dot(terms, byY)]);
  return dot(terms, terms);
}

function rastrigin(x: Float32Array, gradient: Float32Array | null): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    sum += x[i] * x[i] + 10 * (1 - cos(TWO_PI * x[i]));
    if (gradient) gradient[i] = 2 * x[i] + 10 * TWO_PI * cos(TWO_PI * x[i] - HALF_PI);
  }
  return sum;
}

/** ½·scale·Σ κ_i·x_i², with κ from 1 to `condition` in equal steps. */
function quadratic(condition: number, scale: number): TestFunction['value'] {
  return (x, gradient) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) {
      const curvature = scale * (1 + ((condition - 1) * i) / (x.length - 1));
      sum += 0.5 * curvature * x[i] * x[i];
      if (gradient) gradient[i] = curvature * x[i];
    }
    return sum;
  };
}

const FUNCTIONS: readonly TestFunction[] = [
  {
    name: 'rosenbrock',
    title: "Rosenbrock's valley",
    start: [-1.2, 1],
    spread: 0.2,
    value: rosenbrock,
  },
  { name: 'beale', title: "Beale's function", start: [1, 1], spread: 0.2, value: beale },
  {
    name: 'rastrigin',
    title: "Rastrigin's function, 10 variables",
    start: Array(10).fill(2.5),
    spread: 1,
    value: rastrigin,
  },
  {
    name: 'ill-conditioned',
    title: 'quadratic, 20 variables, condition 10⁴',
    start: Array(20).fill(1),
    spread: 0.5,
    value: quadratic(1e4, 1),
  },
  {
    name: 'tiny-gradients',
    title: 'quadratic, 20 variables, gradients of 10⁻¹²',
    start: Array(20).fill(1),
    spread: 0.5,
    value: quadratic(10, 1e-12),
  },
];

const STEPS_PER_EPOCH = 10;

function createProblem({ start, spread, value }: TestFunction, seed: number): Problem {
  const prng = new Prng(seed);
  const x = Float32Array.from(start, (center) => center + spread * (2 * prng.uniform() - 1));
  return {
    parameters: { x },
    stepsPerEpoch: STEPS_PER_EPOCH,
    computeGradients: ({ params, grads }) => value(params.x, grads.x),
    evaluate: ({ evaluationParams }) => ({
      ...NO_FIGURES,
      trainLoss: finite(value(evaluationParams.x, null)),
    }),
    dispose() {},
  };
}

export const functions: readonly Workload[] = FUNCTIONS.map((testFunction) => ({
  id: `W0-${testFunction.name}`,
  group: 'W0',
  version: 1,
  title: testFunction.title,
  ranked: false,
  metric: { name: 'f - f*', field: 'trainLoss', direction: 'lower', scale: 'log', unit: null },
  target: {
    field: 'trainLoss',
    value: 1e-3 * testFunction.value(Float32Array.from(testFunction.start), null),
  },
  selectBy: { field: 'trainLoss', direction: 'lower' },
  batchSize: null,
  samples: { train: 0, validation: 0, test: 0 },
  parameters: testFunction.start.length,
  tiers: {
    smoke: {
      epochs: 20,
      searchSeeds: 1,
      finalSeeds: 2,
      optimizers: ['adal', 'adam', 'sgd-momentum'],
    },
    standard: { epochs: 200, searchSeeds: 3, finalSeeds: 30 },
    full: { epochs: 200, searchSeeds: 3, finalSeeds: 30 },
  },
  attribution: null,
  references: [],
  prepare: async () => ({
    create: async (_: Runtime, seed: number) => createProblem(testFunction, seed),
  }),
}));
