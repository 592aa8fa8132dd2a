/** Options of `fit` that choose samples and end training; each resumes with the same bits. */
import { describe, expect, it } from 'vitest';
import { type CheckpointStore, memoryStore } from '../../src/checkpoint';
import { AdamW } from '../../src/index';
import {
  createModel,
  crossEntropy,
  dense,
  embedding,
  evaluate,
  type FitOptions,
  type FitResult,
  fit,
  type Model,
  type ModelOptions,
  relu,
  type Samples,
  sequential,
  type TrainingData,
} from '../../src/nn';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const data = clouds(29, 1);
const validation = clouds(20, 2);
const part = ({ features, labels }: typeof data, from: number, to: number): Samples => ({
  features: features.slice(4 * from, 4 * to),
  labels: labels.slice(from, to),
});

type Outcome = Omit<FitResult, 'samplesPerSecond'> & { weights: Uint32Array[] };

async function run(
  samples: TrainingData,
  options: Partial<FitOptions>,
  definition: Partial<ModelOptions> = {},
): Promise<Outcome> {
  return withRuntime(simd, async (runtime) => {
    const model: Model = await createModel(runtime, {
      inputSize: 4,
      layers: sequential([dense(6), relu(), dense(3)]),
      batchSize: 8,
      seed: 3,
      ...definition,
    });
    const optimizer = new AdamW(runtime, model.parameters, { lr: 0.05 });
    const { samplesPerSecond: _, ...result } = await fit(model, samples, {
      optimizer,
      epochs: 3,
      ...options,
    });
    return { ...result, weights: Object.values(model.weights).map((w) => bitsOf(w.data)) };
  });
}

/** A stream of chunks of three samples; endless if `endless`. */
const stream = (endless = false, opened = () => {}) =>
  function* () {
    opened();
    do for (let from = 0; from < 29; from += 3) yield part(data, from, Math.min(29, from + 3));
    while (endless);
  };

const reversed = Uint32Array.from({ length: 29 }, (_, i) => 28 - i);

const CASES: Record<string, [TrainingData, Partial<FitOptions>]> = {
  'shuffle: false': [data, { shuffle: false }],
  'an order of its own': [data, { order: (epoch) => reversed.map((i) => (i + epoch) % 29) }],
  'a validation split': [data, { validationSplit: 0.25 }],
  'steps of an endless stream': [stream(true), { stepsPerEpoch: 5 }],
  'steps of a stream that ends': [stream(), { stepsPerEpoch: 5 }],
  'steps of a merged stream': [stream(), { stepsPerEpoch: 3, lastBatch: 'merge' }],
  'a stream for validation': [data, { validation: () => [part(validation, 0, 7), validation] }],
  metrics: [data, { metrics: ['accuracy', 'f1', 'auc'], validation }],
};

describe.each(Object.entries(CASES))('%s', (_, [samples, options]) => {
  it('resumes with the same bits wherever it is stopped', async () => {
    const whole = await run(samples, options);
    expect(whole.reason).toBe('complete');
    for (const stopAt of [2, 4, 5, 8]) {
      const store: CheckpointStore = memoryStore();
      const first = await run(samples, {
        ...options,
        checkpoint: { store },
        onBatch: ({ step }, stop) => step === stopAt && stop(),
      });
      expect([first.reason, first.steps]).toEqual(['stopped', stopAt]);
      expect(await run(samples, { ...options, checkpoint: { store } })).toEqual(whole);
    }
  });

  it('is not resumed without it', async () => {
    const store = memoryStore();
    await run(samples, { ...options, checkpoint: { store }, epochs: 1 });
    if ('validation' in options && !('metrics' in options)) return;
    const other = run(typeof samples === 'function' ? stream() : data, { checkpoint: { store } });
    await expect(other).rejects.toThrow('the checkpoint is of another run');
  });
});

describe('the samples of an epoch', () => {
  it('keep their order with shuffle: false, as a stream of them', async () => {
    const { weights, epochs } = await run(data, { shuffle: false });
    expect(await run(stream(), {})).toMatchObject({ weights, epochs });
    const own = await run(data, { order: () => Uint32Array.from(data.labels.keys()) });
    expect(own).toMatchObject({ weights, epochs });
    expect((await run(data, {})).weights).not.toEqual(weights);
  });

  it('come in the order that is given for the epoch', async () => {
    const asked: number[] = [];
    const order = (epoch: number) => {
      asked.push(epoch);
      return reversed;
    };
    await run(data, { initialEpoch: 4, order });
    expect(asked).toEqual([4, 5, 6]);
    const wrong = (order: unknown) => run(data, { order } as never);
    await expect(wrong(() => new Uint32Array(28))).rejects.toThrow(
      '"order(0)" expected a Uint32Array of 29 indices',
    );
    await expect(wrong(() => reversed.map((i) => i + 1))).rejects.toThrow(
      '"order(0)[0]" expected an index in [0, 28], got 29',
    );
    await expect(run(stream(), { order: () => reversed })).rejects.toThrow('"order" expected');
    await expect(run(data, { order: () => reversed, shuffle: true })).rejects.toThrow('"shuffle"');
  });

  it('are all but the last for validation, as in Keras', async () => {
    // ⌊29·0.75⌋ = 21.
    const split = await run(data, { validationSplit: 0.25 });
    expect(split).toEqual(await run(part(data, 0, 21), { validation: part(data, 21, 29) }));
    for (const share of [0, 1, 0.999, 1e-17, Number.NaN])
      await expect(run(data, { validationSplit: share })).rejects.toThrow('"validationSplit"');
    await expect(run(stream(), { validationSplit: 0.5 })).rejects.toThrow('"validationSplit"');
    await expect(run(data, { validationSplit: 0.5, validation })).rejects.toThrow('"validation"');
  });

  it('go on over epochs in a stream with stepsPerEpoch', async () => {
    let opened = 0;
    const { weights, steps } = await run(
      stream(true, () => opened++),
      { stepsPerEpoch: 5 },
    );
    expect([opened, steps]).toEqual([1, 15]);
    const once = await run(stream(true), { stepsPerEpoch: 15, epochs: 1 });
    expect(once.weights).toEqual(weights);
    // A stream of 4 batches that ends begins again.
    let again = 0;
    const ended = await run(
      stream(false, () => again++),
      { stepsPerEpoch: 6, epochs: 2 },
    );
    expect([again, ended.weights]).toEqual([3, (await run(stream(), { epochs: 3 })).weights]);
    await expect(run(data, { stepsPerEpoch: 2 })).rejects.toThrow('"stepsPerEpoch" expected');
    await expect(run(() => [], { stepsPerEpoch: 2 })).rejects.toThrow('"data()" expected samples');
  });
});

