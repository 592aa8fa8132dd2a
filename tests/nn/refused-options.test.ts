/** Options that cannot mean what they say are refused, in words that name them. */
import { expect, it } from 'vitest';
import { Adam } from '../../src/index';
import {
  add,
  apply,
  bidirectional,
  binaryCrossEntropy,
  createModel,
  dense,
  describeModel,
  evaluate,
  fit,
  flatten,
  graph,
  gru,
  input,
  lstm,
  type ModelOptions,
  meanSquaredError,
  multiHeadAttention,
  predict,
  relu,
  type Value,
} from '../../src/nn';
import { simd, withRuntime } from '../support/backends';

const x = input('x', 4);
const one = graph({ q: x.apply(dense(2)) });
const two = graph({ q: x.apply(dense(2)), p: x.apply(dense(2)) });
const [shared, tower] = [dense(3), dense(4)];
const towers = graph([x.apply(tower, 'a').apply(tower, 'b').apply(dense(2))]);
const chain = { inputSize: 4, layers: [dense(2)] };

it.each<[string, () => unknown, string]>([
  [
    'an output like a property of every object',
    () => describeModel({ ...graph({ constructor: x.apply(dense(2)) }) }),
    '"outputs" expected a name that is no property of Object.prototype, got "constructor"',
  ],
  ['a node like one', () => x.apply(relu(), '__proto__'), '"name" expected a name that is no'],
  [
    'a loss of another output',
    () => describeModel({ ...one, loss: { p: meanSquaredError() } }),
    '"loss.p" expected one of q, got an unknown output',
  ],
  [
    'no losses',
    () => describeModel({ ...two, loss: {} } as ModelOptions),
    '"loss" expected a loss of an output, or null for none, got an object',
  ],
  [
    'a weight of another output',
    () => describeModel({ ...two, loss: { q: meanSquaredError() }, lossWeights: { z: 2 } }),
    '"lossWeights.z" expected one of q, p, got an unknown output',
  ],
  [
    'shared weights that do not fit',
    () => describeModel(graph([apply(add(), [x.apply(shared), input('y', 5).apply(shared)])])),
    '"nodes.dense2 (dense)" expected an input that fits the weights of dense1, weight [3, 4], ' +
      'bias [3], got one for weight [3, 5], bias [3]',
  ],
  [
    'freezing shared weights by a later user',
    () => describeModel({ ...towers, freeze: ['b.weight'] }),
    '"freeze[0]" expected "a", whose weights this node shares, got "b.weight"',
  ],
  [
    'a graph of a value alone',
    () => graph(input('x', 2).apply(dense(1)) as never),
    '"outputs" expected values by name or in an array, as in graph([value]), got',
  ],
  ['a graph without outputs', () => graph([]), '"outputs" expected at least one value, got []'],
  [
    'gradients of a model that has none',
    () => describeModel({ ...chain, training: false, inputGradients: true }),
    '"inputGradients" expected false in a model with training: false, got true',
  ],
])('%s is refused', (_, action, message) => {
  expect(action).toThrow(message);
});

it('an unknown input is refused', async () => {
  await withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, one);
    const features = { x: new Float32Array(4), z: new Float32Array(4) };
    expect(() => predict(model, features)).toThrow(
      '"features.z" expected one of x, got an unknown name',
    );
  });
});

it('sample weights in a plain array are refused', async () => {
  await withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, chain);
    const samples = { features: new Float32Array(8), labels: new Int32Array(2) };
    expect(() => evaluate(model, { ...samples, sampleWeights: [1, 2] as never })).toThrow(
      '"samples.sampleWeights" expected a Float32Array, or one by output: { output }, got [1, 2]',
    );
  });
});

it('a metric of the validation alone is refused without one', async () => {
  await withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, {
      inputSize: 4,
      layers: [dense(1)],
      loss: binaryCrossEntropy(),
    });
    const optimizer = new Adam(runtime, model.parameters);
    const data = { features: new Float32Array(8), targets: Float32Array.of(0, 1) };
    await expect(fit(model, data, { optimizer, epochs: 1, metrics: ['auc'] })).rejects.toThrow(
      `"metrics" expected validation data for 'auc', which training does not compute, got ["auc"]`,
    );
  });
});

it('names given by hand are passed over by those that count', () => {
  const tower = dense(4, { name: 'tower' });
  const data = graph([x.apply(tower).apply(tower).apply(dense(2))]);
  expect(data.nodes.map(({ name }) => name)).toEqual(['tower', 'tower2', 'dense1']);
});

it('a chain counts past names given by hand', async () => {
  await withRuntime(simd, async (runtime) => {
    const layers = [dense(4), dense(4, { name: 'dense2' }), dense(2)];
    const model = await createModel(runtime, { inputSize: 4, layers });
    expect(model.layerNames).toEqual(['dense1', 'dense2', 'dense3']);
  });
});

const sequence = input('x', [3, 2]);
const lengths = apply(gru(2, { lengths: true }), [sequence, input('n', 1)]);
const both = apply(bidirectional(lstm(2, { lengths: true })), [sequence, input('n', 1)]);
const masked = (size: number) =>
  apply(multiHeadAttention({ heads: 1, paddingMask: true }), [sequence, input('n', size)]);

it.each<[string, Value, number, number[], string]>([
  [
    'a fraction of a length',
    lengths,
    1,
    [1.5],
    'expected a number of steps: an integer in [0, 3], got 1.5',
  ],
  ['a length beyond the steps', lengths, 1, [4], 'an integer in [0, 3], got 4'],
  ['a length that is no number', both, 1, [Number.NaN], 'an integer in [0, 3], got NaN'],
  ['half a key', masked(3), 3, [1, 0.5, 1], 'expected 0 or 1, got 0.5'],
  [
    'a negative number of keys',
    masked(1),
    1,
    [-1],
    'expected a number of keys: an integer in [0, 3], got -1',
  ],
])('%s is refused in every kind of pass', async (_, value, size, wrong, message) => {
  await withRuntime(simd, async (runtime) => {
    const options = graph([value.apply(flatten()).apply(dense(2))]);
    const model = await createModel(runtime, { ...options, batchSize: 2 });
    const optimizer = new Adam(runtime, model.parameters);
    const n = Float32Array.of(...new Array<number>(size).fill(1), ...wrong);
    const features = { x: new Float32Array(12), n };
    const data = { features, labels: new Int32Array(2) };
    const before = JSON.stringify([model.stateDict(), optimizer.stateDict()]);
    await expect(fit(model, data, { optimizer, epochs: 1 })).rejects.toThrow(message);
    expect(() => evaluate(model, data)).toThrow(message);
    expect(() => predict(model, features)).toThrow(message);
    const at = n.findIndex((each, index) => index >= size && each !== 1);
    expect(() => predict(model, features)).toThrow(`"inputs.n[${at}]" expected `);
    model.inputs.n.set(n);
    for (const training of [false, true])
      expect(() => model.forward({ training, count: 2 })).toThrow(message);
    expect(JSON.stringify([model.stateDict(), optimizer.stateDict()])).toBe(before);
    n.fill(1);
    expect(predict(model, features)).toHaveLength(4);
  });
});
