/**
 * W1 against the figures that DeepOBS published: ten seeds, the published learning rates, the loss
 * at the end.
 */

import { createOptimizer, createRuntime, type OptimizerName, type Runtime } from 'adal-wasm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { quadraticDeep } from '../../bench/suite/workloads/quadratic-deep';
import { fileSource } from '../bench/files';

const STEPS = 700;
const SEEDS = 10;
let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.dispose());

it.each<[string, OptimizerName, object, number, number]>([
  ['Adam', 'adam', { lr: 0.03981 }, 87.112, 0.024],
  ['heavy ball', 'sgd', { lr: 0.00251, momentum: 0.99 }, 87.045, 0.025],
  ['SGD', 'sgd', { lr: 0.01585 }, 87.397, 0.169],
])(
  '%s comes to the published loss, within its spread',
  async (title, name, options, published, spread) => {
    const { create } = await quadraticDeep.prepare(fileSource);
    const losses: number[] = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const problem = await create(runtime, seed);
      const optimizer = await createOptimizer(name, problem.parameters, { ...options, runtime });
      if (seed === 0)
        expect(problem.evaluate(optimizer, false).validationLoss).toBeCloseTo(353.4468, 3);
      for (let step = 0; step < STEPS; step++) {
        problem.computeGradients(optimizer, step);
        optimizer.step();
      }
      losses.push(problem.evaluate(optimizer, false).validationLoss!);
      optimizer.dispose();
    }
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / SEEDS;
    const deviation = Math.sqrt(
      losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (SEEDS - 1),
    );
    console.log(
      `${title}: ${mean.toFixed(3)} ± ${deviation.toFixed(3)}, published ${published} ± ${spread}`,
    );
    expect(Math.abs(mean - published)).toBeLessThanOrEqual(spread);
  },
);
