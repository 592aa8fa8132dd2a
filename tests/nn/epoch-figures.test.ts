/**
 * Losses and metrics of an epoch, of `evaluate` and of streams in any batch size, against their
 * definitions in float64, written out sample by sample.
 */
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, memoryStore } from '../../src/checkpoint';
import { SGD } from '../../src/index';
import {
  createModel,
  crossEntropy,
  dense,
  evaluate,
  evaluateStream,
  type FitOptions,
  fit,
  graph,
  input,
  type Model,
  meanSquaredError,
  predictOutputs,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { generator } from '../kernels/values';
import { simd, withRuntime } from '../support/backends';

const COUNT = 23;
const STEPS = 3;
const CLASS_WEIGHTS = [3, 1, 0.25];
const FACTORS = { tags: 0.5, kind: 2, size: 1 };
const L2 = 0.125;
const next = generator(4);
const random = (length: number) => Float32Array.from({ length }, () => 2 * next() - 1);
const labelsOf = (length: number, low: number) =>
  Int32Array.from({ length }, () => low + Math.floor((3 - low) * next()));
/** Sample i has -1, which is ignored, at more positions the later it comes. */
const tags = labelsOf(COUNT * STEPS, 0).map((label, i) =>
  next() * COUNT < i / STEPS ? -1 : label,
);
const data = {
  features: random(4 * COUNT),
  labels: { tags, kind: labelsOf(COUNT, 0) },
  targets: { size: random(2 * COUNT) },
};
const weights = Float32Array.from({ length: COUNT }, () => Math.floor(4 * next()) / 2);
const byOutput = { tags: weights, size: weights.slice().reverse() };

const x = input('x', 4);
const options = {
  ...graph({
    tags: x.apply(dense(3 * STEPS), 'a').apply({ kind: 'reshape', shape: [STEPS, 3] }, 'tags'),
    kind: x.apply(dense(3), 'kind'),
    size: x.apply(dense(2), 'size'),
  }),
  loss: {
    tags: crossEntropy({ ignoreLabel: -1 }),
    kind: crossEntropy({ classWeights: CLASS_WEIGHTS, reduction: 'weighted-mean' }),
    size: meanSquaredError(),
  },
  lossWeights: FACTORS,
  penalties: [{ match: ['kind.weight'], l2: L2 }],
  seed: 6,
} as const;

function crossEntropyOf(row: Float32Array, label: number): number {
  const top = Math.max(...row);
  return Math.log([...row].reduce((sum, v) => sum + Math.exp(v - top), 0)) + top - row[label];
}

const greatest = (row: Float32Array) => row.indexOf(Math.max(...row));

/** Figures of a model over all samples, in float64. */
function figures(model: Model, sampleWeights?: { tags: Float32Array; size: Float32Array }) {
  const outputs = predictOutputs(model, data.features);
  const sums = { tags: [0, 0], kind: [0, 0], size: [0, 0] };
  const add = (name: keyof typeof sums, loss: number, weight: number) => {
    sums[name][0] += loss;
    sums[name][1] += weight;
  };
  const right = { tags: 0, kind: 0 };
  let error = 0;
  for (let i = 0; i < COUNT; i++) {
    for (let step = i * STEPS; step < (i + 1) * STEPS; step++) {
      if (tags[step] === -1) continue;
      const row = outputs.tags.subarray(3 * step, 3 * step + 3);
      add('tags', (sampleWeights?.tags[i] ?? 1) * crossEntropyOf(row, tags[step]), 1);
      right.tags += greatest(row) === tags[step] ? 1 : 0;
    }
    const label = data.labels.kind[i];
    const row = outputs.kind.subarray(3 * i, 3 * i + 3);
    add('kind', CLASS_WEIGHTS[label] * crossEntropyOf(row, label), CLASS_WEIGHTS[label]);
    right.kind += greatest(row) === label ? 1 : 0;
    let squares = 0;
    for (let j = 2 * i; j < 2 * i + 2; j++) {
      squares += (outputs.size[j] - data.targets.size[j]) ** 2 / 2;
      error += Math.abs(outputs.size[j] - data.targets.size[j]);
    }
    add('size', (sampleWeights?.size[i] ?? 1) * squares, 1);
  }
  const penalty = L2 * [...model.weights['kind.weight'].data].reduce((sum, w) => sum + w * w, 0);
  const losses = Object.entries(sums).map(([name, [sum, weight]]) => [name, sum / weight] as const);
  return {
    loss: losses.reduce((sum, [name, own]) => sum + FACTORS[name as 'tags'] * own, penalty),
    losses: Object.fromEntries(losses),
    'tags.accuracy': right.tags / sums.tags[1],
    'kind.accuracy': right.kind / COUNT,
    'size.meanAbsoluteError': error / (2 * COUNT),
  };
}

const METRICS = ['accuracy', 'meanAbsoluteError'] as const;
const samplesWith = (sampleWeights?: typeof byOutput) => ({
  ...data,
  ...(sampleWeights && { sampleWeights }),
});

async function train(runtime: Runtime, batchSize: number, extra: Partial<FitOptions>, own = {}) {
  const model = await createModel(runtime, { ...options, batchSize });
  // So small a rate that no weight moves in float32.
  const optimizer = new SGD(runtime, model.parameters, { lr: 1e-30 });
  const result = await fit(
    model,
    { ...data, ...own },
    { optimizer, epochs: 1, metrics: METRICS, ...extra },
  );
  return { model, result };
}

describe.each([1, 4, 7, 23, 30])('in batches of %i', (batchSize) => {
  it.each([
    ['without weights', undefined],
    ['with weights of samples', byOutput],
  ])('an epoch and its validation have the float64 figures, %s', async (_, sampleWeights) => {
    await withRuntime(simd, async (runtime) => {
      const samples = samplesWith(sampleWeights);
      const { model, result } = await train(
        runtime,
        batchSize,
        { validation: samples },
        { ...samples },
      );
      const { loss, losses, ...metrics } = figures(model, sampleWeights);
      const [{ validation, ...epoch }] = result.epochs;
      expect(epoch.loss).toBeCloseTo(loss, 5);
      for (const [name, value] of Object.entries(metrics)) {
        expect(epoch.metrics![name], name).toBeCloseTo(value, 6);
        expect(validation!.metrics![name], name).toBe(epoch.metrics![name]);
      }
      expect(validation!.loss).toBeCloseTo(loss, 5);
      for (const [name, value] of Object.entries(losses))
        expect(validation!.outputs![name].loss, name).toBeCloseTo(value, 5);
      expect(evaluate(model, samples, { metrics: METRICS })).toEqual(validation);
      const streamed = await evaluateStream(model, () => [samples], { metrics: METRICS });
      expect(streamed).toEqual(validation);
    });
  });
});

describe('a run over several losses', () => {
  it('has the same loss if it is resumed in mid-epoch', async () => {
    await withRuntime(simd, async (runtime) => {
      const whole = await train(runtime, 4, { epochs: 2 });
      const store = memoryStore();
      const stop: FitOptions['onBatch'] = ({ epoch, batch }, stopNow) => {
        if (epoch === 2 && batch === 3) stopNow();
      };
      await train(runtime, 4, { epochs: 2, checkpoint: { store }, onBatch: stop });
      const { run } = decodeCheckpoint((await store.load())!.bytes).extras as {
        run: { batch: number; outputSums: number[] };
      };
      expect(run).toMatchObject({ batch: 3, outputSums: { length: 6 } });
      const resumed = await train(runtime, 4, { epochs: 2, checkpoint: { store } });
      expect(resumed.result.epochs).toEqual(whole.result.epochs);
      expect(resumed.result.epochs[1].loss).toBeCloseTo(figures(resumed.model).loss, 5);
    });
  });
});
