/**
 * First arguments, and arguments in the wrong place: a forgotten `await`, a missing runtime or
 * model, options one place too far. Each is answered by an ArgumentError that says what to do; none
 * by a TypeError about the library's insides.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as checkpoint from '../src/checkpoint/index';
import * as data from '../src/data/index';
import * as gradients from '../src/entries/gradients';
import * as library from '../src/index';
import * as nn from '../src/nn/index';
import * as schedules from '../src/schedules/index';

const { AdaL, Adam, AdalError, ArgumentError, createOptimizer, createRuntime, practical } = library;
const params = { w: { shape: [2] } };
const options = { inputSize: 2, layers: [nn.dense(2)] };

let runtime: library.Runtime;
let model: nn.Model;
beforeAll(async () => {
  runtime = await createRuntime({ backend: 'simd' });
  model = await nn.createModel(runtime, options);
});
afterAll(() => runtime.dispose());

/** Untyped, as JavaScript calls. */
const any = <T>(value: T) => value as never;

const call = (callee: unknown, ...given: unknown[]) =>
  (callee as (...given: unknown[]) => unknown)(...given);

type Case = [code: string, work: () => unknown, message: RegExp];
const CASES: Case[] = [
  [
    'new AdaL(params)',
    () => new AdaL(any(params), any(undefined)),
    /^"runtime" expected a runtime, made by `await createRu/,
  ],
  [
    'new Adam(createRuntime(), params)',
    () => new Adam(any(createRuntime({ backend: 'simd' })), params),
    /^"runtime" expected a runtime, .*, got a Promise \(is an `await` missing\?\)$/,
  ],
  [
    "createOptimizer('adam', params, { runtime: createRuntime() })",
    () => createOptimizer('adam', params, any({ runtime: createRuntime({ backend: 'simd' }) })),
    /^"runtime" expected a runtime, .* got a Promise/,
  ],
  [
    'createModel({ … })',
    () => nn.createModel(any(options), any(undefined)),
    /^"runtime" expected a runtime/,
  ],
  [
    'createModel(createRuntime(), …)',
    () => nn.createModel(any(createRuntime()), options),
    /got a Promise/,
  ],
  [
    'new Adam(runtime, createModel(…).parameters)',
    () =>
      new Adam(runtime, any((nn.createModel(runtime, options) as never as nn.Model).parameters)),
    /^"params" expected .*, got undefined/,
  ],
  [
    'fit(undefined, …)',
    () => nn.fit(any(undefined), any({}), any({})),
    /^"model" expected a model, made by `await createModel/,
  ],
  [
    'fit(createModel(…), …)',
    () => nn.fit(any(nn.createModel(runtime, options)), any({}), any({})),
    /got a Promise/,
  ],
  [
    'evaluate(undefined, …)',
    () => nn.evaluate(any(undefined), any({})),
    /^"model" expected a model/,
  ],
  [
    'predict(undefined, …)',
    () => nn.predict(any(undefined), new Float32Array(2)),
    /^"model" expected a model/,
  ],
  [
    'predict(features, model)',
    () => nn.predict(any(new Float32Array(2)), any(model)),
    /^"model" .* got Float32Array\(2\)/,
  ],
  [
    'extractFeatures({}, …)',
    () => nn.extractFeatures(any({}), any({}), { layer: 'x' }),
    /^"model" expected a model/,
  ],
  [
    'updateStatistics({}, …)',
    () => nn.updateStatistics(any({}), any({})),
    /^"model" expected a model/,
  ],
  [
    'model.predictBatch(array)',
    () => model.predictBatch(any(new Float32Array(2))),
    /^"count" .* call predict\(model, features\)\), got Float32A/,
  ],
  [
    'model.evaluateBatch(data)',
    () => model.evaluateBatch(any({ features: [] })),
    /^"count" expected a number of samples/,
  ],
  [
    'new GradientAccumulator({}, …)',
    () => new gradients.GradientAccumulator(any({}), { steps: 2 }),
    /^"optimizer" expected an op/,
  ],
  [
    'averageStates({}, …)',
    () => gradients.averageStates(any({}), [{ w: new Float32Array(2) }]),
    /^"runtime" expected a runtime/,
  ],
  [
    'practical()',
    () => practical(any(undefined)),
    /^"totalSteps" .* as in practical\(\{ totalSteps: 1000 \}\), got undefined$/,
  ],
  [
    'practical(1000)',
    () => practical(any(1000)),
    /^"options" expected an options object, got 1000$/,
  ],
  [
    'practical({ steps: 1 })',
    () => practical(any({ steps: 1 })),
    /^"options.steps" expected one of totalSteps, lr/,
  ],
  [
    "dense(4, { activation: 'relu' })",
    () => call(nn.dense, 4, { activation: 'relu' }),
    /^"options.activation" expected nothing \(an activation .* relu\(\)\), got "relu"$/,
  ],
  [
    'relu(3)',
    () => call(nn.relu, 3),
    /^"relu\(\)" expected no further argument \(for a slope .* leakyRelu\(slope\)\), got 3$/,
  ],
  ['tanh({})', () => call(nn.tanh, {}), /^"tanh\(\)" expected no further argument/],
  ['sigmoid(1)', () => call(nn.sigmoid, 1), /^"sigmoid\(\)" expected no further argument/],
  ['silu(1)', () => call(nn.silu, 1), /^"silu\(\)" expected no further argument/],
  ['flatten([8, 8])', () => call(nn.flatten, [8, 8]), /^"flatten\(\)" .*, got \[8, 8\]$/],
  [
    'globalAvgPool(2)',
    () => call(nn.globalAvgPool, 2),
    /^"globalAvgPool\(\)" expected no further argument/,
  ],
  [
    'dropout(0.5, 1)',
    () => call(nn.dropout, 0.5, 1),
    /^"dropout\(rate\)" .* seed is an option of createModel\), got 1$/,
  ],
  [
    'embedding(2, 3, 4)',
    () => call(nn.embedding, 2, 3, 4),
    /^"options" expected an options object, got 4$/,
  ],
  [
    'leakyRelu(0.1, 1)',
    () => call(nn.leakyRelu, 0.1, 1),
    /^"leakyRelu\(slope\)" expected no further/,
  ],
  ['batchNorm(16)', () => nn.batchNorm(any(16)), /^"options" expected an options object, got 16$/],
  [
    'batchNorm({}, 16)',
    () => call(nn.batchNorm, {}, 16),
    /^"batchNorm\(options\)" .* that of the layer before\), got 16$/,
  ],
  [
    'layerNorm({}, 16)',
    () => call(nn.layerNorm, {}, 16),
    /^"layerNorm\(options\)" .* that of the layer before\), got 16$/,
  ],
  [
    'conv2d(8, 3)',
    () => nn.conv2d(8, any(3)),
    /^"options" .* as in conv2d\(8, \{ kernelSize: 3 \}\), got 3$/,
  ],
  [
    'conv2d(8)',
    () => nn.conv2d(8, any(undefined)),
    /^"options" .* as in conv2d\(8, \{ kernelSize: 3 \}\), got undefined$/,
  ],
  [
    'conv2d(8, { kernelSize: 3 }, 1)',
    () => call(nn.conv2d, 8, { kernelSize: 3 }, 1),
    /^"conv2d\(filters, options\)"/,
  ],
  [
    'maxPool2d(2, 2)',
    () => nn.maxPool2d(2, any(2)),
    /^"options" expected an options object, got 2$/,
  ],
  [
    'maxPool2d(2, {}, 1)',
    () => call(nn.maxPool2d, 2, {}, 1),
    /^"maxPool2d\(size, options\)" .* as \{ stride: 2 \}\), got 1/,
  ],
  [
    'avgPool2d(2, {}, 1)',
    () => call(nn.avgPool2d, 2, {}, 1),
    /^"avgPool2d\(size, options\)" .* as \{ stride: 2 \}\), got 1/,
  ],
  [
    'layers: [relu]',
    () => nn.describeModel({ ...options, layers: any([nn.relu]) }),
    /^"layers\[0\]" .* call the function, .* relu/,
  ],
  [
    'loss: huber',
    () => nn.describeModel({ ...options, loss: any(nn.huber) }),
    /^"loss" .* call the function, .* huber\(\), got/,
  ],
  [
    'huber({}, 1)',
    () => call(nn.huber, {}, 1),
    /^"huber\(options\)" .* takes no outputs or targets/,
  ],
  [
    'crossEntropy({}, 1)',
    () => call(nn.crossEntropy, {}, 1),
    /^"crossEntropy\(options\)" .* takes no outputs or targets/,
  ],
  [
    'crossEntropy(outputs, labels)',
    () => call(nn.crossEntropy, new Float32Array(4), new Int32Array(2)),
    /^"crossEntropy/,
  ],
  [
    'meanSquaredError(a, b)',
    () => call(nn.meanSquaredError, 1, 2),
    /^"meanSquaredError\(\)" .* takes no outputs or targets/,
  ],
  [
    'binaryCrossEntropy({}, 1)',
    () => call(nn.binaryCrossEntropy, {}, 1),
    /^"binaryCrossEntropy\(options\)" .* no outputs or targets/,
  ],
];

