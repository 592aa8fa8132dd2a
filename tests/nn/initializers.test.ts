/** Initial values: their moments over many draws, their fans, and errors that name the option. */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../src/math/prng';
import { conv2d, createModel, dense, embedding, flatten, type Initializer } from '../../src/nn';
import { checkInitializer, initializerFor } from '../../src/nn/layers/initial';
import { bitsOf, simd, withRuntime } from '../support/backends';

const [FAN_IN, FAN_OUT] = [50, 30];

function draw(spec: Initializer, shape: readonly number[] = [200, 500]): Float32Array {
  checkInitializer('kernelInitializer', spec);
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  initializerFor(spec, { fanIn: FAN_IN, fanOut: FAN_OUT, shape })(values, new Prng(5));
  return values;
}

function momentsOf(values: Float32Array) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance), largest: values.reduce(maxMagnitude, 0) };
}

const maxMagnitude = (largest: number, x: number) => Math.max(largest, Math.abs(x));

/** Deviation of a normal distribution of deviation 1 cut at ±2. */
const CUT = 0.8796256610342398;

describe('moments of 100,000 values', () => {
  /** By name: the deviation, and the bound of the values. */
  const scaled = (scale: number, fan: number) => ({
    uniform: [Math.sqrt(scale / fan), Math.sqrt((3 * scale) / fan)],
    normal: [Math.sqrt(scale / fan), (2 * Math.sqrt(scale / fan)) / CUT],
  });
  const he = scaled(2, FAN_IN);
  const lecun = scaled(1, FAN_IN);
  const glorot = scaled(2, FAN_IN + FAN_OUT);
  const out = scaled(0.5, FAN_OUT);
  const CASES: [spec: Initializer, mean: number, deviation: number, bound: number][] = [
    ['heUniform', 0, he.uniform[0]!, he.uniform[1]!],
    ['heNormal', 0, he.normal[0]!, he.normal[1]!],
    ['lecunUniform', 0, lecun.uniform[0]!, lecun.uniform[1]!],
    ['lecunNormal', 0, lecun.normal[0]!, lecun.normal[1]!],
    // TensorFlow's limit: √(6/(inputs + outputs)).
    ['glorotUniform', 0, glorot.uniform[0]!, Math.sqrt(6 / (FAN_IN + FAN_OUT))],
    ['glorotNormal', 0, glorot.normal[0]!, glorot.normal[1]!],
    ['varianceScaling', 0, lecun.normal[0]!, lecun.normal[1]!],
    [
      { kind: 'varianceScaling', scale: 0.5, mode: 'fanOut', distribution: 'uniform' },
      0,
      out.uniform[0]!,
      out.uniform[1]!,
    ],
    [
      { kind: 'varianceScaling', scale: 2, mode: 'fanAvg', distribution: 'untruncatedNormal' },
      0,
      Math.sqrt(4 / (FAN_IN + FAN_OUT)),
      5 * Math.sqrt(4 / (FAN_IN + FAN_OUT)),
    ],
    ['uniform', 0, 0.1 / Math.sqrt(12), 0.05],
    [{ kind: 'uniform', min: 1, max: 4 }, 2.5, 3 / Math.sqrt(12), 4],
    ['normal', 0, 0.05, 5 * 0.05],
    [{ kind: 'normal', mean: -1, stddev: 2 }, -1, 2, 11],
    [{ kind: 'truncatedNormal', mean: 1, stddev: 0.5 }, 1, 0.5 * CUT, 2],
  ];
  it.each(CASES)('%j', (spec, mean, deviation, bound) => {
    const values = draw(spec);
    const moments = momentsOf(values);
    // Five standard errors of a mean, and 1.5% of a deviation (at least five of them).
    expect(Math.abs(moments.mean - mean)).toBeLessThan((5 * deviation) / Math.sqrt(values.length));
    expect(Math.abs(moments.deviation / deviation - 1)).toBeLessThan(0.015);
    expect(moments.largest).toBeLessThanOrEqual(bound * (1 + 2 ** -23));
    expect(moments.largest).toBeGreaterThan(0.75 * bound);
  });
});

it('zeros, ones and constants', () => {
  expect(draw('zeros', [3])).toEqual(Float32Array.of(0, 0, 0));
  expect(draw('ones', [3])).toEqual(Float32Array.of(1, 1, 1));
  expect(draw({ kind: 'constant', value: 0.25 }, [2])).toEqual(Float32Array.of(0.25, 0.25));
});

describe('orthogonal', () => {
  const gain = 1.5;
  it.each([[[7, 20]], [[20, 7]], [[16, 16]], [[200, 200]], [[5, 3, 3, 2]]])('%j', (shape) => {
    const rows = shape[0]!;
    const values = draw({ kind: 'orthogonal', gain }, shape);
    const columns = values.length / rows;
    const wide = rows <= columns;
    const at = (vector: number, i: number) =>
      values[wide ? vector * columns + i : i * columns + vector]!;
    for (let a = 0; a < Math.min(rows, columns); a++) {
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let i = 0; i < Math.max(rows, columns); i++) product += at(a, i) * at(b, i);
        if (Math.abs(product - (a === b ? gain ** 2 : 0)) > 1e-6) expect([a, b, product]).toBe(0);
      }
    }
  });

  it('has no preferred direction: every element is distributed alike', () => {
    const squares = new Float64Array(12);
    const prng = new Prng(2);
    const values = new Float32Array(12);
    const fill = initializerFor('orthogonal', { fanIn: 4, fanOut: 3, shape: [3, 4] });
    for (let round = 0; round < 4000; round++) {
      fill(values, prng);
      for (const [i, x] of values.entries()) squares[i] += x * x;
    }
    for (const square of squares) expect(Math.abs(square / 4000 - 1 / 4)).toBeLessThan(0.02);
  });
});

