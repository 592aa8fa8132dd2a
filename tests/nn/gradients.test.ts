/**
 * Every layer and loss: gradients against finite differences of the float64 reference, and the same
 * bits on every backend.
 */
import { describe, expect, it } from 'vitest';
import { createModel, dense, describeModel, sequential } from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { generator } from '../kernels/values';
import { BACKENDS, type BackendCase, bitsOf, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';
import { CASES, dataFor } from './cases';

const STEP = 2 ** -17;

/** Every element, or some fifty spread evenly. */
function sampled(length: number): number[] {
  const stride = Math.max(1, Math.floor(length / 50));
  return Array.from({ length: Math.ceil(length / stride) }, (_, i) => i * stride);
}

/** What an error lists between parentheses. */
const listed = (refuse: () => unknown): string[] => {
  try {
    refuse();
  } catch (error) {
    return /\((.*?)\)/.exec(String(error))![1]!.split(', ').sort();
  }
  throw new Error('nothing was refused');
};

it('the cases hold every layer and every loss', () => {
  const cases = Object.values(CASES);
  const layers = new Set<string>(
    cases.flatMap((network) => network.layers.map(({ kind }) => kind)),
  );
  // Layers that merge values stand in graphs: see graphs.test.ts.
  for (const merging of ['add', 'average', 'concat', 'multiply']) layers.add(merging);
  expect([...layers].sort()).toEqual(listed(() => sequential([{ kind: 'none' } as never])));
  const losses = new Set<string>(cases.map(({ loss }) => loss.kind));
  expect([...losses].sort()).toEqual(
    listed(() =>
      describeModel({ inputSize: 2, layers: [dense(2)], loss: { kind: 'none' } as never }),
    ),
  );
});

describe.each(Object.entries(CASES))('%s', (_, network) => {
  it('has the gradients of its loss: finite differences in float64', () => {
    const reference = new Network64(network, 7);
    const { input, labels, targets } = dataFor(network, reference.outputSize, generator(3));
    reference.input.set(input);
    if (network.loss.kind === 'crossEntropy') reference.labels.set(labels);
    else reference.targets.set(targets);
    reference.computeGradients();
    for (const [name, gradient] of Object.entries(reference.gradients)) {
      const analytic = gradient.slice();
      const weights = reference.weights[name]!;
      let largest = 0;
      for (const i of sampled(weights.length)) {
        const value = weights[i]!;
        weights[i] = value + STEP;
        const up = reference.evaluate(true);
        weights[i] = value - STEP;
        const down = reference.evaluate(true);
        weights[i] = value;
        const slope = (up - down) / (2 * STEP);
        largest = Math.max(largest, Math.abs(slope));
        expect(Math.abs(analytic[i]! - slope), `${name}[${i}]`).toBeLessThan(
          1e-8 + 1e-6 * Math.abs(slope),
        );
      }
      // A case in which nothing reaches a parameter would show nothing. (A normalisation undoes
      // shifts made before it.)
      const normalized = network.layers.some(
        ({ kind }) => kind === 'batchNorm' || kind === 'layerNorm',
      );
      if (!(normalized && /(bias|beta)$/.test(name))) expect(largest, name).toBeGreaterThan(1e-4);
    }
  });

  /** Two training passes and an evaluation: everything that comes of them. */
  async function run(backend: BackendCase) {
    return withRuntime(backend, async (runtime: Runtime) => {
      const model = await createModel(runtime, {
        ...network,
        inputShape: network.inputShape,
        seed: 7,
      });
      const { input, labels, targets } = dataFor(network, model.outputSize, generator(3));
      model.input.set(input);
      if (network.loss.kind === 'crossEntropy') model.labels.set(labels);
      else model.targets.set(targets);
      const losses = [
        model.computeGradients(network.batchSize),
        model.computeGradients(network.batchSize - 1),
      ];
      const gradients = Object.values(model.parameters).map(({ grad }) => bitsOf(grad.data));
      const { correct, loss } = model.evaluateBatch(network.batchSize);
      const weights = Object.values(model.weights).map(({ data }) => bitsOf(data));
      return {
        losses,
        gradients,
        correct,
        loss,
        output: bitsOf(model.predictBatch(network.batchSize)),
        weights,
      };
    });
  }

  it('has the same bits on every backend', async () => {
    const reference = await run(BACKENDS[0]!);
    expect(reference.losses.every(Number.isFinite)).toBe(true);
    for (const backend of BACKENDS.slice(1))
      expect(await run(backend), backend.name).toEqual(reference);
  });

  it('is near float64', async () => {
    const { losses } = await run(BACKENDS[0]!);
    const reference = new Network64(network, 7);
    const { input, labels, targets } = dataFor(network, reference.outputSize, generator(3));
    reference.input.set(input);
    if (network.loss.kind === 'crossEntropy') reference.labels.set(labels);
    else reference.targets.set(targets);
    // Both compute training pass 0, in which dropout draws alike.
    expect(Math.abs(losses[0]! - reference.computeGradients(0))).toBeLessThan(1e-6);
  });
});
