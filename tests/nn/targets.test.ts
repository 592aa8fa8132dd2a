/**
 * Labels and targets: what a loss is not defined for is refused wherever it comes in, and nothing
 * is learnt from it.
 */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { Adam, SGD } from '../../src/index';
import {
  batchNorm,
  binaryCrossEntropy,
  createModel,
  crossEntropy,
  dense,
  evaluate,
  fit,
  huber,
  type Loss,
  type Model,
  meanSquaredError,
  predict,
  type Samples,
  type TrainingData,
} from '../../src/nn';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';

const features = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));

/** Losses with targets that they refuse. */
const WRONG: readonly (readonly [Loss, readonly number[], string])[] = [
  [
    binaryCrossEntropy(),
    [-1, 2, 1.0000001, -1e-30, Number.NaN, Number.POSITIVE_INFINITY],
    'a probability in [0, 1]',
  ],
  [
    meanSquaredError(),
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    'a finite number',
  ],
  [huber(), [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 'a finite number'],
  [crossEntropy(), [-1, 2, 2 ** 31 - 1, -(2 ** 31)], 'a class in [0, 1]'],
  [
    crossEntropy({ classWeights: [1, 4], reduction: 'weighted-mean' }),
    [-1, 2],
    'a class in [0, 1]',
  ],
];

const CASES = WRONG.flatMap(([loss, targets, accepted]) =>
  targets.map((target) => ({ loss, target, accepted })),
);

/** Six samples, the fourth with the given label or target. */
function samplesWith(loss: Loss, target: number): Samples {
  if (loss.kind === 'crossEntropy')
    return { features, labels: Int32Array.of(0, 1, 0, target, 1, 0) };
  return { features, targets: Float32Array.of(0, 1, 0, 1, 0, 1, 0, target, 0, 1, 0, 1) };
}

async function withModel(loss: Loss, body: (model: Model) => Promise<void>, backend = simd) {
  await withRuntime(backend, async (runtime) => {
    const layers = [dense(3), batchNorm(), dense(2)];
    await body(await createModel(runtime, { inputSize: 2, layers, loss, batchSize: 4, seed: 1 }));
  });
}

const everything = (model: Model) => Object.values(model.weights).map(({ data }) => bitsOf(data));

describe.each(CASES)('$loss.kind, target $target', ({ loss, target, accepted }) => {
  const samples = samplesWith(loss, target);
  const [kind, index] = samples.labels ? (['labels', 3] as const) : (['targets', 7] as const);

  it('is refused in arrays, before anything is trained', async () => {
    await withModel(loss, async (model) => {
      const before = everything(model);
      const optimizer = new SGD(model.runtime, model.parameters, { lr: 0.1 });
      const good = samplesWith(loss, 1);
      await expect(fit(model, samples, { optimizer, epochs: 1 })).rejects.toThrow(
        `"data.${kind}[${index}]" expected ${accepted}`,
      );
      const judged = fit(model, good, { optimizer, epochs: 1, validation: samples });
      await expect(judged).rejects.toThrow(`"validation.${kind}[${index}]" expected ${accepted}`);
      await expect(fit(model, () => [samples], { optimizer, epochs: 1 })).rejects.toThrow(
        `"data().${kind}[${index}]" expected ${accepted}`,
      );
      expect(() => evaluate(model, samples)).toThrow(
        `"samples.${kind}[${index}]" expected ${accepted}`,
      );
      expect(everything(model)).toEqual(before);
    });
  });

  it('is refused in the live views on every backend, and leaves no gradient', async () => {
    for (const backend of BACKENDS) {
      await withModel(
        loss,
        async (model) => {
          const optimizer = new SGD(model.runtime, model.parameters, { lr: 0.1 });
          const before = everything(model);
          model.input.set(features.subarray(0, 8));
          if (kind === 'labels') model.labels.set([0, 1, 0, target]);
          else model.targets.set([0, 1, 0, 1, 0, 1, 0, target]);
          const message = `"${kind}[${index}]" expected ${accepted}, got `;
          expect(() => model.computeGradients(4)).toThrow(ArgumentError);
          expect(() => model.computeGradients(4)).toThrow(message);
          expect(() => model.evaluateBatch(4)).toThrow(message);
          expect(everything(model)).toEqual(before);
          // Beyond the batch nothing is looked at.
          expect(Number.isFinite(model.computeGradients(3))).toBe(true);
          optimizer.step();
          expect(Number.isFinite(model.evaluateBatch(3).loss)).toBe(true);
        },
        backend,
      );
    }
  });
});

describe('targets that are allowed', () => {
  it('include both ends of [0, 1], which learn', async () => {
    await withRuntime(simd, async (runtime) => {
      const x = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
      const targets = x.map((value) => (value > 0 ? 1 : 0));
      const model = await createModel(runtime, {
        inputSize: 1,
        layers: [dense(1)],
        loss: binaryCrossEntropy(),
        seed: 1,
      });
      const optimizer = new Adam(runtime, model.parameters, { lr: 0.1 });
      const { epochs } = await fit(model, { features: x, targets }, { optimizer, epochs: 30 });
      expect(epochs.at(-1)!.loss).toBeGreaterThan(0);
      expect(epochs.at(-1)!.loss).toBeLessThan(0.5 * epochs[0]!.loss);
    });
  });

  it('a loss that is not finite for another reason is passed on as it is', async () => {
    await withModel(crossEntropy(), async (model) => {
      model.input.fill(Number.NaN);
      model.labels.fill(1);
      expect(model.computeGradients(4)).toBeNaN();
      expect(model.evaluateBatch(4)).toMatchObject({ correct: 0, loss: Number.NaN });
    });
  });
});

describe('arrays that change', () => {
  it('after they were checked: what is copied into the model is checked again', async () => {
    await withModel(crossEntropy(), async (model) => {
      const labels = new Int32Array(new SharedArrayBuffer(24));
      const optimizer = new SGD(model.runtime, model.parameters, { lr: 0.1 });
      const spoil = () => void labels.fill(7);
      const run = fit(
        model,
        { features, labels },
        { optimizer, epochs: 3, budgetMs: 0, onProgress: spoil },
      );
      await expect(run).rejects.toThrow('"labels[0]" expected a class in [0, 1], got 7');
    });
  });

  it('their length: a transferred buffer ends the run; no batch trains twice', async () => {
    await withModel(crossEntropy(), async (model) => {
      const optimizer = new SGD(model.runtime, model.parameters, { lr: 0.1 });
      const own = features.slice();
      const labels = new Int32Array(6);
      const transfer = () => void structuredClone(own.buffer, { transfer: [own.buffer] });
      const run = fit(
        model,
        { features: own, labels },
        { optimizer, epochs: 3, budgetMs: 0, onProgress: transfer },
      );
      await expect(run).rejects.toThrow('"data.features" expected an array that keeps its length');
      const judged = { features: features.slice(), labels };
      const lose = () =>
        void structuredClone(judged.features.buffer, { transfer: [judged.features.buffer] });
      const second = fit(
        model,
        { features, labels },
        {
          optimizer,
          epochs: 2,
          validation: judged,
          budgetMs: 0,
          onProgress: ({ result }) => result && lose(),
        },
      );
      await expect(second).rejects.toThrow(ArgumentError);
    });
  });

  it('the loss they gave a model: its own is a frozen copy', async () => {
    const classWeights = [1, 4];
    const loss = { kind: 'crossEntropy' as const, classWeights };
    await withModel(loss, async (model) => {
      const samples = samplesWith(loss, 1);
      const before = evaluate(model, samples).loss;
      classWeights[0] = -3;
      expect(evaluate(model, samples).loss).toBe(before);
      expect(model.loss).toEqual({ kind: 'crossEntropy', classWeights: [1, 4] });
      expect(Object.isFrozen(model.loss)).toBe(true);
    });
  });

  it('options of fit: they are read once', async () => {
    await withModel(crossEntropy(), async (model) => {
      const optimizer = new SGD(model.runtime, model.parameters, { lr: 0.1 });
      let reads = 0;
      const options = {
        optimizer,
        get epochs() {
          return ++reads;
        },
      };
      const { epochs } = await fit(model, samplesWith(crossEntropy(), 1), options);
      expect([epochs.length, reads]).toEqual([1, 1]);
    });
  });
});

describe('arrays of another realm', () => {
  it('are arrays', async () => {
    const foreign = <T>(code: string) => runInNewContext(code) as T;
    const samples: Samples = {
      features: foreign('Float32Array.from({ length: 12 }, (_, i) => Math.sin(i))'),
      labels: foreign('Int32Array.of(0, 1, 0, 1, 1, 0)'),
      classNames: foreign(`['no', 'yes']`),
    };
    const own = { features, labels: Int32Array.of(0, 1, 0, 1, 1, 0) };
    const train = async (data: TrainingData) => {
      let learnt: Uint32Array[] = [];
      await withModel(crossEntropy(), async (model) => {
        const optimizer = new SGD(model.runtime, model.parameters, { lr: 0.1 });
        await fit(model, data, { optimizer, epochs: 2 });
        evaluate(model, samples);
        predict(model, samples.features as Float32Array);
        learnt = everything(model);
      });
      return learnt;
    };
    const reference = await train(own);
    expect(await train(samples)).toEqual(reference);
    const tensor = { data: samples.features as Float32Array, dims: foreign<number[]>('[6, 2]') };
    expect(await train({ ...samples, features: tensor })).toEqual(reference);
  });
});