describe('layers', () => {
  it('draw with their fans', async () => {
    await withRuntime(simd, async (runtime) => {
      const kernelInitializer = 'glorotUniform';
      const model = await createModel(runtime, {
        inputShape: [8, 8, 4],
        layers: [
          conv2d(64, { kernelSize: 3, kernelInitializer, biasInitializer: 'ones' }),
          flatten(),
          dense(10, { kernelInitializer, biasInitializer: { kind: 'constant', value: -1 } }),
        ],
      });
      const { weights } = model;
      const largest = (name: string) => weights[name]!.data.reduce(maxMagnitude, 0);
      const conv = Math.sqrt(6 / (9 * 4 + 9 * 64));
      expect(largest('conv1.weight') / conv).toBeCloseTo(1, 2);
      expect(largest('dense1.weight') / Math.sqrt(6 / (36 * 64 + 10))).toBeCloseTo(1, 2);
      expect([...weights['conv1.bias']!.data]).toEqual(Array(64).fill(1));
      expect([...weights['dense1.bias']!.data]).toEqual(Array(10).fill(-1));
    });
  });

  it('have the same bits by default as by the names of their defaults', async () => {
    await withRuntime(simd, async (runtime) => {
      const weightsOf = async (options: object, table: object) => {
        const layers = [embedding(9, 4, table), dense(5, options), flatten(), dense(3, options)];
        const model = await createModel(runtime, { inputShape: [6], layers, seed: 3 });
        return Object.values(model.weights).map(({ data }) => bitsOf(data));
      };
      expect(
        await weightsOf(
          { kernelInitializer: 'heUniform', biasInitializer: 'zeros', useBias: true },
          { embeddingsInitializer: { kind: 'normal', stddev: 1 } },
        ),
      ).toEqual(await weightsOf({}, {}));
    });
  });
});

describe('errors name the option', () => {
  const list = /^"kernelInitializer" expected an initializer \(heUniform, heNormal, .*orthogonal\)/;
  const any = (value: unknown) => value as never;
  it.each<[code: string, work: () => unknown, message: string | RegExp]>([
    ['a name', () => dense(2, { kernelInitializer: any('he') }), list],
    ['a property of objects', () => dense(2, { kernelInitializer: any('toString') }), list],
    ['a function', () => dense(2, { kernelInitializer: any(() => 1) }), list],
    ['null', () => dense(2, { kernelInitializer: any(null) }), list],
    [
      'a constant without a value',
      () => dense(2, { kernelInitializer: any('constant') }),
      `"kernelInitializer" expected a value, as in { kind: 'constant', value: 1 }, got "constant"`,
    ],
    [
      'a field of another kind',
      () => conv2d(2, { kernelSize: 1, kernelInitializer: any({ kind: 'zeros', gain: 1 }) }),
      '"kernelInitializer.gain" expected one of kind, got an unknown option',
    ],
    [
      'an infinite value',
      () => dense(2, { biasInitializer: { kind: 'constant', value: Infinity } }),
      '"biasInitializer.value" expected a number in (-2^64, 2^64), got Infinity',
    ],
    [
      'a negative deviation',
      () => embedding(2, 2, { embeddingsInitializer: { kind: 'normal', stddev: -1 } }),
      '"embeddingsInitializer.stddev" expected a number in [0, 2^64), got -1',
    ],
    [
      'an empty interval',
      () => dense(2, { kernelInitializer: { kind: 'uniform', min: 1 } }),
      '"kernelInitializer.min" expected a number up to max = 0.05, got 1',
    ],
    [
      'a scale of 0',
      () => dense(2, { kernelInitializer: { kind: 'varianceScaling', scale: 0 } }),
      '"kernelInitializer.scale" expected a number in (0, 2^64), got 0',
    ],
    [
      'a mode of Keras in Python',
      () => dense(2, { kernelInitializer: { kind: 'varianceScaling', mode: any('fan_in') } }),
      `"kernelInitializer.mode" expected 'fanIn' or 'fanOut' or 'fanAvg', got "fan_in"`,
    ],
    [
      'an orthogonal vector',
      () => dense(2, { biasInitializer: 'orthogonal' }),
      '"biasInitializer" expected an initializer of vectors, got "orthogonal"',
    ],
    [
      'a bias that there is not',
      () => dense(2, { useBias: false, biasInitializer: 'ones' }),
      '"biasInitializer" expected nothing, since useBias is false, got "ones"',
    ],
  ])('%s', (_, work, message) => {
    expect(work).toThrow(message);
  });
});
