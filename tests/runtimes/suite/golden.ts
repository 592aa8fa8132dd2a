/**
 * Tests the golden trajectories: close to the float64 reference, and equal to the oracle's bits.
 */
import type { Runtime } from '../../../src/index';
import golden from '../../data/golden-trajectories.json';
import type { GoldenCase } from '../../support/golden';
import { deviations, runGolden, type Trajectory } from '../../support/golden-run';
import { checkBits, checkEqual, type Recorder } from './checks';
import { createAlternating, withRuntime } from './configuration';

const CASES = (golden as unknown as { cases: GoldenCase[] }).cases;

/** The oracle's trajectories, which are the same for every configuration. */
const references = new Map<string, Trajectory>();

async function runOracle(): Promise<void> {
  if (references.size > 0) return;
  await withRuntime('oracle', async (oracle) => {
    for (const each of CASES) references.set(each.name, await runGolden(each, oracle));
  });
}

export async function testGolden(recorder: Recorder, runtime: Runtime): Promise<void> {
  await runOracle();
  const advance = createAlternating();
  for (const each of CASES) {
    await recorder.test(`golden: ${each.name}`, async () => {
      const trajectory = await runGolden(each, runtime, advance);
      checkEqual(deviations(each, trajectory).slice(0, 3), [], 'deviations from the reference');
      for (const [t, values] of (references.get(each.name) as Trajectory).values) {
        checkBits(trajectory.values.get(t) as Float32Array, values, `step ${t}`);
      }
    });
  }
}