it.each(CASES)('%s', async (_, work, message) => {
  const error = (await (async () => work())().catch((thrown) => thrown)) as Error;
  expect(error).toBeInstanceOf(ArgumentError);
  expect(error.message).toMatch(message);
});

/** Classes without a public constructor, and functions that refuse nothing. */
const LEFT_OUT = new RegExp(
  'Error$|^(Optimizer|Model|Runtime|Tensor|Parameter)$|' +
    '^(optimizerNames|scheduleNames|memoryStore|loadDigits|emptyResult|isStatefulSchedule)$',
);
const WRONG: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['an object', {}],
  ['a promise', Promise.resolve({})],
  ['a function', () => 5],
];

describe.each(Object.entries({ library, nn, gradients, schedules, data, checkpoint }))(
  '%s',
  (_, exported) => {
    const functions = Object.entries(exported).filter(
      ([name, value]) => typeof value === 'function' && !LEFT_OUT.test(name),
    );
    it.each(functions)(
      '%s refuses wrong arguments by errors of the library alone',
      async (_name, value) => {
        let refusals = 0;
        for (const [what, argument] of WRONG) {
          const outcome = await (async () => {
            try {
              return await (value as (...given: unknown[]) => unknown)(
                argument,
                argument,
                argument,
              );
            } catch (error) {
              const needsNew =
                error instanceof TypeError && /Class constructor/.test(error.message);
              if (!needsNew) throw error;
              return new (value as new (...given: unknown[]) => unknown)(
                argument,
                argument,
                argument,
              );
            }
          })().catch((error) => error);
          if (!(outcome instanceof Error)) continue;
          expect(outcome, `${what}: ${outcome.stack}`).toBeInstanceOf(AdalError);
          refusals++;
        }
        expect(refusals).toBeGreaterThan(0);
      },
    );
  },
);