describe('callbacks', () => {
  it('see every batch, and end training after it', async () => {
    const seen: unknown[] = [];
    const result = await run(data, {
      epochs: 2,
      onBatch: ({ loss, ...report }) => seen.push([report, Number.isFinite(loss)]),
    });
    expect(seen.length).toBe(8);
    expect(seen[3]).toEqual([
      { epoch: 1, batch: 4, batchCount: 4, step: 4, samples: 5, stepped: true },
      true,
    ]);
    expect(result.reason).toBe('complete');
    const atEnd = await run(data, { onBatch: ({ step }, stop) => step === 4 && stop() });
    expect([atEnd.reason, atEnd.epochs.length]).toEqual(['stopped', 1]);
    const byProgress = await run(data, { onProgress: ({ result: r }, stop) => r && stop() });
    expect([byProgress.reason, byProgress.epochs.length]).toEqual(['stopped', 1]);
    const last = await run(data, { onBatch: ({ step }, stop) => step === 12 && stop() });
    expect(last.reason).toBe('complete');
  });
});

describe('metrics', () => {
  it('are running means over the training batches, and those of the validation', async () => {
    const all: number[] = [];
    const { epochs } = await run(data, {
      metrics: ['accuracy', 'auc'],
      validation,
      epochs: 2,
      budgetMs: 0,
      onProgress: ({ metrics }) => all.push(metrics!.accuracy!),
    });
    for (const { metrics, validation: judged } of epochs) {
      expect(Object.keys(metrics!)).toEqual(['accuracy']);
      expect(metrics!.accuracy! * 29).toBeCloseTo(Math.round(metrics!.accuracy! * 29), 9);
      expect(judged!.metrics!.accuracy).toBe(judged!.accuracy);
      expect(judged!.metrics!.auc).toBeGreaterThan(0.4);
    }
    expect(all.length).toBeGreaterThan(4);
    // Without learning, the training accuracy is that of the model.
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputSize: 4, layers: [dense(3)], batchSize: 8 });
      const optimizer = new AdamW(runtime, model.parameters, { lr: 0, weightDecay: 0 });
      const still = await fit(model, data, { optimizer, epochs: 1, metrics: ['accuracy', 'f1'] });
      const { metrics } = evaluate(model, data, { metrics: ['accuracy', 'f1'] });
      expect(still.epochs[0]!.metrics).toEqual(metrics);
    });
  });
});

describe('classes at every step', () => {
  const steps = {
    features: Float32Array.from({ length: 40 }, (_, i) => (i * 7) % 5),
    labels: Int32Array.from({ length: 40 }, (_, i) => (i % 4 === 3 ? -1 : ((i * 7) % 5) % 3)),
  };
  const definition = {
    inputSize: 4,
    layers: sequential([embedding(5, 6), dense(3)]),
    loss: crossEntropy({ ignoreLabel: -1 }),
    batchSize: 3,
  };

  it('are learnt, in any order, without those that are ignored', async () => {
    const options = { epochs: 60, metrics: ['accuracy'] as const, validation: steps };
    const { epochs } = await run(steps, options, definition);
    expect(epochs.at(-1)!.metrics).toEqual({ accuracy: 1 });
    expect(epochs.at(-1)!.validation).toMatchObject({ accuracy: 1 });
    await expect(
      run({ ...steps, labels: steps.labels.slice(0, 10) }, {}, definition),
    ).rejects.toThrow('"data.labels" expected an Int32Array of 40 elements (4 a sample');
    await expect(
      run({ ...steps, labels: steps.labels.map((l) => l - 1) }, {}, definition),
    ).rejects.toThrow('expected a class in [0, 2] or -1, got -2');
  });

  it('have loss 0 if all are ignored', async () => {
    const none = { ...steps, labels: new Int32Array(40).fill(-1) };
    const { epochs } = await run(none, { epochs: 1, validation: none }, definition);
    expect(epochs[0]).toMatchObject({ loss: 0, validation: { loss: 0, accuracy: null } });
  });
});
