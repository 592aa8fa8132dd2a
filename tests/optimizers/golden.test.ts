/** Every AdaL case of the golden file, on every backend. */
import { describe, expect, it } from 'vitest';
import { createOptimizer, type OptimizerName, optimizerNames } from '../../src/index';
import { BACKENDS, bitsOf, oracle, withRuntime } from '../support/backends';
import { concat, type GoldenCase, loadGolden, toleranceOf } from '../support/golden';

const cases = loadGolden().filter(({ optimizer }) => (optimizerNames() as string[]).includes(optimizer));

interface Trajectory {
  /** By step: all parameters, one after another. */
  readonly values: Map<number, Float32Array>;
  /** By step: Σ over steps of the largest move of any element. */
  readonly path: Map<number, number>;
}

/** Runs a case; `path` is measured on the run itself, since the reference has some of the steps only. */
async function run(golden: GoldenCase, backend: (typeof BACKENDS)[number]): Promise<Trajectory> {
  return withRuntime(backend, async (runtime) => {
    const params = Object.fromEntries(
      golden.params.map(({ name, shape, init }) => [name, { shape, data: new Float32Array(init) }]),
    );
    const optimizer = await createOptimizer(golden.optimizer as OptimizerName, params, { ...golden.options, runtime });
    const names = golden.params.map(({ name }) => name);
    const trajectory: Trajectory = { values: new Map(), path: new Map() };
    let before = concat(names.map((name) => optimizer.params[name]));
    let path = 0;
    for (let t = 1; t <= golden.steps; t++) {
      optimizer.step(Object.fromEntries(names.map((name, i) => [name, new Float32Array(golden.grads[t - 1][i])])));
      const after = concat(names.map((name) => optimizer.params[name]));
      path += after.reduce((largest, x, i) => Math.max(largest, Math.abs(x - before[i])), 0);
      trajectory.values.set(t, after);
      trajectory.path.set(t, path);
      before = after;
    }
    return trajectory;
  });
}

describe.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  it('follows the float64 reference, with the same bits on every backend', async () => {
    const reference = await run(golden, oracle);
    for (const [step, expected] of Object.entries(golden.expected)) {
      const t = Number(step);
      const got = reference.values.get(t) as Float32Array;
      for (const [i, want] of expected.flat().entries()) {
        const tolerance = toleranceOf(want, t, reference.path.get(t) as number);
        expect(Math.abs(got[i] - want), `step ${t}, element ${i}`).toBeLessThanOrEqual(tolerance);
      }
    }
    for (const backend of BACKENDS) {
      const other = await run(golden, backend);
      for (const [t, values] of reference.values) {
        expect(bitsOf(other.values.get(t) as Float32Array), `${backend.name}, step ${t}`).toEqual(bitsOf(values));
      }
    }
  });
});
