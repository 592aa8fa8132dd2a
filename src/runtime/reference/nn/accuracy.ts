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
     * row that holds a NaN never counts.
     */
    predictedMatches(logits: number, labels: number, rows: number, cols: number): number {
      let matches = 0;
      for (let r = 0; r < rows; ++r) {
        const start = at(logits) + r * cols;
        const predicted = firstGreatest(memory.f32.subarray(start, start + cols));
        if (predicted >= 0 && predicted === memory.i32[at(labels) + r]) ++matches;
      }
      return matches;
    },
  };
}
