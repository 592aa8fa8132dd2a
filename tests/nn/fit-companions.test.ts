/**
 * fit with an accumulator and a moving average of `adal-wasm/gradients`: the loop one would write,
 * resumable in mid-window.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, memoryStore } from '../../src/checkpoint';
import { BatchOrder, gatherLabelsInto, gatherRowsInto } from '../../src/data';
import { ExponentialMovingAverage, GradientAccumulator } from '../../src/entries/gradients';
import { AdaL } from '../../src/index';
import { createModel, dense, evaluate, type FitOptions, fit, relu, sequential } from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const train = clouds(101, 1);
const validation = clouds(40, 2);
/** 7 batches an epoch, the last of 5 samples: two windows of three, and one of one. */
const WINDOW = 3;

async function create(runtime: Runtime) {
  const model = await createModel(runtime, {
    inputSize: 4,
    layers: sequential([dense(12), relu(), dense(3)]),
    batchSize: 16,
    seed: 3,
  });
  const optimizer = new AdaL(runtime, model.parameters, { lr: 0.02, eps: 0, betas: [0.9, 0.95] });
  const accumulator = new GradientAccumulator(optimizer, { steps: WINDOW });
  const average = new ExponentialMovingAverage(optimizer, { decay: 0.9 });
  const learnt = () =>
    [...Object.values(model.weights).map(({ data }) => data), ...Object.values(average.params)].map(
      (data) => bitsOf(data),
    );
  return { model, optimizer, accumulator, average, learnt };
}

async function trainOn(options: Partial<FitOptions>) {
  return withRuntime(simd, async (runtime) => {
    const { model, optimizer, accumulator, average, learnt } = await create(runtime);
    average.apply();
    const result = await fit(model, train, {
      optimizer,
      accumulator,
      average,
      epochs: 3,
      seed: 5,
      ...options,
    });
    return { result, learnt: learnt(), validation: evaluate(model, validation) };
  });
}

describe('an accumulator and an average', () => {
  it('are driven as in a loop of one’s own: windows end with the epoch', async () => {
    const { result, learnt } = await trainOn({});
    expect(result.steps).toBe(3 * 3);
    await withRuntime(simd, async (runtime) => {
      const own = await create(runtime);
      const order = new BatchOrder(101, 16, 5);
      for (let epoch = 0; epoch < 3; epoch++) {
        order.startEpoch(epoch);
        for (let batch = 0; batch < order.batchCount; batch++) {
          const [from, count] = [order.from(batch), order.length(batch)];
          gatherRowsInto(train.features, 4, order.indices, from, count, own.model.input);
          gatherLabelsInto(train.labels, order.indices, from, count, own.model.labels);
          own.model.computeGradients(count);
          if (own.accumulator.add()) own.average.update();
        }
        if (own.accumulator.flush()) own.average.update();
      }
      expect(learnt).toEqual(own.learnt());
    });
  });

  it('resume in mid-window with the bits of a run that was not interrupted', async () => {
    const options = { validation, earlyStopping: { patience: 10 } };
    const reference = await trainOn(options);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (stop) => {
        const store = memoryStore();
        const controller = new AbortController();
        let reports = 0;
        await trainOn({
          ...options,
          checkpoint: { store, every: 2 },
          budgetMs: 0,
          signal: controller.signal,
          onProgress: () => ++reports >= stop && controller.abort(),
        });
        const { result, learnt } = await trainOn({ ...options, checkpoint: { store } });
        expect(learnt).toEqual(reference.learnt);
        expect(result.epochs).toEqual(reference.result.epochs);
        expect(result.steps).toBe(reference.result.steps);
      }),
      { numRuns: 10 },
    );
  });

  it('what early stopping gives back is the average that was judged best', async () => {
    const { result, validation: after } = await trainOn({
      epochs: 300,
      validation,
      earlyStopping: { patience: 3 },
    });
    expect(result.reason).toBe('early-stopping');
    expect(after.loss).toBe(Math.min(...result.epochs.map((epoch) => epoch.validation!.loss)));
  });

  it('are refused when they are none', async () => {
    await expect(trainOn({ accumulator: {} as never })).rejects.toThrow(
      '"accumulator" expected a GradientAccumulator',
    );
    await expect(trainOn({ average: {} as never })).rejects.toThrow(
      '"average" expected an ExponentialMovingAverage',
    );
  });
});

it('validation counts what metrics ask for', async () => {
  const { result } = await trainOn({ validation, metrics: { topK: 2, confusion: true } });
  const { accuracy, topKAccuracy, confusion } = result.epochs.at(-1)!.validation!;
  expect(topKAccuracy).toBeGreaterThan(accuracy!);
  expect(confusion!.flat().reduce((sum, n) => sum + n, 0)).toBe(40);
  await expect(trainOn({ validation, metrics: { topK: 4 } })).rejects.toThrow(
    '"topK" expected an integer in [1, 3], got 4',
  );
});

it('a store that keeps the best is not given the state in which a run was aborted', async () => {
  const store = memoryStore();
  const controller = new AbortController();
  const { result } = await trainOn({
    epochs: 50,
    validation,
    checkpoint: { store, keep: 'best' },
    budgetMs: 0,
    signal: controller.signal,
    onProgress: ({ epoch, batch }) => epoch === 3 && batch === 2 && controller.abort(),
  });
  expect(result.reason).toBe('aborted');
  const { epochs, batch } = decodeCheckpoint((await store.load())!.bytes).extras.run as {
    epochs: unknown[];
    batch: number;
  };
  expect([epochs.length, batch]).toEqual([result.bestEpoch, 0]);
});
