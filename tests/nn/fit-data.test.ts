/**
 * What fit takes: arrays, IDX, CSV and streams larger than memory; class weights; and time for
 * others in between.
 */
import { describe, expect, it } from 'vitest';
import { idxDataset, parseCsv, parseIdx, selectRows } from '../../src/data';
import { AdamW } from '../../src/index';
import {
  createModel,
  crossEntropy,
  dense,
  evaluate,
  type FitOptions,
  fit,
  type Loss,
  type Samples,
  type TrainingData,
} from '../../src/nn';
import { idxBytes } from '../data/idx-file';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const BATCH = 16;

/** Softmax regression on four features. */
async function trainOn(
  data: TrainingData,
  options: Partial<FitOptions> = {},
  loss: Loss = crossEntropy(),
) {
  return withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, {
      inputSize: 4,
      layers: [dense(3)],
      loss,
      batchSize: BATCH,
      seed: 1,
    });
    const result = await fit(model, data, {
      optimizer: new AdamW(runtime, model.parameters, { lr: 0.02 }),
      epochs: 4,
      ...options,
    });
    const judged = typeof data === 'function' ? null : evaluate(model, data, { confusion: true });
    return {
      result,
      judged,
      weights: Object.values(model.weights).map((tensor) => bitsOf(tensor.data)),
    };
  });
}

describe('files', () => {
  const pixels = Uint8Array.from({ length: 4 * 50 }, (_, i) => (i * 37) % 256);
  const classes = Uint8Array.from({ length: 50 }, (_, i) => i % 3);
  const samples = {
    features: Float32Array.from(pixels, (x) => x / 255),
    labels: Int32Array.from(classes),
  };

  it('of IDX and CSV train as arrays of the same numbers do', async () => {
    const reference = await trainOn(samples);
    const images = parseIdx(idxBytes([50, 2, 2], pixels), 'images');
    const labels = parseIdx(idxBytes([50], classes), 'labels');
    const idx = await trainOn(idxDataset(images, labels, { name: 'idx', classCount: 3 }));
    expect(idx.weights).toEqual(reference.weights);
    const lines = Array.from(classes, (label, i) =>
      [...samples.features.subarray(4 * i, 4 * i + 4), `kind ${label}`].join(),
    );
    const csv = await trainOn(parseCsv(lines.join('\n'), { target: -1 }));
    expect(csv.weights).toEqual(reference.weights);
    expect(csv.result.epochs).toEqual(reference.result.epochs);
  });
});

describe('a stream', () => {
  it('is opened once an epoch and never read ahead: one chunk at a time', async () => {
    const chunk = clouds(40, 3);
    let [opened, pulled, trained] = [0, 0, 0];
    async function* open() {
      opened++;
      for (let i = 0; i < 25; i++) {
        // All that came before has been trained on, but for less than a batch.
        expect(40 * pulled - trained).toBeLessThan(BATCH);
        pulled++;
        yield chunk;
      }
    }
    const { result } = await trainOn(open, {
      epochs: 2,
      budgetMs: 0,
      onProgress: ({ step }) => {
        trained = 16 * step - (step > 63 ? 8 : 0);
      },
    });
    expect([opened, pulled]).toEqual([2, 50]);
    expect(result.steps).toBe(2 * Math.ceil(1000 / BATCH));
  });

  it('that fails ends the run with its error', async () => {
    async function* open(): AsyncGenerator<Samples> {
      yield clouds(20, 1);
      throw new Error('connection lost');
    }
    await expect(trainOn(open)).rejects.toThrow('connection lost');
  });
});

describe('class weights', () => {
  it('make up for a class that is rare', async () => {
    const all = clouds(600, 5);
    const rows = Uint32Array.from(
      [...all.labels.keys()].filter((i) => all.labels[i] !== 2 || i % 20 === 0),
    );
    const data = selectRows({ ...all, name: '', count: 600, featureCount: 4, classCount: 3 }, rows);
    const recall = async (classWeights: number[]) => {
      const { judged } = await trainOn(data, { epochs: 20 }, crossEntropy({ classWeights }));
      const row = judged!.confusion![2]!;
      return row[2]! / row.reduce((sum, n) => sum + n, 0);
    };
    expect(await recall([1, 1, 20])).toBeGreaterThan(2 * (await recall([1, 1, 1])));
  });

  it('of 1 change nothing; over their sum, a common factor changes nothing', async () => {
    const data = clouds(101, 1);
    const reference = await trainOn(data);
    expect((await trainOn(data, {}, crossEntropy({ classWeights: [1, 1, 1] }))).weights).toEqual(
      reference.weights,
    );
    const [two, four] = [
      [2, 1, 1],
      [8, 4, 4],
    ].map((classWeights) =>
      trainOn(data, {}, crossEntropy({ classWeights, reduction: 'weighted-mean' })),
    );
    expect((await two!).weights).toEqual((await four!).weights);
  });
});

it('between two slices the event loop turns: timers, input and messages get through', async () => {
  let turns = 0;
  let ended = false;
  const count = () => {
    turns++;
    if (!ended) setImmediate(count);
  };
  count();
  const data = clouds(101, 1);
  const { result } = await trainOn(data, { budgetMs: 0, validation: data });
  ended = true;
  // After every batch, and between the batches of validation.
  expect(turns).toBeGreaterThanOrEqual(2 * result.steps - 4);
  let reports = 0;
  await trainOn(data, { budgetMs: Number.MAX_VALUE, onProgress: () => reports++ });
  expect(reports).toBe(4);
});
