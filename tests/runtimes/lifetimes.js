/** How many optimizers the leak test creates, steps and disposes of. */
export const CYCLES = 10_000;

/**
 * Bytes that 9,000 lifetimes may add to the heap: less than 120 each, so that an object leaked by
 * every lifetime is noticed.
 */
const HEAP_TOLERANCE = 2 ** 20;

/** @throws Error if linear memory grew at all, or the heap beyond its tolerance */
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
