/**
 * The fingerprint: one SHA-256 over parameters and state after fixed runs of every optimizer. It is the same on every
 * runtime, backend and thread count, and changes only when the numbers do.
 */
import { createOptimizer, type Runtime } from '../../../src/index';
import { gradientsAt, initialParams, RULE_CASES } from '../../support/rules';
import { createAlternating } from './configuration';
import { bytesOf } from './state';

/** Options under which every optimizer runs once: one entry for each way in which state is kept. */
const STATES: readonly Record<string, unknown>[] = [{}];

/** Every optimizer for 40 steps over four scales, with zero gradients and refused ones between. */
export async function runOptimizers(runtime: Runtime): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (const state of STATES) {
    for (const [, name, options] of RULE_CASES) {
      const optimizer = await createOptimizer(name, initialParams(), { runtime, ...options, ...state, onNonFinite: 'skip' });
      const advance = createAlternating();
      for (let t = 1; t <= 40; t++) {
        const grads = gradientsAt(t, t % 11 === 6 ? 0 : 10 ** ((t % 4) - 2));
        if (t % 17 === 9) grads.c[8190] = Number.NaN;
        await advance(optimizer, grads);
      }
      parts.push(bytesOf(optimizer));
      optimizer.dispose();
    }
  }
  return parts;
}
