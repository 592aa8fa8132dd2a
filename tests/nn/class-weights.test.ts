/**
 * Class weights: what they do in training, in accumulated steps and in evaluation, by Keras's
 * convention and by PyTorch's.
 */
import { describe, expect, it } from 'vitest';
import { GradientAccumulator } from '../../src/entries/gradients';
import { SGD } from '../../src/index';
import { createModel, crossEntropy, dense, evaluate, fit, meanSquaredError } from '../../src/nn';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';

const COUNT = 200;
const features = Float32Array.from({ length: 2 * COUNT }, (_, i) => 2 * Math.sin(1.7 * i));
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i % 10 === 0 ? 1 : 0));
const classWeights = [1, 20];

interface Setup {
  batchSize: number;
  steps?: number;
  reduction?: 'mean' | 'weighted-mean';
  weights?: readonly number[] | null;
  count?: number;
}

async function train(setup: Setup, backend = simd) {
  const { batchSize, steps, reduction, weights = classWeights, count = COUNT } = setup;
  return withRuntime(backend, async (runtime) => {
    const loss = crossEntropy(
      weights ? { classWeights: weights, ...(reduction && { reduction }) } : {},
    );
    const model = await createModel(runtime, {
      inputSize: 2,
      layers: [dense(2)],
      loss,
      batchSize,
      seed: 1,
    });
    const optimizer = new SGD(runtime, model.parameters, { lr: 0.05 });
    const accumulator = steps ? new GradientAccumulator(optimizer, { steps }) : undefined;
    const data = { features: features.subarray(0, 2 * count), labels: labels.subarray(0, count) };
    const { epochs } = await fit(model, data, { optimizer, accumulator, epochs: 10 });
    const learnt = Object.values(model.weights).flatMap(({ data: values }) => [...values]);
    return { learnt, losses: epochs.map(({ loss: value }) => value) };
  });
}

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number) {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(tolerance);
  });
}

describe.each(['mean', 'weighted-mean'] as const)('%s', (reduction) => {
  it('a step of 40 samples equals 1 × 40, 10 × 4 and 40 × 1, as does the epoch loss', async () => {
    const whole = await train({ batchSize: 40, reduction });
    for (const [batchSize, steps] of [
      [10, 4],
      [4, 10],
      [1, 40],
    ] as const) {
      const cut = await train({ batchSize, steps, reduction });
      expectNear(cut.learnt, whole.learnt, 2e-6);
      expectNear(cut.losses, whole.losses, 2e-6);
    }
  });

  it('and where a window ends with a short batch', async () => {
    expectNear(
      (await train({ batchSize: 5, steps: 4, reduction, count: 19 })).learnt,
      (await train({ batchSize: 19, reduction, count: 19 })).learnt,
      2e-6,
    );
    expectNear(
      (await train({ batchSize: 38, reduction, count: 38 })).losses,
      (await train({ batchSize: 7, steps: 6, reduction, count: 38 })).losses,
      2e-6,
    );
  });

  it('has the same bits on every backend', async () => {
    const reference = await train({ batchSize: 7, steps: 3, reduction });
    for (const backend of BACKENDS)
      expect(await train({ batchSize: 7, steps: 3, reduction }, backend)).toEqual(reference);
  });

  it('evaluates to the same loss in batches of any size', async () => {
    await withRuntime(simd, async (runtime) => {
      // By hand: softmax regression of the initial weights in float64.
      const losses: number[] = [];
      let expected = 0;
      for (const batchSize of [1, 7, 40, 200, 256]) {
        const loss = crossEntropy({ classWeights, reduction });
        const model = await createModel(runtime, {
          inputSize: 2,
          layers: [dense(2)],
          loss,
          batchSize,
          seed: 1,
        });
        losses.push(evaluate(model, { features, labels }).loss);
        const [w, b] = Object.values(model.weights).map(({ data }) => data);
        let [sum, weight] = [0, 0];
        labels.forEach((label, i) => {
          const x = [0, 1].map(
            (j) => w![2 * j]! * features[2 * i]! + w![2 * j + 1]! * features[2 * i + 1]! + b![j]!,
          );
          sum += classWeights[label]! * (Math.log(Math.exp(x[0]!) + Math.exp(x[1]!)) - x[label]!);
          weight += classWeights[label]!;
        });
        expected = sum / (reduction === 'mean' ? COUNT : weight);
        model.dispose();
      }
      losses.forEach((loss) => {
        expect(Math.abs(loss / losses[0]! - 1)).toBeLessThan(1e-13);
        expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-6);
      });
    });
  });
});

