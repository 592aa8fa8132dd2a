/** Average pooling over windows of images. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';
import { readWindow, visitWindows } from '../math/window';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /** y = the f32 sum over each window, in its order, times f32(1/size). */
    avgPool2d(y: number, x: number, window: number, count: number): void {
      const f = memory.f32;
      visitWindows(readWindow(memory, window), count, (out, inputs) => {
        let sum = 0;
        for (const input of inputs) sum = round(sum + f[at(x) + input]!);
        f[at(y) + out] = sum * round(1 / inputs.length);
      });
    },
    /** Adds dy times f32(1/size) to every element of each window. */
    avgPool2dGrad(dx: number, dy: number, window: number, count: number): void {
      const f = memory.f32;
      const shape = readWindow(memory, window);
      f.fill(0, at(dx), at(dx) + count * shape.image);
      visitWindows(shape, count, (out, inputs) => {
        const share = round(f[at(dy) + out]! * round(1 / inputs.length));
        for (const input of inputs) f[at(dx) + input]! += share;
      });
    },
  };
}
