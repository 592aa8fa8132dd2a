/** Binary cross-entropy on logits. */
import { log } from '../../../math/log';
import type { Arithmetic } from '../math/arithmetic';
import { elementLoss } from '../math/element-loss';
import { at, type ReferenceMemory } from '../math/memory';

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
    /**
     * Returns the mean over rows × cols of (1 - t)·x + (1 + (w - 1)·t)·(log(1 + e^-|x|) + max(-x,
     * 0)), where `weights` is the address of w, one f32 per column. Otherwise the same.
     */
    // biome-ignore format: one line a role
    weightedBinaryCrossEntropy(
      d: number, x: number, t: number, weights: number, rows: number, cols: number,
    ): number {
      const f = memory.f32;
      const n = rows * cols;
      let total = 0;
      for (let i = 0; i < n; ++i) {
        const [v, given] = [f[at(x) + i]!, f[at(t) + i]!];
        const target = given >= 0 && given <= 1 ? given : Number.NaN;
        const e = exp(-Math.abs(v));
        const weight = 1 + (f[at(weights) + (i % cols)]! - 1) * target;
        total += (1 - target) * v + weight * (log(1 + e) + (v < 0 ? -v : 0));
        f[at(d) + i] = (1 - target - weight * ((v < 0 ? 1 : e) / (1 + e))) / n;
      }
      return total / n;
    },
  };
}
