/**
 * Options of the functions that describe layers: unknown ones are errors, and so are arguments too
 * many; functions with options take a name.
 */
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors';
import * as nn from '../../src/nn';
import { CASES } from './cases';

type Call = [name: string, given: readonly unknown[]];

const call = (name: string, ...given: unknown[]) =>
  (nn as unknown as Record<string, (...given: unknown[]) => nn.Layer>)[name]!(...given);

/** Functions whose last argument are options, with the arguments before them. */
const WITH_OPTIONS: Call[] = [
  ['avgPool1d', [2]],
  ['avgPool2d', [2]],
  ['batchNorm', []],
  ['dense', [4]],
  ['embedding', [9, 4]],
  ['gelu', []],
  ['layerNorm', []],
  ['maxPool1d', [2]],
  ['maxPool2d', [2]],
  ['maxout', [4, 2]],
  ['positionEmbedding', []],
  ['upSampling2d', [2]],
];

/** Functions without options, with all of their arguments. */
const WITHOUT_OPTIONS: Call[] = [
  ['add', []],
  ['average', []],
  ['concat', []],
  ['dropout', [0.5]],
  ['elu', [1]],
  ['flatten', []],
  ['globalAvgPool', []],
  ['globalMaxPool', []],
  ['leakyRelu', [0.1]],
  ['multiply', []],
  ['relu', []],
  ['relu6', []],
  ['repeatVector', [3]],
  ['reshape', [[2, 3]]],
  ['sigmoid', []],
  ['silu', []],
  ['softmax', []],
  ['tanh', []],
  ['upSampling1d', [2]],
];

describe.each(WITH_OPTIONS)('%s', (name, given) => {
  it('refuses unknown options, and arguments after them', () => {
    expect(() => call(name, ...given, { x: 1 })).toThrow(/^"options.x" .*, got an unknown option$/);
    expect(() => call(name, ...given, 3)).toThrow(/^"options" expected an options object/);
    expect(() => call(name, ...given, {}, {})).toThrow(/expected no further argument \(/);
  });

  it('takes a name', () => {
    expect(call(name, ...given, { name: 'mine' })).toMatchObject({ kind: name, name: 'mine' });
    expect(() => call(name, ...given, { name: 'a.b' })).toThrow(
      '"name" expected a name of 1 to 200 characters without "."',
    );
  });
});

it('conv2d: the same, beside an option that it needs', () => {
  const kernelSize = 3;
  expect(() => call('conv2d', 4, { kernelSize, x: 1 })).toThrow(
    /^"options.x" .* an unknown option/,
  );
  expect(() => call('conv2d', 4, { kernelSize }, {})).toThrow(/expected no further argument \(/);
  expect(nn.conv2d(4, { kernelSize, name: 'mine' }).name).toBe('mine');
});

it.each(WITHOUT_OPTIONS)('%s refuses options', (name, given) => {
  expect(() => call(name, ...given, { x: 1 })).toThrow(/expected no further argument \(/);
});

it.each(Object.entries(CASES))(
  '%s: fields that a layer does not have are errors',
  (_, { layers }) => {
    for (const layer of layers) {
      const odd = { ...layer, kernelRegularizer: 'l2' } as never;
      expect(() => nn.sequential([odd])).toThrow(ArgumentError);
      expect(() => nn.sequential([odd])).toThrow('"layers[0].kernelRegularizer" expected ');
    }
  },
);

it.each<[name: string, ...given: unknown[]]>([
  ['dense', 4, { activation: 'relu' }],
  ['conv2d', 4, { kernelSize: 3, activation: 'relu' }],
  ['maxout', 4, 2, { activation: 'relu' }],
])('%s says that an activation is a layer of its own', (name, ...given) => {
  expect(() => call(name, ...given)).toThrow(
    '"options.activation" expected nothing (an activation is a layer of its own, such as relu())',
  );
});

it('new layers name the field that is out of range', () => {
  const shape = [3];
  const plan = (inputShape: number[], layer: nn.Layer) =>
    nn.describeModel({ inputShape, layers: [layer], loss: nn.meanSquaredError() }).outputShape;
  expect(() => nn.elu(-1)).toThrow('"alpha" expected a number in [0, 2^64), got -1');
  expect(() => call('gelu', { approximate: 'fast' })).toThrow(
    `"approximate" expected 'none' or 'tanh', got "fast"`,
  );
  expect(() => nn.maxout(4, 0)).toThrow('"pieces" expected an integer in [1, 4194304], got 0');
  expect(() => nn.maxout(0, 4)).toThrow('"units" expected an integer in [1, 16777216], got 0');
  expect(() => nn.repeatVector(0)).toThrow('"times" expected an integer in [1, 16777216], got 0');
  expect(() => plan([2, 3], nn.repeatVector(2))).toThrow(
    '"layers[0] (repeatVector)" expected features [features], got [2, 3]',
  );
  expect(() => call('batchNorm', { runningVariance: 'tf' })).toThrow(
    `"runningVariance" expected 'unbiased' or 'biased', got "tf"`,
  );
  expect(() => call('reshape', 3)).toThrow('"shape" expected an array of 1 to 3 sizes, got 3');
  expect(() => nn.reshape([-1, -1])).toThrow(
    '"shape[1]" expected an integer in [1, 16777216], got',
  );
  expect(() => plan([6], nn.reshape([4]))).toThrow(
    '"layers[0] (reshape)" expected an input of 4 elements, got [6]',
  );
  expect(() => plan([6], nn.reshape([4, -1]))).toThrow(
    '"layers[0] (reshape)" expected an input of a multiple of 4 elements, got [6]',
  );
  expect(plan([6], nn.reshape([-1, 2]))).toEqual([3, 2]);
  expect(plan([2, 6], nn.reshape([12]))).toEqual([12]);
  expect(nn.reshape(shape).shape).not.toBe(shape);
});

it('the names of layers begin the names of their parameters', () => {
  const layers = nn.sequential([nn.dense(4, { name: 'hidden', useBias: false }), nn.dense(2)]);
  expect(nn.describeModel({ inputSize: 3, layers }).parameterCount).toBe(12 + 10);
  expect(() => nn.sequential([{ ...nn.dense(4), useBias: 1 } as never])).toThrow(
    '"layers[0].useBias" expected true or false, got 1',
  );
});
