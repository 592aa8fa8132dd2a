/** What becomes of an epoch's last batch when it is shorter than the others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { ArgumentError, SGD } from '../../src/index';
import {
  batchNorm,
  createModel,
  dense,
  type FitOptions,
  fit,
  meanSquaredError,
  type TrainingData,
} from '../../src/nn';
import { bitsOf, oracle, simd, withRuntime } from '../support/backends';

type LastBatch = NonNullable<FitOptions['lastBatch']>;

/**
 * Sizes of an epoch's batches, for so many samples of the numbers 0, 1, 2, …; and the samples in
 * the order of training.
 */
async function batchesOf(
  count: number,
  batchSize: number,
  lastBatch: LastBatch | undefined,
  cut: number | null,
) {
  return withRuntime(oracle, async (runtime) => {
    const model = await createModel(runtime, {
      inputSize: 1,
      layers: [dense(1)],
      loss: meanSquaredError(),
      batchSize,
    });
    const features = Float32Array.from({ length: count }, (_, i) => i);
    const samples = (from: number, to: number) => ({
      features: features.slice(from, to),
      targets: features.slice(from, to),
    });
    const chunks =
      cut === null
        ? null
        : Array.from({ length: Math.ceil(count / cut) }, (_, k) => samples(k * cut, (k + 1) * cut));
    const data: TrainingData = chunks ? () => chunks : samples(0, count);
    const optimizer = new SGD(runtime, model.parameters, { lr: 0 });
    const sizes: number[] = [];
    const seen: number[] = [];
    const compute = model.computeGradients.bind(model);
    model.computeGradients = (size) => {
      sizes.push(size);
      seen.push(...model.input.subarray(0, size));
      return compute(size);
    };
    await fit(model, data, { optimizer, epochs: 1, lastBatch });
    return { sizes, seen };
  });
}

/** The sizes, as the documentation says. */
function expectedSizes(count: number, batchSize: number, lastBatch: LastBatch): number[] {
  const sizes: number[] = new Array(Math.floor(count / batchSize)).fill(batchSize);
  const rest = count % batchSize;
  if (rest === 0 || lastBatch === 'drop') return sizes;
  if (lastBatch === 'keep' || sizes.length === 0) return [...sizes, rest];
  sizes.pop();
  return [...sizes, Math.ceil((batchSize + rest) / 2), Math.floor((batchSize + rest) / 2)];
}

describe.each(['keep', 'drop', 'merge'] as const)("lastBatch: '%s'", (lastBatch) => {
  it('gives batches of the documented sizes, in memory and from any stream', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        async (count, batchSize, cut) => {
          fc.pre(lastBatch !== 'drop' || count >= batchSize);
          const sizes = expectedSizes(count, batchSize, lastBatch);
          const [memory, stream] = [
            await batchesOf(count, batchSize, lastBatch, null),
            await batchesOf(count, batchSize, lastBatch, cut),
          ];
          expect(memory.sizes).toEqual(sizes);
          expect(stream.sizes).toEqual(sizes);
          const total = sizes.reduce((sum, size) => sum + size, 0);
          expect(new Set(memory.seen).size).toBe(total);
          expect(stream.seen).toEqual(Array.from({ length: total }, (_, i) => i));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('resumes at any batch with the bits of a run that was not interrupted', async () => {
    const samples = {
      features: Float32Array.from({ length: 23 * 2 }, (_, i) => Math.sin(i)),
      labels: Int32Array.from({ length: 23 }, (_, i) => i % 2),
    };
    for (const data of [samples, () => [samples]] as TrainingData[]) {
      const run = async (abortAt: number | null) =>
        withRuntime(simd, async (runtime) => {
          const store = memoryStore();
          let bits: Uint32Array[] = [];
          for (const stop of abortAt === null ? [null] : [abortAt, null]) {
            const model = await createModel(runtime, {
              inputSize: 2,
              layers: [batchNorm(), dense(2)],
              batchSize: 5,
              seed: 1,
            });
            const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
            const controller = new AbortController();
            await fit(model, data, {
              ...{
                optimizer,
                epochs: 2,
                lastBatch,
                checkpoint: { store },
                budgetMs: 0,
                signal: controller.signal,
              },
              onProgress: ({ step }) => step === stop && controller.abort(),
            });
            bits = Object.values(model.weights).map((tensor) => bitsOf(tensor.data));
          }
          return bits;
        });
      const whole = await run(null);
      for (let step = 1; step <= 9; step++) expect(await run(step)).toEqual(whole);
    }
  });
});

describe('a last batch too small for batch norm', () => {
  const samples = {
    features: new Float32Array(9 * 2).map((_, i) => Math.sin(i)),
    labels: Int32Array.from({ length: 9 }, (_, i) => i % 2),
  };

  it('is refused before the first step, with advice; dropping or merging helps', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 2,
        layers: [batchNorm(), dense(2)],
        batchSize: 4,
        seed: 1,
      });
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
      const attempt = fit(model, samples, { optimizer, epochs: 1 });
      await expect(attempt).rejects.toThrow(
        /"data" expected batches of at least 2 samples.*lastBatch: 'drop' or 'merge'.*got one of 1/,
      );
      expect(optimizer.stepCount).toBe(0);
      for (const lastBatch of ['drop', 'merge'] as const)
        await fit(model, samples, { optimizer, epochs: 1, lastBatch });
      expect(optimizer.stepCount).toBe(5);
      const tiny = await createModel(runtime, {
        inputSize: 2,
        layers: [batchNorm(), dense(2)],
        batchSize: 1,
      });
      const other = new SGD(runtime, tiny.parameters, { lr: 0.1 });
      await expect(fit(tiny, samples, { optimizer: other, epochs: 1 })).rejects.toThrow(
        /create the model with a larger batchSize/,
      );
    });
  });

  it('is refused where nothing would be left, and for other words', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 2,
        layers: [dense(2)],
        batchSize: 16,
        seed: 1,
      });
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
      for (const data of [samples, () => [samples]] as TrainingData[]) {
        const attempt = fit(model, data, { optimizer, epochs: 1, lastBatch: 'drop' });
        await expect(attempt).rejects.toThrow(
          /at least one batch of 16 samples.*lastBatch: 'drop', got 9/,
        );
      }
      await expect(
        fit(model, samples, { optimizer, epochs: 1, lastBatch: 'pad' as never }),
      ).rejects.toThrow(ArgumentError);
    });
  });
});
