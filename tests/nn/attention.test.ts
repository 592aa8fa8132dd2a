/**
 * Multi-head attention against PyTorch (scripts/make-attention-golden.py), its limits, and
 * positions and padding of sequences. Finite differences and equal bits: gradients.test.ts and
 * graphs.test.ts.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  apply,
  createModel,
  dense,
  embedding,
  fit,
  flatten,
  graph,
  input,
  type ModelOptions,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
  positionEmbedding,
  predict,
  relu,
  sequential,
} from '../../src/nn';
import { AdamW } from '../../src/optimizers/adamw';
import { generator } from '../kernels/values';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';

interface Golden {
  readonly name: string;
  readonly options: MultiHeadAttentionOptions;
  /** Shapes of the inputs, in order, the mask's included. */
  readonly shapes: number[][];
  readonly batchSize: number;
  readonly inputs: number[][];
  readonly parameters: Record<string, number[]>;
  readonly output: number[];
  readonly outputGradient: number[];
  readonly gradients: Record<string, number[]>;
  /** Gradients by the inputs but the mask. */
  readonly inputGradients: number[][];
}

const GOLDEN: Golden[] = JSON.parse(
  readFileSync(new URL('../data/golden-nn-attention.json', import.meta.url), 'utf8'),
);

/** Attention alone over inputs of these shapes: a, b, c, … */
function attention(options: MultiHeadAttentionOptions, shapes: number[][]): ModelOptions {
  const inputs = shapes.map((shape, index) => input('abcd'[index]!, shape));
  return {
    ...graph([apply(multiHeadAttention(options), inputs, 'attention')]),
    loss: null,
    inputGradients: true,
    seed: 1,
  };
}

function expectNear(
  actual: ArrayLike<number>,
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, what).toBe(expected.length);
  for (const [i, value] of expected.entries())
    expect(Math.abs(actual[i]! - value), `${what}[${i}]`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(value)),
    );
}

describe.each(GOLDEN.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  const { batchSize, parameters, output, outputGradient, gradients, inputGradients } = golden;
  const options = { ...attention(golden.options, golden.shapes), batchSize };
  type Arrays = Readonly<Record<string, Float32Array | Float64Array>>;

  /** Runs forward and backward, and compares what they leave. */
  function compare(
    network: { inputs: Arrays; outputs: Arrays; outputGradients: Arrays; inputGradients: Arrays },
    [weights, learnt]: readonly [Arrays, Arrays],
    forward: () => void,
    backward: () => void,
    tolerance: number,
  ): void {
    for (const [index, values] of golden.inputs.entries())
      network.inputs['abcd'[index]!]!.set(values);
    for (const [name, values] of Object.entries(parameters))
      weights[`attention.${name}`]!.set(values);
    expect(Object.keys(weights)).toEqual(
      Object.keys(parameters).map((each) => `attention.${each}`),
    );
    forward();
    network.outputGradients.attention!.set(outputGradient);
    backward();
    expectNear(network.outputs.attention!, output, tolerance, 'output');
    for (const [name, values] of Object.entries(gradients))
      expectNear(learnt[`attention.${name}`]!, values, tolerance, name);
    for (const [index, values] of inputGradients.entries())
      expectNear(network.inputGradients['abcd'[index]!]!, values, tolerance, `input ${index}`);
    const mask = golden.shapes.length > inputGradients.length ? golden.inputs.at(-1)! : null;
    if (mask)
      expectNear(
        network.inputGradients['abcd'[inputGradients.length]!]!,
        mask.map(() => 0),
        0,
        'mask',
      );
  }

  it('float64: what PyTorch computes, to 1e-9', () => {
    const network = new Network64(options);
    const arrays = [network.weights, network.gradients] as const;
    compare(
      network,
      arrays,
      () => network.forward(true),
      () => network.backward(),
      1e-9,
    );
  });

  it('float32, shipped: the same to 2e-5', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, options);
      const entries = Object.entries(model.parameters);
      const values = Object.fromEntries(entries.map(([name, { value }]) => [name, value.data]));
      const learnt = Object.fromEntries(entries.map(([name, { grad }]) => [name, grad.data]));
      compare(
        model,
        [values, learnt],
        () => model.forward({ training: true }),
        () => model.backward(),
        2e-5,
      );
    });
  });
});

