/** Mean absolute error. */
import type { Arithmetic } from '../math/arithmetic';
import { elementLoss } from '../math/element-loss';
import type { ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /**
     * Returns the mean of |x - t|, and writes its gradient to d, which may be x: the sign of x - t
     * over n, 0 where they are equal.
     */
    meanAbsoluteError(d: number, x: number, t: number, n: number): number {
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => Math.abs(v - target),
        (v, target) => {
          const r = v - target;
          return r > 0 ? 1 : r < 0 ? -1 : r;
        },
      );
    },
  };
}
