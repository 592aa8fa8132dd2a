/** Upsampling by linear interpolation along both axes. */
import { WindowRecord } from '../../../../build/nn-records';
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  /** Visits every element of the large images with its four sources and their weights. */
  const visit = (
    address: number,
    count: number,
    each: (large: number, sources: number[], weights: number[]) => void,
  ): void => {
    const window = new WindowRecord(memory).at(address);
    const { inHeight, inWidth, inChannels: channels, outHeight, outWidth } = window;
    /** Returns the neighbours of large pixel `o`, and the share of the second. */
    const around = (o: number, size: number, length: number) => {
      const place = (o + 0.5) / size - 0.5;
      const first = Math.floor(place);
      const share = round(place - first);
      return [Math.max(0, first), Math.min(length - 1, first + 1), share] as const;
    };
    for (let large = 0; large < count * inHeight * inWidth * channels; large++) {
      const pixel = Math.floor(large / channels);
      const row = Math.floor(pixel / inWidth);
      const [x0, x1, tx] = around(pixel % inWidth, window.width, outWidth);
      const [y0, y1, ty] = around(row % inHeight, window.height, outHeight);
      const image = Math.floor(row / inHeight) * outHeight;
      const source = (y: number, x: number) =>
        ((image + y) * outWidth + x) * channels + (large % channels);
      const [sx, sy] = [round(1 - tx), round(1 - ty)];
      each(
        large,
        [source(y0, x0), source(y0, x1), source(y1, x0), source(y1, x1)],
        [sy * sx, sy * tx, ty * sx, ty * tx].map(round),
      );
    }
  };
  return {
    /**
     * y = x, interpolated between the middles of its pixels: the f32 sum of four weighted pixels,
     * upper ones and left ones first. The window record is that of a pooling from y to x.
     */
    bilinear2d(y: number, x: number, window: number, count: number): void {
      const f = memory.f32;
      visit(window, count, (large, sources, weights) => {
        const terms = sources.map((source, k) => round(f[at(x) + source]! * weights[k]!));
        f[at(y) + large] = terms.reduce((sum, term) => round(sum + term));
      });
    },
    /** dx = the f32 sum of the weighted dy of each pixel that reads it, ascending. */
    bilinear2dGrad(dx: number, dy: number, window: number, count: number): void {
      const f = memory.f32;
      const { outHeight, outWidth, inChannels } = new WindowRecord(memory).at(window);
      f.fill(0, at(dx), at(dx) + count * outHeight * outWidth * inChannels);
      visit(window, count, (large, sources, weights) => {
        for (const [k, source] of sources.entries())
          f[at(dx) + source]! += round(f[at(dy) + large]! * weights[k]!);
      });
    },
  };
}
