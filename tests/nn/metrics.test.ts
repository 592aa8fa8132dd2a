/** What counts as right, and which epoch is the best: NaN never is either. */
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, memoryStore } from '../../src/checkpoint';
import { type Optimizer, SGD } from '../../src/index';
import { createModel, dense, evaluate, type FitOptions, fit, type Model } from '../../src/nn';
import { EarlyStopping, type EarlyStoppingState } from '../../src/nn/early-stopping';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

describe('outputs that are NaN', () => {
  const { NaN: nan } = Number;

  it('make a sample wrong in accuracy, top-k and confusion, wherever they stand', async () => {
    for (const backend of BACKENDS) {
      await withRuntime(backend, async (runtime) => {
        const model = await createModel(runtime, {
          inputSize: 3,
          layers: [dense(3)],
          batchSize: 2,
        });
        model.weights['dense1.bias']!.data.fill(0);
        const weight = model.weights['dense1.weight']!.data;
        // A NaN among a sample's features makes all of its outputs NaN.
        weight.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
        const features = Float32Array.of(3, 2, 1, nan, 9, 1, 1, 9, nan, 1, 2, 3);
        const samples = { features, labels: Int32Array.of(0, 0, 1, 2) };
        const judged = evaluate(model, samples, { topK: 3, confusion: true });
        expect(judged).toMatchObject({ accuracy: 0.5, topKAccuracy: 0.5, loss: nan });
        expect(judged.confusion).toEqual([
          [1, 0, 0],
          [0, 0, 0],
          [0, 0, 1],
        ]);
        // One output alone: that of a class whose bias is NaN.
        model.weights['dense1.bias']!.data.set([nan, 0, 0]);
        const one = evaluate(
          model,
          { features: Float32Array.of(1, 2, 9, 9, 1, 1), labels: Int32Array.of(2, 0) },
          { topK: 2 },
        );
        expect(one).toMatchObject({ accuracy: 0, topKAccuracy: 0 });
      });
    }
  });

  it('an infinite output is a number: the greatest wins, the first of equals', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputSize: 1, layers: [dense(3)], batchSize: 2 });
      model.weights['dense1.weight']!.data.fill(0);
      model.weights['dense1.bias']!.data.set([
        1,
        Number.POSITIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ]);
      const samples = { features: new Float32Array(3), labels: Int32Array.of(0, 1, 2) };
      const { accuracy, topKAccuracy, confusion } = evaluate(model, samples, {
        topK: 2,
        confusion: true,
      });
      expect([accuracy, topKAccuracy]).toEqual([1 / 3, 2 / 3]);
      expect(confusion!.map((row) => row[1])).toEqual([1, 1, 1]);
    });
  });
});

describe('the best epoch', () => {
  const train = clouds(60, 1);

  /**
   * Runs in which the watched loss of each epoch is given: the validation set is one sample whose
   * loss the bias sets.
   */
  async function run(losses: readonly number[], options: Partial<FitOptions> = {}) {
    return withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 4,
        layers: [dense(3)],
        batchSize: 32,
        seed: 1,
      });
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.05 });
      const store = memoryStore();
      const weights: Uint32Array[][] = [];
      const told: number[] = [];
      const steering = steer(model, optimizer, losses, weights);
      const result = await fit(model, train, {
        optimizer: steering,
        epochs: losses.length,
        checkpoint: { store, keep: 'best' },
        onProgress: ({ result: epoch }) => epoch && told.push(epoch.loss),
        ...options,
      });
      const stored = await store.load();
      const saved = stored && (decodeCheckpoint(stored.bytes).extras.run as { epochs: unknown[] });
      return { result, told, weights, saved: saved?.epochs.length ?? null, learnt: all(model) };
    });
  }

  const all = (model: Model) => Object.values(model.weights).map(({ data }) => bitsOf(data));

  /** An optimizer whose epochs end with the losses wanted. */
  function steer(
    model: Model,
    optimizer: Optimizer,
    losses: readonly number[],
    weights: Uint32Array[][],
  ) {
    let steps = 0;
    const compute = model.computeGradients.bind(model);
    model.computeGradients = (count) => {
      compute(count);
      return losses[Math.floor(steps / 2)]!;
    };
    const step = optimizer.step.bind(optimizer);
    optimizer.step = ((...args: Parameters<typeof step>) => {
      const result = step(...args);
      if (++steps % 2 === 0) weights.push(all(model));
      return result;
    }) as typeof step;
    return optimizer;
  }

  const { NaN: nan } = Number;
  it.each<[number[], number | null]>([
    [[3, 2, 1], 3],
    [[3, 1, 2], 2],
    [[1, 1, 1], 1],
    [[nan, 2, 3], 2],
    [[nan, nan, nan], null],
    [[2, nan, 1, nan], 3],
    [[Number.POSITIVE_INFINITY, 5, nan], 2],
  ])(
    'of losses %j is %j, in the result, in the checkpoint and in the weights given back',
    async (losses, best) => {
      const { result, told, saved } = await run(losses);
      expect(told).toEqual(losses);
      expect([result.bestEpoch, saved]).toEqual([best, best]);
      const restored = await run(losses, { earlyStopping: { patience: 9 } });
      expect([restored.result.bestEpoch, restored.saved]).toEqual([best, best]);
      expect(restored.learnt).toEqual(restored.weights[(best ?? losses.length) - 1]);
    },
  );

  it('has to be better by minDelta in all three', async () => {
    const losses = [3, 2.9, 2.8, 2.4, 2.3];
    const { result, saved, learnt, weights } = await run(losses, {
      earlyStopping: { patience: 9, minDelta: 0.5 },
    });
    expect([result.bestEpoch, saved]).toEqual([4, 4]);
    expect(learnt).toEqual(weights[3]);
    const kept = await run(losses, {
      earlyStopping: { patience: 9, minDelta: 0.5, restoreBest: false },
    });
    expect([kept.result.bestEpoch, kept.saved]).toEqual([4, 4]);
    expect(kept.learnt).toEqual(kept.weights[4]);
  });

  it('is watched without options too, for ever', () => {
    const watch = new EarlyStopping();
    let state: EarlyStoppingState = { best: null, bestEpoch: 0, waited: 0 };
    for (let epoch = 1; epoch <= 1000; epoch++)
      state = watch.observe(state, epoch, epoch === 3 ? 0 : 1);
    expect(state).toEqual({ best: 0, bestEpoch: 3, waited: 997 });
    expect([watch.isExhausted(state), watch.restoreBest]).toEqual([false, false]);
  });

  it('of a run resumed with early stopping counts from there if no best was kept', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 4,
        layers: [dense(3)],
        batchSize: 32,
        seed: 1,
      });
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.05 });
      const store = memoryStore();
      const begun = await fit(model, train, { optimizer, epochs: 3, checkpoint: { store } });
      expect(begun.bestEpoch).toBe(3);
      const rest = {
        epochs: 5,
        checkpoint: { store },
        earlyStopping: { patience: 1, minDelta: 10 },
      };
      expect(await fit(model, train, { optimizer, ...rest })).toMatchObject({
        bestEpoch: 4,
        reason: 'early-stopping',
      });
    });
  });
});
