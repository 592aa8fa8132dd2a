/**
 * The fingerprint: one SHA-256 over parameters and state after fixed runs of every optimizer, and
 * then over networks of every layer and loss (networks.ts). It is the same on every runtime,
 * backend and thread count, and changes only when the numbers do.
 */
import { createOptimizer, type Runtime } from '../../../src/index';
import { COMPACT_CASES, gradientsAt, initialParams, RULE_CASES } from '../../support/rules';
import { createAlternating } from './configuration';
import { bytesOf } from './state';

/** What the fingerprint would be without the networks. */
export const OPTIMIZERS_FINGERPRINT =
  '8edbbddeae9039199c649ac70b1bb632e1b8bb1183078a6633f05ae952eaeab0';

/** Options that are pinned, so that a new default does not change the fingerprint of the rules. */
const PINNED: Readonly<Record<string, object>> = { adal: { lr: 1e-2 } };

/**
 * Runs every optimizer, with each state format it supports, for 40 steps with gradients of four
 * scales, some of them zero and some refused. Returns the bytes of all parameters and states.
 */
export async function runOptimizers(runtime: Runtime): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (const [, name, options] of [...RULE_CASES, ...COMPACT_CASES]) {
    const optimizer = await createOptimizer(name, initialParams(), {
      runtime,
      ...PINNED[name],
      ...options,
      onNonFinite: 'skip',
    });
    const advance = createAlternating();
    for (let t = 1; t <= 40; t++) {
      const grads = gradientsAt(t, t % 11 === 6 ? 0 : 10 ** ((t % 4) - 2));
      if (t % 17 === 9) grads.c[8190] = Number.NaN;
      await advance(optimizer, grads);
    }
    parts.push(bytesOf(optimizer));
    optimizer.dispose();
  }
  return parts;
}
