/** One's own training loop: forward, gradients by the outputs, backward, step. */
import { describe, expect, it } from 'vitest';
import {
  batchNorm,
  createModel,
  dense,
  dropout,
  graph,
  input,
  type Model,
  type ModelOptions,
  meanSquaredError,
  relu,
  sequential,
  tanh,
} from '../../src/nn';
import { Adam } from '../../src/optimizers/adam';
import type { Runtime } from '../../src/runtime/runtime';
import { generator } from '../kernels/values';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';

const layers = sequential([dense(6), batchNorm(), tanh(), dropout(0.2), dense(2)]);
const options: ModelOptions = { inputSize: 3, layers, loss: null, batchSize: 5, seed: 4 };

function fillInput(values: Float32Array | Float64Array): void {
  const random = generator(11);
  for (let i = 0; i < values.length; i++) values[i] = Math.fround(random());
}

const gradientsOf = (model: Model) =>
  Object.values(model.parameters).map(({ grad }) => bitsOf(grad.data));

/** dL/doutput of L = Σ c·output, for fixed c. */
const slope = (index: number) => Math.fround(Math.sin(index + 1));

describe.each(BACKENDS)('$name', (backend) => {
  it('has the bits of computeGradients, for the same loss', async () => {
    await withRuntime(backend, async (runtime) => {
      const known = await createModel(runtime, { ...options, loss: meanSquaredError() });
      const own = await createModel(runtime, options);
      for (const model of [known, own]) fillInput(model.input);
      const random = generator(12);
      for (let i = 0; i < 10; i++) known.targets[i] = random();
      for (let pass = 0; pass < 2; pass++) {
        known.computeGradients(5);
        own.forward({ training: true });
        const { output } = own;
        const gradient = own.outputGradients.output!;
        // As the loss of the library rounds: 2/n times the difference.
        for (let i = 0; i < 10; i++) {
          const difference = Math.fround(output[i]! - known.targets[i]!);
          gradient[i] = Math.fround(Math.fround(2 / 10) * difference);
        }
        own.backward();
        for (const [name, { grad }] of Object.entries(known.parameters)) {
          const mine = own.parameters[name]!.grad.data;
          for (let i = 0; i < mine.length; i++)
            expect(mine[i], `${name}[${i}]`).toBeCloseTo(grad.data[i]!, 6);
        }
        known.commitStatistics();
        own.commitStatistics();
      }
      // Dropout drew the same numbers, and batch norm has the same statistics.
      for (const name of ['batchNorm1.mean', 'batchNorm1.variance'])
        expect(bitsOf(own.weights[name]!.data)).toEqual(bitsOf(known.weights[name]!.data));
    });
  });

  it('accumulates: twice the same pass is twice the gradient', async () => {
    await withRuntime(backend, async (runtime) => {
      const plain = sequential([dense(6), tanh(), dense(2)]);
      const model = await createModel(runtime, {
        ...options,
        layers: plain,
        accumulateGradients: true,
      });
      fillInput(model.input);
      const pass = (accumulate: boolean) => {
        model.forward({ training: true });
        model.outputGradients.output!.forEach((_, i, all) => {
          all[i] = slope(i);
        });
        model.backward({ accumulate });
      };
      pass(false);
      const once = Object.values(model.parameters).map(({ grad }) => grad.data.slice());
      pass(true);
      for (const [index, { grad }] of Object.values(model.parameters).entries())
        expect(grad.data).toEqual(once[index]!.map((value) => 2 * value));
      pass(false);
      for (const [index, { grad }] of Object.values(model.parameters).entries())
        expect(grad.data).toEqual(once[index]);
    });
  });
});

