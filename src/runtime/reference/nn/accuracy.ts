/** Counts of correct predictions. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type Floats, type ReferenceMemory } from '../math/memory';

/** Returns the index of the first greatest element; -1 if any is NaN. */
function firstGreatest(x: Floats): number {
  let best = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < x.length; ++j) {
    if (Number.isNaN(x[j])) return -1;
    if (x[j]! > greatest) greatest = x[(best = j)]!;
  }
  return best;
}

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /**
     * Returns how many rows have their label (i32) as the index of their first greatest logit. A
     * row that holds a NaN never counts, nor does one whose label is `ignore`; NaN ignores none.
     */
    // biome-ignore format: one line a role
    predictedMatches(
      logits: number, labels: number, rows: number, cols: number, ignore: number,
    ): number {
      let matches = 0;
      for (let r = 0; r < rows; ++r) {
        const start = at(logits) + r * cols;
        const predicted = firstGreatest(memory.f32.subarray(start, start + cols));
        const label = memory.i32[at(labels) + r]!;
        if (predicted >= 0 && predicted === label && label !== ignore) ++matches;
      }
      return matches;
    },
  };
}
