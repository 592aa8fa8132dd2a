/** Huber's loss. */
import type { Arithmetic } from '../math/arithmetic';
import { elementLoss } from '../math/element-loss';
import type { ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /**
     * Returns the mean of ½r² for |r| ≤ delta and delta·(|r| - ½·delta) beyond, with r = x - t, and
     * writes its gradient to d, which may be x.
     */
    huber(d: number, x: number, t: number, n: number, delta: number): number {
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => {
          const r = Math.abs(v - target);
          return r > delta ? delta * (r - 0.5 * delta) : 0.5 * (r * r);
        },
        (v, target) => {
          const r = v - target;
          return r > delta ? delta : r < -delta ? -delta : r;
        },
      );
    },
  };
}