describe('attention', () => {
  const random = (length: number, seed: number) => {
    const next = generator(seed);
    return Float32Array.from({ length }, () => Math.fround(next()));
  };

  it('causal: a later step changes no earlier one, not by a bit', async () => {
    // More steps than the kernel computes at once.
    const [steps, features] = [71, 6];
    await withRuntime(simd, async (runtime) => {
      const layers = [multiHeadAttention({ heads: 2, causal: true })];
      const options = { inputShape: [steps, features], layers, loss: null, batchSize: 1, seed: 2 };
      const model = await createModel(runtime, { ...options, training: false });
      const x = random(steps * features, 1);
      const before = predict(model, x).slice();
      x.fill(3, 40 * features);
      const after = predict(model, x);
      expect(after.slice(0, 40 * features)).toEqual(before.slice(0, 40 * features));
      expect(after[40 * features]).not.toBe(before[40 * features]);
    });
  });

  it('a model that only predicts, and any batch, have the bits of training', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = [multiHeadAttention({ heads: 3, dropout: 0.5 }), relu(), dense(2)];
      const options = { inputShape: [5, 9], layers, loss: null, seed: 2 };
      const trains = await createModel(runtime, { ...options, batchSize: 4 });
      const predicts = await createModel(runtime, { ...options, batchSize: 3, training: false });
      const x = random(4 * 45, 1);
      expect(bitsOf(predict(predicts, x))).toEqual(bitsOf(predict(trains, x)));
    });
  });

  it('keeps probabilities of every sample, head, query and key for training', async () => {
    await withRuntime(simd, async (runtime) => {
      const bytesOf = async (batchSize: number, options: object, training = true) => {
        const layers = [multiHeadAttention({ heads: 8, keyDim: 2, ...options })];
        const shape = { inputShape: [64, 4], layers, loss: null, batchSize, training };
        const model = await createModel(runtime, shape);
        const { workspace } = model.memory();
        model.dispose();
        return workspace;
      };
      const perSample = 4 * 8 * 64 * 64;
      const trains = (await bytesOf(9, {})) - (await bytesOf(8, {}));
      const predicts = (await bytesOf(9, {}, false)) - (await bytesOf(8, {}, false));
      expect(trains - predicts).toBeGreaterThanOrEqual(perSample);
      expect(trains - predicts).toBeLessThan(1.1 * perSample);
      const drops = (await bytesOf(9, { dropout: 0.1 })) - (await bytesOf(8, { dropout: 0.1 }));
      expect(drops - trains).toBe(perSample);
    });
  });

  it('a length leaves out what a mask does; without a key the output is its bias', async () => {
    const options = { heads: 2, paddingMask: true };
    await withRuntime(simd, async (runtime) => {
      const masked = await createModel(runtime, { ...attention(options, [[4, 4], [4]]), seed: 3 });
      const short = await createModel(runtime, { ...attention(options, [[4, 4], [1]]), seed: 3 });
      const bias = [0.5, -1, 2, 0.25];
      for (const model of [masked, short]) {
        model.weights['attention.outputBias']!.data.set(bias);
        model.inputs.a!.set(random(5 * 16, 4));
      }
      masked.inputs.b!.set([1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0]);
      short.inputs.b!.set([2, 4, 0, 1, 3]);
      for (const model of [masked, short]) {
        model.forward({ count: 5, training: true });
        model.outputGradients.attention!.set(random(5 * 16, 5));
        model.backward();
      }
      const rows = masked.outputs.attention!.slice(0, 5 * 16);
      expect(bitsOf(short.outputs.attention!.slice(0, 5 * 16))).toEqual(bitsOf(rows));
      expect([...rows.slice(32, 48)]).toEqual([...bias, ...bias, ...bias, ...bias]);
      for (const [name, { grad }] of Object.entries(masked.parameters))
        expect(bitsOf(short.parameters[name]!.grad.data), name).toEqual(bitsOf(grad.data));
    });
  });

  it.each<[string, MultiHeadAttentionOptions, number[][], string]>([
    ['features', { heads: 3 }, [[5, 4]], 'expected features that 3 heads divide, or keyDim, got 4'],
    ['a row', { heads: 1 }, [[4]], 'expected sequences [steps, features], got [4]'],
    [
      'a key of other steps',
      { heads: 1 },
      [
        [5, 4],
        [6, 4],
        [5, 4],
      ],
      'expected a key of as many steps as the value, 6, got [5, 4]',
    ],
    [
      'a mask of other steps',
      { heads: 1, paddingMask: true },
      [[5, 4], [6]],
      'expected a mask [5], or a number of keys [1], as the last input, got [6]',
    ],
    [
      'only a mask',
      { heads: 1, paddingMask: true },
      [[5, 4]],
      'expected one to three inputs (query, value, key) and a mask, got 1',
    ],
  ])('refuses %s', async (_, options, shapes, message) => {
    await withRuntime(simd, async (runtime) => {
      await expect(createModel(runtime, attention(options, shapes))).rejects.toThrow(
        `"nodes.attention (multiHeadAttention)" ${message}`,
      );
    });
  });

  it.each<[object | undefined, string]>([
    [undefined, '"options" expected an options object, got undefined'],
    [{}, '"heads" expected an integer in [1, 16777216], got undefined'],
    [{ heads: 2, keyDim: 0 }, '"keyDim" expected an integer in [1, 16777216], got 0'],
    [{ heads: 2, causal: 1 }, '"causal" expected true or false, got 1'],
    [{ heads: 2, dropout: 1 }, '"dropout" expected'],
    [{ heads: 2, numHeads: 1 }, '"options.numHeads" expected one of heads, keyDim'],
  ])('refuses the options %j', (options, message) => {
    expect(() => multiHeadAttention(options as never)).toThrow(message);
  });
});

