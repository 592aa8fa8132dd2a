/** NaN and infinity among the features: outputs show a NaN, and errors say where it is. */
import { describe, expect, it } from 'vitest';
import { GradientAccumulator } from '../../src/accumulation';
import { NonFiniteGradientError } from '../../src/errors';
import { AdamW } from '../../src/index';
import {
  add,
  apply,
  createModel,
  dense,
  evaluate,
  type FitOptions,
  fit,
  graph,
  input,
  type ModelOptions,
  predict,
  type TrainingData,
} from '../../src/nn';
import { generator } from '../kernels/values';
import { oracle, simd, withRuntime } from '../support/backends';
import { CASES, dataFor } from './cases';
import { clouds } from './clouds';

describe.each([oracle, simd])('$name', (backend) => {
  it.each(Object.entries(CASES))('a sample of NaN has outputs of NaN: %s', async (_, network) => {
    await withRuntime(backend, async (runtime) => {
      const model = await createModel(runtime, { ...network, training: false } as ModelOptions);
      const { batchSize, inputSize, outputSize } = model;
      const features = dataFor(network, outputSize, generator(3)).input;
      const others = predict(model, features);
      features.fill(Number.NaN, inputSize, 2 * inputSize);
      const outputs = predict(model, features);
      expect(outputs.subarray(outputSize, 2 * outputSize).some(Number.isNaN)).toBe(true);
      for (let i = 0; i < batchSize; i++) {
        if (i === 1) continue;
        const own = [i * outputSize, (i + 1) * outputSize] as const;
        expect(outputs.subarray(...own)).toEqual(others.subarray(...own));
      }
    });
  });
});

const data = clouds(29, 1);
const options: ModelOptions = { inputSize: 4, layers: [dense(3)], batchSize: 8, seed: 3 };

/** Trains with a value of sample 17 replaced; returns the error, and whether weights changed. */
async function train(
  value: number,
  open: (samples: typeof data) => TrainingData,
  definition: ModelOptions = options,
  extra: Partial<FitOptions> & { accumulate?: number } = {},
) {
  return withRuntime(simd, async (runtime) => {
    const { accumulate, ...rest } = extra;
    const model = await createModel(runtime, definition);
    const optimizer = new AdamW(runtime, model.parameters, { lr: 0.05 });
    const accumulator =
      accumulate === undefined
        ? undefined
        : new GradientAccumulator(optimizer, { steps: accumulate });
    const features = data.features.slice();
    features[17 * 4 + 2] = value;
    const all = { optimizer, accumulator, epochs: 1, ...rest };
    const error = await fit(model, open({ ...data, features }), all).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteGradientError);
    expect(error).toMatchObject({ reason: 'non-finite', group: 0 });
    const { message } = error as NonFiniteGradientError;
    for (const { data: weights } of Object.values(model.weights))
      expect(weights.every(Number.isFinite)).toBe(true);
    return message;
  });
}

describe('fit names the value that a step was refused for', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('of samples in memory: %d', async (value) => {
    const message = await train(value, (samples) => samples);
    expect(message).toBe(
      '15 non-finite gradient elements, the first in parameter "dense1.weight" (group 0): the ' +
        `step was refused and nothing has changed: value 2 of sample 17 of the data is ${value}`,
    );
  });

  it('of a split, of an accumulated window and of a stream', async () => {
    const { NaN: nan } = Number;
    const split = await train(nan, (samples) => samples, options, { validationSplit: 0.2 });
    expect(split).toMatch(/: value 2 of sample 17 of the data is NaN$/);
    const window = await train(nan, (samples) => samples, options, { accumulate: 1 });
    expect(window).toMatch(/: value 2 of sample 17 of the data is NaN$/);
    const stream = await train(nan, (samples) => () => [samples]);
    expect(stream).toMatch(/: value 2 of sample 1 of a batch in epoch 1 is NaN$/);
  });

  it('of one of several inputs', async () => {
    const [a, b] = [input('a', 4), input('b', 1)];
    const sum = apply(add(), [a.apply(dense(3)), b.apply(dense(3))]);
    const definition: ModelOptions = { ...graph([sum]), batchSize: 8 };
    const message = await train(
      Number.NEGATIVE_INFINITY,
      ({ features, labels }) => ({ features: { a: features, b: new Float32Array(29) }, labels }),
      definition,
    );
    expect(message).toMatch(/: value 2 of input "a" of sample 17 of the data is -Infinity$/);
  });
});

it('a NaN in one sample counts as wrong in evaluate, and as NaN in the loss', async () => {
  await withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, options);
    const { accuracy } = evaluate(model, data);
    const right = 29 * accuracy!;
    const features = data.features.slice();
    const row = predict(model, features).subarray(17 * 3, 18 * 3);
    const was = row.indexOf(Math.max(...row)) === data.labels[17] ? 1 : 0;
    features[17 * 4] = Number.NaN;
    const spoilt = evaluate(model, { ...data, features }, { metrics: ['accuracy'] });
    expect(spoilt.loss).toBeNaN();
    expect(spoilt.accuracy).toBeCloseTo((right - was) / 29, 12);
    expect(spoilt.metrics!.accuracy).toBe(spoilt.accuracy);
  });
});
