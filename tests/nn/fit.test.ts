/** fit: the same run however it is cut up, resumed or watched; metrics; what does not fit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, memoryStore } from '../../src/checkpoint';
import { AdaL, AdamW, createRuntime, ScheduleFreeAdamW } from '../../src/index';
import {
  batchNorm,
  createModel,
  dense,
  dropout,
  evaluate,
  type FitOptions,
  type FitResult,
  fit,
  type Model,
  meanSquaredError,
  predict,
  relu,
  sequential,
  type TrainingData,
} from '../../src/nn';
import { reduceOnPlateau } from '../../src/schedules';
import { generator } from '../kernels/values';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const train = clouds(101, 1);
const validation = clouds(40, 2);
const layers = sequential([dense(12), batchNorm(), relu(), dropout(0.25), dense(3)]);

interface Outcome {
  result: FitResult;
  weights: Uint32Array[];
}

/** A model trained from the same start, on a backend. */
async function trainOn(
  data: TrainingData,
  options: Partial<FitOptions>,
  backend = simd,
): Promise<Outcome> {
  return withRuntime(backend, async (runtime) => {
    const model = await createModel(runtime, { inputSize: 4, layers, batchSize: 16, seed: 3 });
    const optimizer = new AdaL(runtime, model.parameters, { lr: 0.02, eps: 0, betas: [0.9, 0.95] });
    const result = await fit(model, data, { optimizer, epochs: 3, seed: 5, ...options });
    return { result, weights: Object.values(model.weights).map((tensor) => bitsOf(tensor.data)) };
  });
}

const figures = ({ epochs, steps, reason, bestEpoch }: FitResult) => ({
  epochs,
  steps,
  reason,
  bestEpoch,
});

describe('a run', () => {
  it('learns, and reports what it did', async () => {
    const seen: (readonly [number, number, boolean])[] = [];
    const { result } = await trainOn(train, {
      epochs: 30,
      validation,
      onProgress: ({ epoch, batch, result }) => seen.push([epoch, batch, result !== null]),
    });
    expect(result).toMatchObject({ steps: 30 * 7, reason: 'complete' });
    expect(result.epochs.map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    );
    expect(result.epochs.at(-1)!.loss).toBeLessThan(0.7 * result.epochs[0]!.loss);
    expect(result.epochs.at(-1)!.validation!.accuracy).toBeGreaterThan(0.6);
    expect(seen.filter(([, , complete]) => complete)).toEqual(
      Array.from({ length: 30 }, (_, i) => [i + 1, 7, true]),
    );
  });

  it('is the same on every backend, and in slices of any length', async () => {
    const reference = await trainOn(train, { validation });
    for (const backend of BACKENDS) {
      const other = await trainOn(train, { validation }, backend);
      expect(figures(other.result)).toEqual(figures(reference.result));
      expect(other.weights).toEqual(reference.weights);
    }
    for (const budgetMs of [0, 1, Number.MAX_VALUE]) {
      expect((await trainOn(train, { validation, budgetMs })).weights).toEqual(reference.weights);
    }
  });

  it('takes streams, however they are cut, and even if they reuse their arrays', async () => {
    const whole = await trainOn(() => [train], {});
    expect(whole.result.steps).toBe(21);
    const features = new Float32Array(train.features.length);
    const labels = new Int32Array(train.labels.length);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (sizes) => {
          async function* chunks() {
            for (let from = 0, i = 0; from < 101; from += sizes[i++ % sizes.length]!) {
              const to = Math.min(101, from + sizes[i % sizes.length]!);
              features.set(train.features.subarray(4 * from, 4 * to));
              labels.set(train.labels.subarray(from, to));
              await Promise.resolve();
              yield {
                features: features.subarray(0, 4 * (to - from)),
                labels: labels.subarray(0, to - from),
              };
            }
          }
          const cut = await trainOn(chunks, {});
          expect(cut.weights).toEqual(whole.weights);
          expect(figures(cut.result)).toEqual(figures(whole.result));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('takes tensors of features, as other libraries give them', async () => {
    const reference = await trainOn(train, { validation });
    const tensor = (samples: typeof train) => ({
      ...samples,
      features: { data: samples.features, dims: [samples.labels.length, 2, 2] },
    });
    const other = await trainOn(tensor(train), { validation: tensor(validation) });
    expect(other.weights).toEqual(reference.weights);
    const wrong = { ...train, features: { data: train.features, dims: [100, 4] } };
    await expect(trainOn(wrong, {})).rejects.toThrow(
      '"data.features.dims" expected sizes whose product is 404, got [100, 4]',
    );
  });

  it('learns values too, on several outputs', async () => {
    const next = generator(8);
    const features = Float32Array.from({ length: 300 }, () => next() - 0.5);
    const targets = Float32Array.from(
      { length: 200 },
      (_, i) => features[3 * (i >> 1)]! * (i % 2 ? 2 : -1) + features[3 * (i >> 1) + 2]!,
    );
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 3,
        layers: [dense(2)],
        loss: meanSquaredError(),
        batchSize: 30,
      });
      const optimizer = new AdamW(runtime, model.parameters, { lr: 0.05 });
      await fit(model, { features, targets }, { optimizer, epochs: 60 });
      expect(evaluate(model, { features, targets })).toMatchObject({
        accuracy: null,
        confusion: null,
      });
      expect(evaluate(model, { features, targets }).loss).toBeLessThan(1e-4);
      const outputs = predict(model, features);
      expect(outputs.length).toBe(200);
      outputs.forEach((value, i) => {
        expect(Math.abs(value - targets[i]!)).toBeLessThan(0.05);
      });
    });
  });
});

