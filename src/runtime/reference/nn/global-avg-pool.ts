/** The mean over all pixels of an image, channel by channel. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /** y[c] = the mean over the pixels of an image, in f64, ascending. */
    globalAvgPool(y: number, x: number, count: number, pixels: number, channels: number): void {
      const f = memory.f32;
      for (let o = 0; o < count * channels; ++o) {
        const first = at(x) + Math.floor(o / channels) * pixels * channels + (o % channels);
        let sum = 0;
        for (let p = 0; p < pixels; ++p) sum += f[first + p * channels]!;
        f[at(y) + o] = sum / pixels;
      }
    },
    /** dx[p][c] = dy[c]·f32(1/pixels) */
    globalAvgPoolGrad(
      dx: number,
      dy: number,
      count: number,
      pixels: number,
      channels: number,
    ): void {
      const f = memory.f32;
      for (let k = 0; k < count * pixels * channels; ++k) {
        const image = Math.floor(k / (pixels * channels));
        f[at(dx) + k] = f[at(dy) + image * channels + (k % channels)]! * round(1 / pixels);
      }
    },
  };
}
