/** Weights of samples: a weight of 2 is a sample that comes twice, and one of 0 none. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { AdamW } from '../../src/index';
import {
  binaryCrossEntropy,
  createModel,
  crossEntropy,
  dense,
  embedding,
  evaluate,
  evaluateStream,
  type FitOptions,
  fit,
  type Loss,
  meanSquaredError,
  type Samples,
  sequential,
} from '../../src/nn';
import { generator } from '../kernels/values';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const LOSSES: Record<string, Loss> = {
  'cross-entropy': crossEntropy(),
  'class weights': crossEntropy({ classWeights: [2, 1, 0.5] }),
  'class weights over their sum': crossEntropy({
    classWeights: [2, 1, 0.5],
    reduction: 'weighted-mean',
  }),
  'classes at every step, some ignored': crossEntropy({ ignoreLabel: 2, labelSmoothing: 0.1 }),
  'binary cross-entropy': binaryCrossEntropy({ posWeight: [1, 2, 3] }),
  'mean squared error': meanSquaredError(),
};

describe.each(Object.entries(LOSSES))('%s', (name, loss) => {
  const steps = name.startsWith('classes at') ? 4 : 1;
  const next = generator(9);
  const features = Float32Array.from({ length: 16 }, () => Math.floor(5 * next()));
  const labels = Int32Array.from({ length: 4 * steps }, () => Math.floor(3 * next()));
  const targets = Float32Array.from({ length: 12 }, () => next());
  /** The rows of samples. */
  const rows = <T extends Float32Array | Int32Array>(array: T, size: number, which: number[]): T =>
    (array.constructor as unknown as { from(values: number[]): T }).from(
      which.flatMap((i) => [...array.subarray(i * size, (i + 1) * size)]),
    );

  /** Loss and gradients of samples, on every backend. */
  async function gradients(which: number[], sampleWeights?: Float32Array) {
    const results = [];
    for (const backend of BACKENDS) {
      results.push(
        await withRuntime(backend, async (runtime) => {
          const layers = sequential([
            ...(steps > 1 ? [embedding(5, 4)] : []),
            dense(3),
          ] as Parameters<typeof sequential>[0]);
          const definition = { inputSize: 4, layers, loss, batchSize: 5, seed: 2 };
          const model = await createModel(runtime, definition);
          model.input.set(rows(features, 4, which));
          if (loss.kind === 'crossEntropy') model.labels.set(rows(labels, steps, which));
          else model.targets.set(rows(targets, 3, which));
          const options = sampleWeights && { sampleWeights };
          const value = model.computeGradients(which.length, options);
          const judged = model.evaluateBatch(which.length, options);
          expect(judged.loss).toBe(value);
          return [value, ...Object.values(model.parameters).flatMap((p) => [...p.grad.data])];
        }),
      );
    }
    for (const result of results) expect(result).toEqual(results[0]);
    return results[0]!;
  }

  it('is that of samples that come as often', async () => {
    const weighted = await gradients([0, 1, 2, 3], Float32Array.of(2, 0, 1, 1));
    const repeated = await gradients([0, 0, 2, 3]);
    const n = (which: number[]) =>
      which.flatMap((i) => [...labels.subarray(i * steps, (i + 1) * steps)]).filter((l) => l !== 2);
    // Positions that are ignored leave the denominator, those of weight 0 stay in it.
    const factor = steps > 1 ? n([0, 0, 2, 3]).length / n([0, 1, 2, 3]).length : 1;
    for (const [i, value] of weighted.entries())
      expect(value).toBeCloseTo(repeated[i]! * factor, 5);
  });

  it('is that without weights if all are 1', async () => {
    const plain = await gradients([0, 1, 2, 3]);
    const ones = await gradients([0, 1, 2, 3], new Float32Array(4).fill(1));
    for (const [i, value] of ones.entries()) expect(value).toBeCloseTo(plain[i]!, 6);
  });
});

const sampleWeights = Float32Array.from({ length: 29 }, (_, i) => (i % 4) / 2);
const data = { ...clouds(29, 1), sampleWeights };

async function run(
  samples: Samples | (() => Iterable<Samples>),
  options: Partial<FitOptions> = {},
) {
  return withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, { inputSize: 4, layers: [dense(3)], batchSize: 8 });
    const optimizer = new AdamW(runtime, model.parameters, { lr: 0.05 });
    const { epochs } = await fit(model, samples, { optimizer, epochs: 2, ...options });
    return { epochs, weights: Object.values(model.weights).map((w) => bitsOf(w.data)) };
  });
}

const slice = ({ features, labels }: typeof data, from: number, to: number): Samples => ({
  features: features.subarray(4 * from, 4 * to),
  labels: labels.subarray(from, to),
  sampleWeights: sampleWeights.subarray(from, to),
});

describe('fit', () => {
  it('has the same bits from memory and from any stream, and resumes', async () => {
    const whole = await run(data, { shuffle: false });
    for (const size of [1, 5, 8, 29]) {
      const chunks = function* () {
        for (let from = 0; from < 29; from += size)
          yield slice(data, from, Math.min(29, from + size));
      };
      expect(await run(chunks)).toEqual(whole);
    }
    expect(
      (await run({ ...data, sampleWeights: undefined! }, { shuffle: false })).weights,
    ).not.toEqual(whole.weights);
    const store = memoryStore();
    const options = { shuffle: false, checkpoint: { store } };
    await run(data, { ...options, onBatch: ({ step }, stop) => step === 6 && stop() });
    const { sampleWeights: _, ...plain } = data;
    await expect(run(plain, options)).rejects.toThrow('sampleWeights true expected');
    expect(await run(data, options)).toEqual(whole);
  });

  it('splits them with their samples', async () => {
    const split = await run(data, { validationSplit: 0.25 });
    expect(split).toEqual(await run(slice(data, 0, 21), { validation: slice(data, 21, 29) }));
  });

  it('refuses those that are none', async () => {
    const wrong = (weights: unknown) => run({ ...data, sampleWeights: weights as never });
    await expect(wrong(new Float32Array(28))).rejects.toThrow(
      '"data.sampleWeights" expected a Float32Array of 29 elements',
    );
    await expect(wrong(sampleWeights.map((w) => w - 1))).rejects.toThrow(
      '"data.sampleWeights[0]" expected a weight in [0, ∞), got -1',
    );
    await expect(wrong({ other: sampleWeights })).rejects.toThrow('"data.sampleWeights.');
  });
});

describe('evaluate', () => {
  it('is Σ w·ℓ / n in any batch size, or over Σ w with weighted-mean', async () => {
    await withRuntime(simd, async (runtime) => {
      const losses: number[][] = [];
      for (const batchSize of [1, 8, 64]) {
        const own = [];
        for (const reduction of ['mean', 'weighted-mean'] as const) {
          const loss = crossEntropy({ reduction });
          const layers = [dense(3)];
          const model = await createModel(runtime, { inputSize: 4, layers, loss, batchSize });
          const result = evaluate(model, data);
          expect(await evaluateStream(model, () => [data])).toEqual(result);
          own.push(result.loss);
        }
        losses.push(own);
      }
      const sum = sampleWeights.reduce((total, weight) => total + weight, 0);
      for (const [mean, weighted] of losses) {
        expect(mean).toBeCloseTo(losses[0]![0]!, 6);
        expect(weighted).toBeCloseTo((mean! * 29) / sum, 6);
      }
    });
  });
});
