/** L1 and L2 penalties: in the loss and gradients of training, and in the loss of evaluation. */
import { describe, expect, it } from 'vitest';
import { SGD } from '../../src/index';
import {
  createModel,
  dense,
  evaluate,
  fit,
  type ModelOptions,
  meanSquaredError,
  relu,
  sequential,
} from '../../src/nn';
import { generator } from '../kernels/values';
import { BACKENDS, simd, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';

const plain = {
  inputSize: 3,
  layers: sequential([dense(5), relu(), dense(2)]),
  loss: meanSquaredError(),
  batchSize: 4,
  seed: 2,
} satisfies ModelOptions;
const penalties = [
  { match: ['dense1.weight'], l2: 0.25 },
  { match: /weight$/, l1: 0.125 },
];
const next = generator(4);
const features = Float32Array.from({ length: 12 }, () => 2 * next() - 1);
const targets = Float32Array.from({ length: 8 }, () => next());

async function gradients(options: Partial<ModelOptions>) {
  const results = [];
  for (const backend of BACKENDS) {
    results.push(
      await withRuntime(backend, async (runtime) => {
        const model = await createModel(runtime, { ...plain, ...options });
        model.input.set(features);
        model.targets.set(targets);
        const loss = model.computeGradients(4);
        expect(model.evaluateBatch(4).loss).toBe(loss);
        expect(evaluate(model, { features, targets }).loss).toBe(loss);
        const own = Object.entries(model.parameters);
        return {
          loss,
          gradients: Object.fromEntries(own.map(([name, { grad }]) => [name, grad.data.slice()])),
          weights: Object.fromEntries(own.map(([name, { value }]) => [name, value.data.slice()])),
        };
      }),
    );
  }
  for (const result of results) expect(result).toEqual(results[0]);
  return results[0]!;
}

describe('penalties', () => {
  it('add l1·Σ|w| + l2·Σw² and its gradient, with the same bits on every backend', async () => {
    const without = await gradients({});
    const penalised = await gradients({ penalties });
    let sum = 0;
    for (const [name, weights] of Object.entries(without.weights)) {
      const l1 = name.endsWith('weight') ? 0.125 : 0;
      const l2 = name === 'dense1.weight' ? 0.25 : 0;
      for (const [i, w] of weights.entries()) {
        sum += l1 * Math.abs(w) + l2 * w * w;
        const slope = l1 * Math.sign(w) + 2 * l2 * w;
        const own = without.gradients[name]![i]!;
        expect(penalised.gradients[name]![i]).toBeCloseTo(own + slope, 6);
      }
    }
    expect(sum).toBeGreaterThan(0.1);
    expect(penalised.loss).toBeCloseTo(without.loss + sum, 12);
  });

  it('have the gradients of finite differences in float64', () => {
    const network = new Network64({ ...plain, penalties }, 7);
    network.input.set(features);
    network.targets.set(targets);
    network.computeGradients();
    for (const [name, gradient] of Object.entries(network.gradients)) {
      const analytic = gradient.slice();
      const weights = network.weights[name]!;
      for (const i of weights.keys()) {
        const value = weights[i]!;
        weights[i] = value + 2 ** -17;
        const up = network.evaluate(true);
        weights[i] = value - 2 ** -17;
        const slope = (up - network.evaluate(true)) * 2 ** 16;
        weights[i] = value;
        expect(Math.abs(analytic[i]! - slope)).toBeLessThan(1e-8 + 1e-6 * Math.abs(slope));
      }
    }
  });

  it('leave out frozen weights, and train like l2 of the optimizer', async () => {
    const freeze = ['dense1'];
    const frozen = await gradients({ penalties: [{ match: ['dense1'], l1: 1 }], freeze });
    expect(frozen).toEqual(await gradients({ freeze }));
    const train = (own: Partial<ModelOptions>, l2: number) =>
      withRuntime(simd, async (runtime) => {
        const model = await createModel(runtime, { ...plain, ...own });
        const optimizer = new SGD(runtime, model.parameters, { lr: 0.1, l2 });
        const { epochs } = await fit(model, { features, targets }, { optimizer, epochs: 5 });
        return { epochs, weights: Object.values(model.weights).flatMap(({ data }) => [...data]) };
      });
    const own = await train({ penalties: [{ match: /./, l2: 0.25 }] }, 0);
    const optimizers = await train({}, 0.5);
    for (const [i, weight] of own.weights.entries())
      expect(weight).toBeCloseTo(optimizers.weights[i]!, 5);
    expect(own.epochs[0]!.loss).toBeGreaterThan(optimizers.epochs[0]!.loss);
  });

  it('are refused where they are none', async () => {
    const create = (given: unknown) => gradients({ penalties: given as never });
    await expect(create([{ match: ['dense3'] }])).rejects.toThrow(
      '"penalties[0].match[0]" expected',
    );
    await expect(create([{ match: /x/, l1: 1 }])).rejects.toThrow('"penalties[0].match"');
    await expect(create([{ match: /./, l2: -1 }])).rejects.toThrow('"penalties[0].l2" expected');
    await expect(create([{ match: /./, l3: 1 }])).rejects.toThrow('"penalties[0].l3"');
    await expect(create({ match: /./ })).rejects.toThrow('"penalties" expected an array');
  });
});
