/** Depthwise convolution and its gradients. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';
import { readWindow } from '../math/window';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  /** Reads the window at `address`: each input channel has `multiplier` output channels. */
  const read = (address: number) => {
    const window = readWindow(memory, address);
    const { patch, inChannels, outputs } = window;
    return { ...window, taps: patch / inChannels, multiplier: outputs / inChannels };
  };
  return {
    /**
     * y = W ∗ x, channel by channel, for `count` images as the window record says: channel o of y
     * reads channel ⌊o/multiplier⌋ of x. W is [rows][columns][out channels]. Each sum is one f32
     * accumulator from 0 over the places of the kernel that lie in the image, ascending. `scratch`
     * is the address of depthwiseScratchBytes.
     */
    // biome-ignore format: one line a role
    depthwiseConv2d(
      y: number, x: number, weight: number, window: number, count: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const { positions, outputs, image, inChannels, taps, multiplier, source } = read(window);
      for (let i = 0; i < count; ++i) {
        for (let p = 0; p < positions; ++p) {
          for (let o = 0; o < outputs; ++o) {
            let sum = 0;
            for (let k = 0; k < taps; ++k) {
              const from = source(p, k * inChannels + Math.floor(o / multiplier));
              if (from < 0) continue;
              const product = f[at(x) + i * image + from]! * f[at(weight) + k * outputs + o]!;
              sum = round(sum + round(product));
            }
            f[at(y) + (i * positions + p) * outputs + o] = sum;
          }
        }
      }
    },
    /**
     * dx = the gradient by x: for each of the multiplier's channels one f32 accumulator from 0 over
     * output pixels, ascending; these are added in order.
     */
    // biome-ignore format: one line a role
    depthwiseConv2dInputGrad(
      dx: number, dy: number, weight: number, window: number, count: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const { positions, outputs, image, inChannels, taps, multiplier, source } = read(window);
      for (let i = 0; i < count; ++i) {
        for (let c = 0; c < inChannels; ++c) {
          const total = f.slice(0, image).fill(0);
          for (let o = c * multiplier; o < (c + 1) * multiplier; ++o) {
            const own = f.slice(0, image).fill(0);
            for (let p = 0; p < positions; ++p) {
              const g = f[at(dy) + (i * positions + p) * outputs + o]!;
              for (let k = 0; k < taps; ++k) {
                const to = source(p, k * inChannels + c);
                if (to >= 0) own[to]! += round(g * f[at(weight) + k * outputs + o]!);
              }
            }
            for (let e = c; e < image; e += inChannels) total[e]! += own[e]!;
          }
          for (let e = c; e < image; e += inChannels) f[at(dx) + i * image + e] = total[e]!;
        }
      }
    },
    /**
     * dw = the gradient by W: one f32 accumulator from 0 over each row of output pixels; the sums
     * of the rows are added in order of images and rows.
     */
    // biome-ignore format: one line a role
    depthwiseConv2dWeightGrad(
      dw: number, dy: number, x: number, window: number, count: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const { positions, outWidth, outputs, image, inChannels, taps, multiplier, source } =
        read(window);
      f.fill(0, at(dw), at(dw) + taps * outputs);
      for (let row = 0; row < count * (positions / outWidth); ++row) {
        const [i, first] = [Math.floor((row * outWidth) / positions), (row * outWidth) % positions];
        for (let ko = 0; ko < taps * outputs; ++ko) {
          const [k, o] = [Math.floor(ko / outputs), ko % outputs];
          let sum = 0;
          for (let p = first; p < first + outWidth; ++p) {
            const from = source(p, k * inChannels + Math.floor(o / multiplier));
            if (from < 0) continue;
            const g = f[at(dy) + (i * positions + p) * outputs + o]!;
            sum = round(sum + round(g * f[at(x) + i * image + from]!));
          }
          f[at(dw) + ko]! += sum;
        }
      }
    },
  };
}
