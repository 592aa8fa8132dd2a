/** A stored run goes on with the model that it is of, and with no other. */
import { describe, expect, it } from 'vitest';
import { CheckpointError, memoryStore } from '../../src/checkpoint';
import { Adam } from '../../src/index';
import {
  binaryCrossEntropy,
  createModel,
  dense,
  dropout,
  fit,
  graph,
  input,
  type ModelOptions,
  meanAbsoluteError,
  meanSquaredError,
  relu,
  tanh,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { simd, withRuntime } from '../support/backends';

const COUNT = 12;
const features = Float32Array.from({ length: 4 * COUNT }, (_, i) => Math.sin(i * i));
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
const targets = Float32Array.from({ length: 2 * COUNT }, (_, i) => (1 + Math.cos(i)) / 2);

const chain = { inputSize: 4, layers: [dense(3), relu(), dense(2)], batchSize: 4, seed: 1 };
const withDropout = { ...chain, layers: [dense(3), dropout(0.5), dense(2)] };
const values = { ...chain, loss: meanSquaredError() };
const x = input('x', 4);
const twin = (swapped: boolean): ModelOptions => {
  const [a, b] = [x.apply(dense(2), 'a'), x.apply(dense(2), 'b')];
  const outputs = swapped ? { q: a, p: b } : { p: a, q: b };
  return { ...graph(outputs), loss: { p: meanSquaredError() }, batchSize: 4 };
};

async function train(runtime: Runtime, options: ModelOptions, epochs: number, extra: object) {
  const model = await createModel(runtime, options);
  const optimizer = new Adam(runtime, model.parameters);
  const given = model.format.targets[0].loss.kind === 'crossEntropy' ? { labels } : { targets };
  const state = () => JSON.stringify([model.stateDict(), optimizer.stateDict()]);
  const before = state();
  const result = await fit(model, { features, ...given }, { optimizer, epochs, ...extra }).catch(
    (error: unknown) => error,
  );
  return { result, unchanged: state() === before };
}

describe('a stored run', () => {
  it.each<[string, ModelOptions, ModelOptions, string]>([
    [
      'an activation',
      chain,
      { ...chain, layers: [dense(3), tanh(), dense(2)] },
      'model nodes[2] expected relu1: {"kind":"relu"} of dense1, got tanh1: {"kind":"tanh"} of',
    ],
    ['a loss', values, { ...values, loss: meanAbsoluteError() }, 'model losses[0] expected output'],
    [
      "a loss's options",
      { ...chain, loss: binaryCrossEntropy() },
      { ...chain, loss: binaryCrossEntropy({ posWeight: 2 }) },
      'model losses[0] expected',
    ],
    [
      'a penalty',
      chain,
      { ...chain, penalties: [{ match: /weight$/, l2: 0.1 }] },
      'model penalties[0] expected none, got dense1.weight,dense2.weight: {"l1":0,"l2":0.1}',
    ],
    [
      'the size of a penalty',
      { ...chain, penalties: [{ match: ['dense1.weight'], l1: 0.1 }] },
      { ...chain, penalties: [{ match: ['dense1.weight'], l1: 0.2 }] },
      'model penalties[0] expected',
    ],
    [
      'the rate of dropout',
      withDropout,
      { ...withDropout, layers: [dense(3), dropout(0.4), dense(2)] },
      'model nodes[2]',
    ],
    [
      'the seed of dropout',
      withDropout,
      { ...withDropout, seed: 2 },
      'model seed expected 1, got 2',
    ],
    ['the node of an output', twin(false), twin(true), 'model losses[0] expected p (a): 1 × '],
  ])(
    'is refused for a model with another %s, which it leaves as it was',
    (_, first, second, text) =>
      withRuntime(simd, async (runtime) => {
        const checkpoint = { store: memoryStore() };
        await train(runtime, first, 2, { checkpoint });
        const { result, unchanged } = await train(runtime, second, 3, { checkpoint });
        expect(result).toBeInstanceOf(CheckpointError);
        expect((result as CheckpointError).reason).toBe('other-run');
        expect((result as CheckpointError).message).toContain(text);
        expect(unchanged).toBe(true);
      }),
  );

  it.each<[string, ModelOptions, ModelOptions]>([
    ['a seed, if nothing is random', chain, { ...chain, seed: 2 }],
    [
      'an order of options',
      { ...chain, layers: [dense(3, { useBias: true, name: 'a' }), dense(2)] },
      { ...chain, layers: [dense(3, { name: 'a', useBias: true }), dense(2)] },
    ],
  ])('goes on with a model of another %s', (_, first, second) =>
    withRuntime(simd, async (runtime) => {
      const checkpoint = { store: memoryStore() };
      await train(runtime, first, 2, { checkpoint });
      const { result } = await train(runtime, second, 3, { checkpoint });
      expect(result).toMatchObject({ reason: 'complete' });
    }),
  );

  it('gives the records of an uninterrupted run, in the same order of fields', () =>
    withRuntime(simd, async (runtime) => {
      const options = { ...twin(false), loss: { p: meanSquaredError(), q: meanAbsoluteError() } };
      const data = { features: { x: features }, targets: { p: targets, q: targets } };
      const run = async (epochs: number, extra: object) => {
        const model = await createModel(runtime, options);
        const optimizer = new Adam(runtime, model.parameters);
        return fit(model, data, {
          optimizer,
          epochs,
          validation: data,
          metrics: ['meanAbsoluteError'],
          ...extra,
        });
      };
      const checkpoint = { store: memoryStore() };
      await run(2, { checkpoint });
      const { epochs } = await run(3, { checkpoint });
      expect(JSON.stringify(epochs)).toBe(JSON.stringify((await run(3, {})).epochs));
    }));
});