describe('interrupted and resumed', () => {
  const schedule = () => reduceOnPlateau({ lr: 0.02, patience: 0, factor: 0.5 });
  const options = () => ({
    epochs: 4,
    validation,
    schedule: schedule(),
    earlyStopping: { patience: 10 },
  });

  it('after any number of steps, a run has the bits of one that was not', async () => {
    const reference = await trainOn(train, options());
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 27 }),
        fc.integer({ min: 1, max: 27 }),
        async (first, second) => {
          const store = memoryStore();
          for (const stop of [first, second]) {
            const controller = new AbortController();
            const checkpoint = { store, every: 3 };
            await trainOn(train, {
              ...options(),
              checkpoint,
              budgetMs: 0,
              signal: controller.signal,
              onProgress: ({ step }) => step >= stop && controller.abort(),
            });
          }
          const { result, weights } = await trainOn(train, { ...options(), checkpoint: { store } });
          expect(weights).toEqual(reference.weights);
          expect(figures(result)).toEqual(figures(reference.result));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('from the last save after a crash, of a stream too', async () => {
    const open = () => [train];
    const reference = await trainOn(open, {});
    const store = memoryStore();
    const crash = trainOn(open, {
      checkpoint: { store, every: 5 },
      budgetMs: 0,
      onProgress: ({ step }) => {
        if (step === 12) throw new Error('power cut');
      },
    });
    await expect(crash).rejects.toThrow('power cut');
    const { result, weights } = await trainOn(open, { checkpoint: { store } });
    expect(weights).toEqual(reference.weights);
    expect(figures(result)).toEqual(figures(reference.result));
  });

  it('a finished run is not trained again; another run is refused', async () => {
    const store = memoryStore();
    const done = await trainOn(train, { checkpoint: { store } });
    const again = await trainOn(train, { checkpoint: { store } });
    expect(again).toMatchObject({ weights: done.weights, result: figures(done.result) });
    await expect(trainOn(train, { checkpoint: { store }, seed: 6 })).rejects.toThrow(
      'the checkpoint is of another run: seed expected 5, got 6',
    );
    await store.save(new Uint8Array(16));
    await expect(trainOn(train, { checkpoint: { store } })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
    });
  });

  it('an aborted run says so and keeps what it has learnt', async () => {
    const controller = new AbortController();
    const { result } = await trainOn(train, {
      signal: controller.signal,
      budgetMs: 0,
      onProgress: ({ step }) => step === 10 && controller.abort(),
    });
    expect(result).toMatchObject({ reason: 'aborted', steps: 10 });
    expect(result.epochs.length).toBe(1);
    const before = await trainOn(train, { signal: AbortSignal.abort() });
    expect(before.result).toMatchObject({ reason: 'aborted', steps: 0, bestEpoch: null });
  });
});

describe('early stopping', () => {
  it('ends when patience is spent, with the weights of the best epoch', async () => {
    const { result, weights } = await trainOn(train, {
      epochs: 200,
      validation,
      earlyStopping: { patience: 2, minDelta: 0.01 },
    });
    expect(result.reason).toBe('early-stopping');
    const losses = result.epochs.map(({ validation: v }) => v!.loss);
    let [best, bestEpoch] = [losses[0]!, 1];
    losses.forEach((loss, i) => {
      if (loss < best - 0.01) [best, bestEpoch] = [loss, i + 1];
    });
    expect(result.epochs.length).toBe(bestEpoch + 2);
    expect((await trainOn(train, { epochs: bestEpoch, validation })).weights).toEqual(weights);
  });

  it('keeps the last weights if asked to; a store may keep the best', async () => {
    const stopping = { patience: 2, minDelta: 0.01, restoreBest: false };
    const store = memoryStore();
    const { result, weights } = await trainOn(train, {
      epochs: 200,
      validation,
      earlyStopping: stopping,
      checkpoint: { store, keep: 'best' },
    });
    expect((await trainOn(train, { epochs: result.epochs.length, validation })).weights).toEqual(
      weights,
    );
    const saved = decodeCheckpoint((await store.load())!.bytes).extras.run as { epochs: unknown[] };
    expect(saved.epochs.length).toBe(result.bestEpoch);
  });
});

