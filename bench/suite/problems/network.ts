/**
 * A network on data sets: the problem of most workloads. Initial weights, split and order of
 * batches are functions of the seed alone.
 */
import type { Runtime } from 'adal-wasm';
import type { Dataset } from 'adal-wasm/data';
import { BatchOrder, gatherLabelsInto, gatherRowsInto, selectRows } from 'adal-wasm/data';
import { createModel, evaluate, type Layer, type Model, type Shape } from 'adal-wasm/nn';
import type { Figures, Problem } from '../types';

export interface Parts {
  readonly train: Dataset;
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
}

export interface NetworkSettings {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  readonly batchSize: number;
  /** Training samples that the training loss is evaluated on, the first so many. @default all */
  readonly trainEvaluationCount?: number;
  /** Weights of its own instead of the library's. */
  readonly initialise?: (model: Model, seed: number) => void;
}

/** Apart from every seed of a study: the order of the other batches. */
const OTHER_SEEDS = 2 ** 40;

export async function createNetworkProblem(
  runtime: Runtime,
  seed: number,
  { train, validation, test }: Parts,
  settings: NetworkSettings,
): Promise<Problem> {
  const {
    inputShape,
    layers,
    batchSize,
    trainEvaluationCount = train.count,
    initialise,
  } = settings;
  const model = await createModel(runtime, { inputShape, layers, batchSize, seed });
  initialise?.(model, seed);
  const orders = [seed, OTHER_SEEDS + seed].map((orderSeed) => ({
    order: new BatchOrder(train.count, batchSize, orderSeed),
    epoch: 0,
  }));
  const { batchCount } = orders[0].order;
  const trainSample = firstOf(train, trainEvaluationCount);
  return {
    parameters: model.parameters,
    stepsPerEpoch: batchCount,
    computeGradients(_, step, other = false) {
      const state = orders[other ? 1 : 0];
      const { order } = state;
      const epoch = Math.floor(step / batchCount);
      if (epoch !== state.epoch) order.startEpoch((state.epoch = epoch));
      const batch = step % batchCount;
      const [from, count] = [order.from(batch), order.length(batch)];
      gatherRowsInto(train.features, train.featureCount, order.indices, from, count, model.input);
      gatherLabelsInto(train.labels, order.indices, from, count, model.labels);
      return model.computeGradients(count);
    },
    evaluate: (_, withTest) => figuresOf(model, trainSample, validation, withTest ? test : null),
    dispose: () => model.dispose(),
  };
}

function figuresOf(
  model: Model,
  train: Dataset,
  validation: Dataset | null,
  test: Dataset | null,
): Figures {
  const judged = (data: Dataset | null) =>
    data ? evaluate(model, data) : { loss: null, accuracy: null };
  const [onValidation, onTest] = [judged(validation), judged(test)];
  return {
    trainLoss: finite(judged(train).loss),
    validationLoss: finite(onValidation.loss),
    validationMetric: finite(onValidation.accuracy),
    testLoss: finite(onTest.loss),
    testMetric: finite(onTest.accuracy),
  };
}

export function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

export function firstOf(data: Dataset, count: number): Dataset {
  if (count >= data.count) return data;
  const { featureCount } = data;
  return {
    ...data,
    count,
    features: data.features.subarray(0, count * featureCount),
    labels: data.labels.subarray(0, count),
  };
}

/** The rest, and the last `count`, of samples that are in random order already. */
export function splitOff(data: Dataset, count: number): [Dataset, Dataset] {
  const rows = Uint32Array.from({ length: data.count }, (_, row) => row);
  const rest = data.count - count;
  return [selectRows(data, rows.subarray(0, rest)), selectRows(data, rows.subarray(rest))];
}
