/**
 * How often optimizers are created, stepped and disposed of to see what they leave behind, and what
 * is too much.
 */
export const CYCLES = 10_000;

/**
 * What 9,000 lives may add to the heap: less than 120 bytes each, so that anything left behind by
 * every one is seen.
 */
const HEAP_TOLERANCE = 2 ** 20;

export function checkLifetimes({
  heapBefore,
  heapAfter,
  memoryBefore,
  memoryAfter,
  usedBefore,
  usedAfter,
}) {
  if (memoryAfter !== memoryBefore)
    throw new Error(`linear memory grew from ${memoryBefore} to ${memoryAfter} bytes`);
  if (usedAfter !== usedBefore)
    throw new Error(`allocated linear memory went from ${usedBefore} to ${usedAfter} bytes`);
  if (heapBefore === null) return;
  if (heapAfter - heapBefore > HEAP_TOLERANCE)
    throw new Error(`the heap grew from ${heapBefore} to ${heapAfter} bytes`);
}