describe('with Schedule-Free AdamW, which evaluates at another point than it trains at', () => {
  async function judged(options: Partial<FitOptions>) {
    return withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 4,
        layers: sequential([dense(12), relu(), dense(3)]),
        batchSize: 16,
      });
      const optimizer = new ScheduleFreeAdamW(runtime, model.parameters, { lr: 0.05 });
      const result = await fit(model, train, { optimizer, epochs: 6, seed: 5, ...options });
      return {
        result,
        loss: evaluate(model, validation).loss,
        trained: bitsOf(model.weights['dense1.weight']!.data),
      };
    });
  }

  it('a resumed run ends with the same bits at both', async () => {
    const reference = await judged({});
    const store = memoryStore();
    await judged({ epochs: 3, checkpoint: { store } });
    expect(await judged({ checkpoint: { store } })).toMatchObject({
      loss: reference.loss,
      trained: reference.trained,
    });
  });

  it('early stopping gives back the point that was judged best', async () => {
    const { result, loss } = await judged({
      epochs: 300,
      validation,
      earlyStopping: { patience: 3 },
    });
    expect(result.reason).toBe('early-stopping');
    expect(loss).toBe(Math.min(...result.epochs.map((epoch) => epoch.validation!.loss)));
  });
});

describe('metrics', () => {
  async function fixed(body: (model: Model) => void) {
    const runtime = await createRuntime({ backend: 'simd' });
    const model = await createModel(runtime, { inputSize: 3, layers: [dense(3)], batchSize: 2 });
    model.weights['dense1.weight']!.data.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    body(model);
    runtime.dispose();
  }
  const samples = {
    features: Float32Array.of(3, 2, 1, 1, 2, 3, 2, 3, 1, 2, 2, 1, 5, 1, 4),
    labels: Int32Array.of(0, 0, 1, 1, 2),
  };

  it('count what is right, nearly right and taken for what', async () => {
    await fixed((model) => {
      const { accuracy, topKAccuracy, confusion } = evaluate(model, samples, {
        topK: 2,
        confusion: true,
      });
      expect(accuracy).toBe(2 / 5);
      expect(topKAccuracy).toBe(4 / 5);
      expect(confusion).toEqual([
        [1, 0, 1],
        [1, 1, 0],
        [1, 0, 0],
      ]);
      expect(evaluate(model, samples, { topK: 3 }).topKAccuracy).toBe(1);
      expect(evaluate(model, samples)).toMatchObject({ topKAccuracy: null, confusion: null });
      expect([...predict(model, samples.features)]).toEqual([...samples.features]);
    });
  });

  it('say what does not fit', async () => {
    await fixed((model) => {
      expect(() => evaluate(model, samples, { topK: 4 })).toThrow(
        '"topK" expected an integer in [1, 3], got 4',
      );
      expect(() => evaluate(model, { ...samples, labels: Int32Array.of(0) })).toThrow(
        '"samples.labels" expected an Int32Array of 5 elements',
      );
      expect(() => evaluate(model, { ...samples, labels: Int32Array.of(0, 1, 2, 3, 0) })).toThrow(
        '"samples.labels[3]" expected a class in [0, 2], got 3',
      );
      expect(() => evaluate(model, { features: new Float32Array(4) })).toThrow(
        '"samples" expected 3 values per sample, got Float32Array(4) in all',
      );
      expect(() => predict(model, new Float32Array(4))).toThrow(
        '"features" expected 3 values per sample, got Float32Array(4) in all',
      );
    });
  });
});

describe('options of fit', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ epochs: 0 }, '"epochs" expected an integer in [1, 2147483647], got 0'],
    [{ optimizer: {} }, '"optimizer" expected an optimizer'],
    [{ budgetMs: -1 }, '"budgetMs" expected a number in [0, ∞), got -1'],
    [{ earlyStopping: { patience: 0 } }, '"earlyStopping.patience" expected an integer'],
    [
      { earlyStopping: { wait: 3 } },
      '"earlyStopping.wait" expected one of patience, monitor, minDelta, restoreBest',
    ],
    [{ checkpoint: { store: {} } }, '"checkpoint.store" expected a checkpoint store'],
    [{ checkpoint: { store: memoryStore(), every: 0 } }, '"checkpoint.every" expected an integer'],
    [
      { checkpoint: { store: memoryStore(), keep: 'all' } },
      `"checkpoint.keep" expected 'last' or 'best', got "all"`,
    ],
    [
      { validation: { features: new Float32Array(3) } },
      '"validation" expected 4 values per sample',
    ],
    [{ epoch: 3 }, '"options.epoch" expected one of optimizer, epochs'],
  ])('%o', async (options, message) => {
    await expect(trainOn(train, options)).rejects.toThrow(message);
  });

  it('data that are none', async () => {
    await expect(trainOn(null as never, {})).rejects.toThrow('"data" expected samples');
    await expect(trainOn(() => 7 as never, {})).rejects.toThrow(
      '"data()" expected an iterable or async iterable of samples, or a ReadableStream, got 7',
    );
    await expect(trainOn(() => [{ features: new Float32Array(4) }], {})).rejects.toThrow(
      '"data().labels" expected an Int32Array of 1 elements',
    );
  });
});
