/**
 * The option `relaxed`: only when asked for, only where the engine has it, and then near the exact
 * result.
 */
import { describe, expect, it } from 'vitest';
import { Adam, createRuntime } from '../../src/index';
import { conv2d, createModel, dense, flatten, relu } from '../../src/nn';
import { hasRelaxedSimd } from '../../src/runtime/features';
import type { Runtime } from '../../src/runtime/runtime';
import type { RuntimeOptions } from '../../src/runtime/runtime-options';
import { bitsOf } from '../support/backends';
import { ordinary } from './values';

/**
 * Gradients of a small network, one after the other, and the weights after a step with given
 * gradients.
 */
async function train(options: RuntimeOptions) {
  const runtime: Runtime = await createRuntime(options);
  const layers = [conv2d(6, { kernelSize: 3 }), relu(), flatten(), dense(20), relu(), dense(4)];
  const model = await createModel(runtime, {
    inputShape: [9, 9, 3],
    layers,
    batchSize: 12,
    seed: 2,
  });
  model.input.set(ordinary(model.input.length, 1));
  model.labels.forEach((_, i, labels) => {
    labels[i] = i % 4;
  });
  model.computeGradients(12);
  const gradients = Float32Array.from(
    Object.values(model.parameters).flatMap(({ grad }) => [...grad.data]),
  );
  const optimizer = new Adam(runtime, { w: ordinary(40, 3) });
  optimizer.step({ w: ordinary(40, 4) });
  const { info } = runtime;
  const result = { info, gradients, stepped: bitsOf(optimizer.params.w) };
  runtime.dispose();
  return result;
}

const BACKENDS: RuntimeOptions[] = [
  { backend: 'simd' },
  { backend: 'threads', threads: 2, parallelThreshold: 0 },
];

describe.each(BACKENDS)('relaxed with $backend', (options) => {
  it('is in use where the engine has it, and never unasked', async () => {
    expect((await train({ ...options, relaxed: true })).info.relaxed).toBe(hasRelaxedSimd());
    expect((await train(options)).info.relaxed).toBe(false);
  });

  it('gives gradients within rounding of the exact ones, and equal optimizer steps', async () => {
    const [exact, relaxed] = [await train(options), await train({ ...options, relaxed: true })];
    expect(relaxed.stepped).toEqual(exact.stepped);
    const scale = Math.max(...exact.gradients.map(Math.abs));
    // Sums of at most 1,000 products of one scale: each differs by a rounding.
    const apart = Math.max(
      ...exact.gradients.map((value, i) => Math.abs(value - relaxed.gradients[i]!)),
    );
    expect(apart).toBeLessThan(1e-5 * scale);
    if (!hasRelaxedSimd()) expect(apart).toBe(0);
  });
});

it('the oracle is exact', async () => {
  const runtime = await createRuntime({ backend: 'oracle', relaxed: true });
  expect(runtime.info.relaxed).toBe(false);
});

it('refuses anything but a boolean', async () => {
  await expect(createRuntime({ relaxed: 1 as never })).rejects.toThrow(
    '"relaxed" expected true or false, got 1',
  );
});
