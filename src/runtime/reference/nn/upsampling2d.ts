/** Upsampling by repetition of pixels. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';
import { readWindow, visitWindows } from '../math/window';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /**
     * y = each pixel of x over a window of y. The window record is that of a pooling from y to x.
     */
    upSampling2d(y: number, x: number, window: number, count: number): void {
      const f = memory.f32;
      visitWindows(readWindow(memory, window), count, (pixel, copies) => {
        for (const copy of copies) f[at(y) + copy] = f[at(x) + pixel]!;
      });
    },
    /** dx = the f32 sum of dy over each window, in its order. */
    upSampling2dGrad(dx: number, dy: number, window: number, count: number): void {
      const f = memory.f32;
      visitWindows(readWindow(memory, window), count, (pixel, copies) => {
        let sum = 0;
        for (const copy of copies) sum = round(sum + f[at(dy) + copy]!);
        f[at(dx) + pixel] = sum;
      });
    },
  };
}
