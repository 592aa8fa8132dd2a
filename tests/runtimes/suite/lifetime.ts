/** Measures what many optimizers leave behind after their disposal. */
import { AdaL, createRuntime } from '../../../src/index';

export interface LifetimeReport {
  readonly cycles: number;
  /**
   * JavaScript heap after a garbage collection, bytes: after the first tenth of the cycles, and
   * after all. Null where the runtime does not report it.
   */
  readonly heapBefore: number | null;
  readonly heapAfter: number | null;
  /** Linear memory, bytes: its size, and how much of it is allocated. */
  readonly memoryBefore: number;
  readonly memoryAfter: number;
  readonly usedBefore: number;
  readonly usedAfter: number;
}

/** Returns the heap in use after a collection, where the runtime reports it. */
export type MeasureHeap = () => Promise<number | null> | number | null;

/**
 * Creates, steps and disposes of optimizers in one runtime, every hundredth in a runtime of its
 * own.
 */
export async function measureLifetimes(
  cycles: number,
  measureHeap: MeasureHeap,
): Promise<LifetimeReport> {
  const runtime = await createRuntime({ threads: 1 });
  const live = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const own = i % 100 === 0 ? await createRuntime({ threads: 1 }) : null;
      const optimizer = new AdaL(own ?? runtime, {
        w: { shape: [1 + (i % 700)] },
        b: { shape: [10] },
      });
      optimizer.grads.w.fill(1);
      optimizer.step();
      if (i % 50 === 0) await optimizer.stepAsync();
      optimizer.dispose();
      own?.dispose();
    }
  };
  await live(0, cycles / 10);
  const before = { heap: await measureHeap(), ...runtime.info };
  await live(cycles / 10, cycles);
  const after = { heap: await measureHeap(), ...runtime.info };
  runtime.dispose();
  return {
    cycles,
    heapBefore: before.heap,
    heapAfter: after.heap,
    memoryBefore: before.memoryBytes,
    memoryAfter: after.memoryBytes,
    usedBefore: before.usedBytes,
    usedAfter: after.usedBytes,
  };
}