it('in batches of one, weights count by default and cancel under weighted-mean', async () => {
  const plain = await train({ batchSize: 1, weights: null });
  expect((await train({ batchSize: 1 })).learnt).not.toEqual(plain.learnt);
  const cancelled = await train({ batchSize: 1, reduction: 'weighted-mean' });
  expectNear(cancelled.learnt, plain.learnt, 1e-5);
});

it('by default they divide by the number of samples, as Keras does', async () => {
  await withRuntime(simd, async (runtime) => {
    const gradients = async (weights: number[], reduction?: 'mean' | 'weighted-mean') => {
      const loss = crossEntropy({ classWeights: weights, ...(reduction && { reduction }) });
      const model = await createModel(runtime, {
        inputSize: 2,
        layers: [dense(2)],
        loss,
        batchSize: 40,
        seed: 1,
      });
      model.input.set(features.subarray(0, 80));
      model.labels.set(labels.subarray(0, 40));
      const value = model.computeGradients(40);
      return { value, grads: Object.values(model.parameters).map(({ grad }) => [...grad.data]) };
    };
    const [one, two] = [await gradients([1, 20]), await gradients([2, 40])];
    expect(two.value).toBe(2 * one.value);
    expect(two.grads).toEqual(one.grads.map((grad) => grad.map((g) => 2 * g)));
    const whole = labels.subarray(0, 40).reduce((sum, label) => sum + classWeights[label]!, 0);
    const mean = await gradients([1, 20], 'weighted-mean');
    expect(Math.abs((mean.value * whole) / (40 * one.value) - 1)).toBeLessThan(1e-14);
  });
});

it('an accumulator weighs micro-batches as told; equal weights change nothing', async () => {
  await withRuntime(simd, (runtime) => {
    const step = (weights: readonly (number | undefined)[], values: readonly number[]) => {
      const optimizer = new SGD(runtime, { w: Float32Array.of(0) }, { lr: 1 });
      const accumulator = new GradientAccumulator(optimizer, { steps: values.length });
      for (const [i, value] of values.entries())
        accumulator.add({ w: Float32Array.of(value) }, weights[i]);
      return -optimizer.params.w![0]!;
    };
    expect(step([1, 3], [4, 8])).toBe(7);
    expect(step([16, 16, 5], [1, 1, 1])).toBe(1);
    const values = [0.1, 0.7, -0.3];
    expect(bitsOf(Float32Array.of(step([16, 16, 16], values)))).toEqual(
      bitsOf(Float32Array.of(step([], values))),
    );
    const optimizer = new SGD(runtime, { w: Float32Array.of(0) }, { lr: 1 });
    const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
    for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => accumulator.add({ w: Float32Array.of(1) }, weight)).toThrow(
        '"weight" expected a number in (0, ∞)',
      );
      expect(accumulator.count).toBe(0);
    }
  });
});

it('losses on values weigh by samples too where the last batch is short', async () => {
  await withRuntime(simd, async (runtime) => {
    const targets = features.slice(0, 38);
    const run = async (batchSize: number, steps: number) => {
      const loss = meanSquaredError();
      const model = await createModel(runtime, {
        inputSize: 1,
        layers: [dense(1)],
        loss,
        batchSize,
        seed: 1,
      });
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.05 });
      const accumulator = new GradientAccumulator(optimizer, { steps });
      await fit(
        model,
        { features: features.slice(38, 76), targets },
        { optimizer, accumulator, epochs: 5 },
      );
      return Object.values(model.weights).flatMap(({ data }) => [...data]);
    };
    expectNear(await run(7, 6), await run(38, 1), 1e-6);
  });
});
