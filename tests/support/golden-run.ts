/**
 * Runs of the golden trajectories, and how far they are from the float64 reference. No test
 * framework in here.
 */
import {
  createOptimizer,
  type Gradients,
  type Optimizer,
  type OptimizerName,
  type Runtime,
} from '../../src/index';
import type { GoldenCase } from './golden';

export interface Trajectory {
  /** By step: all parameters, one after another. */
  readonly values: Map<number, Float32Array>;
  /** By step: Σ over steps of the largest move of any element. */
  readonly path: Map<number, number>;
}

const step = (optimizer: Optimizer, grads: Gradients): unknown => optimizer.step(grads);

/**
 * Runs a case; `path` is measured on the run itself, since the reference has some of the steps
 * only.
 */
export async function runGolden(
  golden: GoldenCase,
  runtime: Runtime,
  advance = step,
): Promise<Trajectory> {
  const params = Object.fromEntries(
    golden.params.map(({ name, shape, init }) => [name, { shape, data: new Float32Array(init) }]),
  );
  const optimizer = await createOptimizer(golden.optimizer as OptimizerName, params, {
    ...golden.options,
    runtime,
  });
  const names = golden.params.map(({ name }) => name);
  const trajectory: Trajectory = { values: new Map(), path: new Map() };
  let before = concat(names.map((name) => optimizer.params[name]));
  let path = 0;
  for (let t = 1; t <= golden.steps; t++) {
    await advance(
      optimizer,
      Object.fromEntries(names.map((name, i) => [name, new Float32Array(golden.grads[t - 1][i])])),
    );
    const after = concat(names.map((name) => optimizer.params[name]));
    path += after.reduce((largest, x, i) => Math.max(largest, Math.abs(x - before[i])), 0);
    trajectory.values.set(t, after);
    trajectory.path.set(t, path);
    before = after;
  }
  optimizer.dispose();
  return trajectory;
}

/** Where a run is further from the reference than rounding explains. */
export function deviations(golden: GoldenCase, { values, path }: Trajectory): string[] {
  const found: string[] = [];
  for (const [step, expected] of Object.entries(golden.expected)) {
    const t = Number(step);
    const got = values.get(t) as Float32Array;
    for (const [i, want] of expected.flat().entries()) {
      const tolerance = toleranceOf(want, t, path.get(t) as number);
      if (!(Math.abs(got[i] - want) <= tolerance))
        found.push(`step ${t}, element ${i}: ${got[i]} for ${want}`);
    }
  }
  return found;
}

/**
 * How far float32 may be from the reference: 1e-6 of the path for the rounding of updates, 2 ulp a
 * step for that of the weights.
 * @param path Σ over steps of the largest move of any element
 */
export function toleranceOf(want: number, steps: number, path: number): number {
  return 1e-6 * path + 2 * steps * ulp(want);
}

/** All elements, one array after another. */
export function concat(arrays: Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}

/** One unit in the last place of a float32. */
function ulp(x: number): number {
  const bits = new Int32Array(new Float32Array([Math.abs(x)]).buffer);
  return (
    new Float32Array(new Int32Array([bits[0] + 1]).buffer)[0] - new Float32Array(bits.buffer)[0]
  );
}
