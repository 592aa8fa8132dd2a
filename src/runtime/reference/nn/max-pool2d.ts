/** Max pooling over windows of images. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';
import { readWindow, visitWindows } from '../math/window';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /**
     * y = the greatest element of each window (the first of equals; NaN if there is one). `index`,
     * unless 0, receives its place in the window (i32).
     */
    maxPool2d(y: number, index: number, x: number, window: number, count: number): void {
      const { f32: f, i32 } = memory;
      visitWindows(readWindow(memory, window), count, (out, inputs) => {
        let [best, place] = [f[at(x) + inputs[0]!]!, 0];
        for (const [w, input] of inputs.entries()) {
          const value = f[at(x) + input]!;
          if (value > best || Number.isNaN(value)) [best, place] = [value, w];
        }
        f[at(y) + out] = best;
        if (index) i32[at(index) + out] = place;
      });
    },
    /** Adds dy where maxPool2d found each maximum; dx is 0 elsewhere. */
    maxPool2dGrad(dx: number, dy: number, index: number, window: number, count: number): void {
      const { f32: f, i32 } = memory;
      const shape = readWindow(memory, window);
      f.fill(0, at(dx), at(dx) + count * shape.image);
      visitWindows(shape, count, (out, inputs) => {
        f[at(dx) + inputs[i32[at(index) + out]!]!]! += f[at(dy) + out]!;
      });
    },
  };
}