describe('positions', () => {
  it('sinusoidal: the sines and cosines of Vaswani et al., rounded once', async () => {
    await withRuntime(simd, async (runtime) => {
      for (const features of [6, 5]) {
        const layers = [positionEmbedding({ encoding: 'sinusoidal' })];
        const options = { inputShape: [50, features], layers, loss: null, batchSize: 2 };
        const model = await createModel(runtime, options);
        expect(model.parameterCount).toBe(0);
        const y = predict(model, new Float32Array(2 * 50 * features));
        for (const [i, value] of y.entries()) {
          const [step, c] = [Math.floor(i / features) % 50, i % features];
          const angle = step / 10000 ** ((c - (c % 2)) / features);
          expect(value).toBeCloseTo(c % 2 === 0 ? Math.sin(angle) : Math.cos(angle), 7);
        }
      }
    });
  });

  it('learnt: rows beyond the steps have no gradient', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = [positionEmbedding({ maxSteps: 5 }), flatten(), dense(2)];
      const model = await createModel(runtime, { inputShape: [3, 3], layers, batchSize: 4 });
      model.labels.set([0, 1, 1, 0]);
      model.computeGradients(4);
      const { grad } = model.parameters['position1.weight']!;
      expect(grad.data.slice(0, 9).every((value) => value !== 0)).toBe(true);
      expect([...grad.data.slice(9)]).toEqual([0, 0, 0, 0, 0, 0]);
    });
  });

  it.each<[object, string]>([
    [{ encoding: 'rotary' }, `"encoding" expected 'learnt' or 'sinusoidal', got "rotary"`],
    [{ encoding: 'sinusoidal', maxSteps: 3 }, '"maxSteps" expected learnt positions'],
    [{ steps: 3 }, '"options.steps" expected one of encoding, maxSteps'],
  ])('refuses the options %j', (options, message) => {
    expect(() => positionEmbedding(options as never)).toThrow(message);
  });

  it('refuses longer sequences than its table', async () => {
    await withRuntime(simd, async (runtime) => {
      const options = { inputShape: [4, 2], layers: [positionEmbedding({ maxSteps: 3 })] };
      await expect(createModel(runtime, { ...options, loss: null })).rejects.toThrow(
        '"layers[0] (positionEmbedding)" expected at most 3 steps, got 4',
      );
    });
  });
});

describe('the padding index of an embedding', () => {
  it('stays zero in training', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = sequential([embedding(5, 3, { paddingIndex: 2 }), flatten(), dense(2)]);
      const model = await createModel(runtime, { inputShape: [4], layers, seed: 1 });
      const { data } = model.weights['embedding1.weight']!;
      const first = data.slice();
      expect([...first.slice(6, 9)]).toEqual([0, 0, 0]);
      const features = Float32Array.from({ length: 40 }, (_, i) => (i * 7) % 5);
      const labels = Int32Array.from({ length: 10 }, (_, i) => i % 2);
      const optimizer = new AdamW(runtime, model.parameters, { weightDecay: 0.1 });
      await fit(model, { features, labels }, { optimizer, epochs: 3 });
      expect([...data.slice(6, 9)]).toEqual([0, 0, 0]);
      expect(data.every((value, i) => value !== first[i] || (i >= 6 && i < 9))).toBe(true);
    });
  });

  it.each([5, -1, 0.5])('refuses row %d of five', (paddingIndex) => {
    expect(() => embedding(5, 3, { paddingIndex })).toThrow(
      `"paddingIndex" expected an integer in [0, 4], got ${paddingIndex}`,
    );
  });
});
