/** Binary cross-entropy on logits. */
import { log } from '../../../math/log';
import type { Arithmetic } from '../math/arithmetic';
import { elementLoss } from '../math/element-loss';
import type { ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { exp }: Arithmetic) {
  return {
    /**
     * Returns the mean of max(x, 0) - x·t + log(1 + e^-|x|) over n logits x and targets t in [0,
     * 1], and writes its gradient to d, which may be x. A target outside [0, 1] makes the loss and
     * its own gradient NaN.
     */
    binaryCrossEntropy(d: number, x: number, t: number, n: number): number {
      const valid = (target: number) => (target >= 0 && target <= 1 ? target : Number.NaN);
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => (v < 0 ? 0 : v) - v * valid(target) + log(1 + exp(-Math.abs(v))),
        (v, target) => {
          const e = exp(-Math.abs(v));
          return (v < 0 ? e : 1) / (1 + e) - valid(target);
        },
      );
    },
  };
}