describe('gradients against finite differences in float64', () => {
  it.each([true, false])('through a pass with training: %s', (training) => {
    const network = new Network64({ ...options, inputGradients: true }, 4);
    fillInput(network.input);
    network.weights['batchNorm1.mean']!.fill(0.25);
    network.weights['batchNorm1.variance']!.fill(0.5);
    const statistics = ['batchNorm1.mean', 'batchNorm1.variance'].map(
      (name) => [network.weights[name]!, network.weights[name]!.slice()] as const,
    );
    const loss = () => {
      network.forward(training);
      const sum = network.output.reduce((total, value, i) => total + slope(i) * value, 0);
      for (const [values, first] of statistics) values.set(first);
      return sum;
    };
    loss();
    network.outputGradients.output!.forEach((_, i, all) => {
      all[i] = slope(i);
    });
    network.backward();
    const checked = { ...network.gradients, input: network.inputGradients.input! };
    const values = { ...network.weights, input: network.input };
    const copies = Object.entries(checked).map(([key, each]) => [key, each.slice()] as const);
    for (const [key, analytic] of copies) {
      for (let i = 0; i < analytic.length; i++) {
        const at = values[key as keyof typeof values] as Float64Array;
        const value = at[i]!;
        const step = 2 ** -17;
        at[i] = value + step;
        const up = loss();
        at[i] = value - step;
        const down = loss();
        at[i] = value;
        const expected = (up - down) / (2 * step);
        expect(Math.abs(analytic[i]! - expected), `${key}[${i}]`).toBeLessThan(
          1e-8 + 1e-6 * Math.abs(expected),
        );
      }
    }
  });
});

it('a step takes the gradients: a custom loss falls', async () => {
  await withRuntime(simd, async (runtime: Runtime) => {
    const model = await createModel(runtime, options);
    const optimizer = new Adam(runtime, model.parameters, { lr: 1e-2 });
    fillInput(model.input);
    const losses: number[] = [];
    for (let step = 0; step < 100; step++) {
      model.forward({ training: true });
      const { output } = model;
      const gradient = model.outputGradients.output!;
      let loss = 0;
      for (let i = 0; i < 10; i++) {
        // The fourth power of the distance from 1.
        loss += (output[i]! - 1) ** 4;
        gradient[i] = 4 * (output[i]! - 1) ** 3;
      }
      model.backward();
      optimizer.step();
      losses.push(loss);
    }
    expect(losses[99]).toBeLessThan(losses[0]! / 20);
  });
});

it('gradients by an input reach another model', async () => {
  await withRuntime(simd, async (runtime: Runtime) => {
    const value = input('z', 2);
    const first = await createModel(runtime, {
      ...graph({ x: value.apply(dense(3)) }),
      loss: null,
      batchSize: 4,
    });
    const second = await createModel(runtime, {
      inputSize: 3,
      layers: [dense(4), relu(), dense(1)],
      loss: null,
      batchSize: 4,
      inputGradients: true,
    });
    fillInput(first.input);
    first.forward({ training: true });
    second.input.set(first.outputs.x!);
    second.forward({ training: true });
    second.outputGradients.output!.fill(1);
    second.backward();
    first.outputGradients.x!.set(second.inputGradients.input!);
    first.backward();
    for (const bits of gradientsOf(first)) expect(bits.some((each) => each !== 0)).toBe(true);
  });
});

describe('what cannot be is refused', () => {
  it.each<[string, (model: Model) => void, string]>([
    ['backward without forward', (model) => model.backward(), '"backward" expected a forward()'],
    [
      'backward after another pass',
      (model) => {
        model.forward({ training: true });
        model.predictBatch(2);
        model.backward();
      },
      '"backward" expected a forward() just before it',
    ],
    [
      'a second backward',
      (model) => {
        model.forward({ training: true });
        model.backward();
        model.backward();
      },
      '"backward" expected a forward() just before it',
    ],
    [
      'accumulation without room',
      (model) => {
        model.forward({ training: true });
        model.backward({ accumulate: true });
      },
      '"accumulate" expected a model created with accumulateGradients: true',
    ],
    [
      'input gradients without room',
      (model) => void model.inputGradients,
      '"inputGradients" expected a model created with inputGradients: true',
    ],
    ['a loss', (model) => void model.computeGradients(4), '"computeGradients" expected a model'],
    ['an evaluation', (model) => void model.evaluateBatch(4), 'expected a model with a loss'],
    ['labels', (model) => void model.labels, '"model" expected a model with one loss'],
    [
      'a batch of one for batch norm',
      (model) => model.forward({ training: true, count: 1 }),
      '"count" expected at least 2 samples',
    ],
    [
      'an unknown option',
      (model) => model.forward({ train: true } as never),
      '"options.train" expected',
    ],
  ])('%s', async (_, run, message) => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, options);
      expect(() => run(model)).toThrow(message);
    });
  });

  it('anything of training in a model that only predicts', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { ...options, training: false });
      model.forward();
      expect(model.output.length).toBe(10);
      for (const run of [
        () => model.forward({ training: true }),
        () => model.backward(),
        () => void model.outputGradients,
      ])
        expect(run).toThrow('"training" expected a model created with training: true');
    });
  });
});
