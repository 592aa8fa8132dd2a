/**
 * W1: DeepOBS quadratic_deep, the published problem. The loss is ½(θ-x)ᵀH(θ-x) over points x, from
 * θ = 1. An epoch has seven batches of 128 points (the rest is dropped), in an order that is drawn
 * once per seed; the first 896 evaluation points judge.
 *
 * H is symmetric, so a mean over points follows from the mean point: ½θᵀHθ - θᵀHμ + ½·mean(xᵀHx).
 * All sums are in float64.
 */
import type { Runtime } from 'adal-wasm';
import { Prng } from 'adal-wasm/math';
import { type DataSource, loadBuffer } from '../data';
import { finite } from '../problems/network';
import {
  NO_FIGURES,
  type PreparedWorkload,
  type Problem,
  type StudyOptimizer,
  type Workload,
} from '../types';

const DIMENSIONS = 100;
const POINTS = 1000;
const BATCH = 128;
const BATCHES = 7;
const JUDGED = BATCH * BATCHES;
/** Apart from every seed of a study: the order of the other batches. */
const OTHER_SEEDS = 2 ** 40;

/** A mean loss as a function of θ. */
class Quadratic {
  readonly #hessian: Float64Array;
  /** Hμ. */
  readonly #slope: Float64Array;
  readonly #constant: number;

  constructor(
    hessian: Float64Array,
    points: Float32Array,
    rows: Uint32Array,
    halfSquares: Float64Array,
  ) {
    const mean = new Float64Array(DIMENSIONS);
    let constant = 0;
    for (const row of rows) {
      constant += halfSquares[row];
      for (let j = 0; j < DIMENSIONS; j++) mean[j] += points[row * DIMENSIONS + j] / rows.length;
    }
    this.#hessian = hessian;
    this.#slope = Float64Array.from(mean, (_, i) => rowTimes(hessian, i, mean));
    this.#constant = constant / rows.length;
  }

  /** The loss; writes its gradient H(θ - μ). */
  loss(theta: Float32Array, gradient: Float32Array | null): number {
    let value = this.#constant;
    for (let i = 0; i < DIMENSIONS; i++) {
      const curved = rowTimes(this.#hessian, i, theta);
      value += theta[i] * (0.5 * curved - this.#slope[i]);
      if (gradient) gradient[i] = curved - this.#slope[i];
    }
    return value;
  }
}

function rowTimes(hessian: Float64Array, i: number, x: Float32Array | Float64Array): number {
  let sum = 0;
  for (let j = 0; j < DIMENSIONS; j++) sum += hessian[i * DIMENSIONS + j] * x[j];
  return sum;
}

function halfSquaresOf(hessian: Float64Array, points: Float32Array): Float64Array {
  return Float64Array.from({ length: POINTS }, (_, row) => {
    const x = points.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
    return x.reduce((sum, value, i) => sum + 0.5 * value * rowTimes(hessian, i, x), 0);
  });
}

const firstRows = (count: number) => Uint32Array.from({ length: count }, (_, row) => row);

async function prepare(data: DataSource): Promise<PreparedWorkload> {
  const hessian = new Float64Array(await loadBuffer(data, 'quadratic-deep/hessian-100x100.f64'));
  const [train, test] = await Promise.all(
    ['train', 'test'].map(
      async (part) =>
        new Float32Array(await loadBuffer(data, `quadratic-deep/${part}-1000x100.f32`)),
    ),
  );
  const [trainSquares, testSquares] = [halfSquaresOf(hessian, train), halfSquaresOf(hessian, test)];
  const onTrain = new Quadratic(hessian, train, firstRows(POINTS), trainSquares);
  const judged = new Quadratic(hessian, test, firstRows(JUDGED), testSquares);
  const batchesOf = (seed: number) => {
    const order = firstRows(POINTS);
    new Prng(seed).shuffle(order);
    return Array.from({ length: BATCHES }, (_, batch) => {
      return new Quadratic(
        hessian,
        train,
        order.subarray(batch * BATCH, (batch + 1) * BATCH),
        trainSquares,
      );
    });
  };
  const create = async (_: Runtime, seed: number): Promise<Problem> => {
    const [own, others] = [batchesOf(seed), batchesOf(OTHER_SEEDS + seed)];
    return {
      parameters: { theta: new Float32Array(DIMENSIONS).fill(1) },
      stepsPerEpoch: BATCHES,
      computeGradients({ params, grads }: StudyOptimizer, step, other = false) {
        return (other ? others : own)[step % BATCHES].loss(params.theta, grads.theta);
      },
      evaluate({ evaluationParams: { theta } }) {
        const [trainLoss, validationLoss] = [onTrain, judged].map((part) =>
          finite(part.loss(theta, null)),
        );
        return { ...NO_FIGURES, trainLoss, validationLoss };
      },
      dispose() {},
    };
  };
  return { create };
}

const SOURCE = 'DeepOBS baselines, quadratic_deep (Schneider et al. 2019)';
const published = { seeds: 10, kind: 'published', source: SOURCE } as const;

export const quadraticDeep: Workload = {
  id: 'W1',
  group: 'W1',
  version: 1,
  title: 'DeepOBS quadratic_deep, 100 dimensions',
  ranked: true,
  metric: {
    name: 'loss on 896 evaluation points',
    field: 'validationLoss',
    direction: 'lower',
    scale: 'log',
    unit: null,
  },
  target: { field: 'validationLoss', value: 87.703 },
  // Published protocols judge by the evaluation points: so the learning rate is not chosen by them.
  selectBy: { field: 'trainLoss', direction: 'lower' },
  batchSize: BATCH,
  samples: { train: POINTS, validation: JUDGED, test: 0 },
  parameters: DIMENSIONS,
  tiers: {
    smoke: {
      epochs: 10,
      searchSeeds: 1,
      finalSeeds: 2,
      optimizers: ['adal', 'adam', 'sgd-momentum'],
    },
    standard: { epochs: 100, searchSeeds: 3, finalSeeds: 30, ablations: true },
    full: { epochs: 100, searchSeeds: 3, finalSeeds: 30, ablations: true },
  },
  attribution: 'DeepOBS (MIT)',
  references: [
    {
      optimizer: null,
      options: {},
      value: 353.4468,
      spread: null,
      seeds: null,
      kind: 'published',
      source: 'at the start',
    },
    { optimizer: 'adam', options: { lr: 0.03981 }, value: 87.112, spread: 0.024, ...published },
    {
      optimizer: 'sgd-momentum',
      options: { lr: 0.00251, momentum: 0.99 },
      value: 87.045,
      spread: 0.025,
      ...published,
    },
    { optimizer: 'sgd', options: { lr: 0.01585 }, value: 87.397, spread: 0.169, ...published },
  ],
  prepare,
};
