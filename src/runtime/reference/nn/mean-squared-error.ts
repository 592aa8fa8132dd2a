/** Mean squared error. */
import type { Arithmetic } from '../math/arithmetic';
import { elementLoss } from '../math/element-loss';
import type { ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** Returns the mean of (x - t)², and writes its gradient to d, which may be x. */
    meanSquaredError(d: number, x: number, t: number, n: number): number {
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => (v - target) * (v - target),
        (v, target) => 2 * (v - target),
      );
    },
  };
}
