/**
 * Networks against PyTorch: outputs, loss, gradients, running statistics and inference
 * (scripts/make-nn-golden.py, scripts/make-loss-golden.py).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createModel } from '../../src/nn';
import { simd, withRuntime } from '../support/backends';
import { Network64, type NetworkCase } from '../support/network64';

type Golden = NetworkCase & {
  readonly name: string;
} & Record<
    'input' | 'targets' | 'parameters' | 'output' | 'gradients' | 'statistics' | 'inference',
    number[]
  > & {
    readonly value: number;
  };

const CASES = ['golden-nn.json', 'golden-nn-losses.json'].flatMap((file): Golden[] =>
  JSON.parse(readFileSync(new URL(`../data/${file}`, import.meta.url), 'utf8')),
);

function expectNear(
  actual: Iterable<number>,
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  const values = [...actual];
  expect(values.length, what).toBe(expected.length);
  values.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `${what}[${i}]`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(expected[i]!)),
    );
  });
}

/** Lays `values` into the arrays, one after another. */
function fill(arrays: readonly (Float32Array | Float64Array)[], values: readonly number[]): void {
  let from = 0;
  for (const array of arrays) {
    array.set(values.slice(from, from + array.length));
    from += array.length;
  }
  expect(from).toBe(values.length);
}

describe.each(CASES.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  const classes = golden.loss.kind === 'crossEntropy';

  it('float64: what PyTorch computes, to 1e-9', () => {
    const { inputShape, layers, loss, batchSize } = golden;
    const network = new Network64({ inputShape, layers, loss, batchSize });
    fill(
      Object.keys(network.gradients).map((name) => network.weights[name]!),
      golden.parameters,
    );
    network.input.set(golden.input);
    (classes ? network.labels : network.targets).set(golden.targets);
    expectNear([network.computeGradients()], [golden.value], 1e-9, 'loss');
    expectNear(network.output, golden.output, 1e-9, 'output');
    expectNear(
      Object.values(network.gradients).flatMap((g) => [...g]),
      golden.gradients,
      1e-9,
      'gradients',
    );
    const running = Object.keys(network.weights).filter((name) => !(name in network.gradients));
    expectNear(
      running.flatMap((name) => [...network.weights[name]!]),
      golden.statistics,
      1e-9,
      'statistics',
    );
    network.evaluate(false);
    expectNear(network.output, golden.inference, 1e-9, 'inference');
  });

  it('float32, shipped: the same to 2e-5', async () => {
    await withRuntime(simd, async (runtime) => {
      const { inputShape, layers, loss, batchSize } = golden;
      const model = await createModel(runtime, { inputShape, layers, loss, batchSize });
      const parameters = Object.values(model.parameters);
      fill(
        parameters.map(({ value }) => value.data),
        golden.parameters,
      );
      model.input.set(golden.input);
      (classes ? model.labels : model.targets).set(golden.targets);
      expectNear([model.computeGradients(batchSize)], [golden.value], 2e-5, 'loss');
      expectNear(model.output, golden.output, 2e-5, 'output');
      expectNear(
        parameters.flatMap(({ grad }) => [...grad.data]),
        golden.gradients,
        2e-5,
        'gradients',
      );
      model.commitStatistics();
      const running = Object.keys(model.weights).filter((name) => !(name in model.parameters));
      expectNear(
        running.flatMap((name) => [...model.weights[name]!.data]),
        golden.statistics,
        2e-5,
        'statistics',
      );
      expectNear(model.predictBatch(batchSize), golden.inference, 2e-5, 'inference');
    });
  });
});
