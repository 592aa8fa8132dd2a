/** Windows over images, as a window record describes them. */
import { WindowRecord } from '../../../../build/nn-records';
import { windowSizes } from '../../window-sizes';
import type { ReferenceMemory } from './memory';

/** Reads the window record at `address`. */
export function readWindow(memory: ReferenceMemory, address: number) {
  const window = new WindowRecord(memory).at(address);
  const { inHeight, inWidth, inChannels, width, strideY, strideX, padTop, padLeft, outWidth } =
    window;
  const { dilationY, dilationX } = window;
  const { image, positions, patch } = windowSizes(window);
  /** Index in an image of element `element` of the patch at `position`; -1 in the padding. */
  const source = (position: number, element: number): number => {
    const pixel = Math.floor(element / inChannels);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const y = Math.floor(position / outWidth) * strideY - padTop + row * dilationY;
    const x = (position % outWidth) * strideX - padLeft + column * dilationX;
    if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) return -1;
    return (y * inWidth + x) * inChannels + (element % inChannels);
  };
  return { inChannels, image, positions, patch, outWidth, outputs: window.outChannels, source };
}

export type Window = ReturnType<typeof readWindow>;

/**
 * Visits every output element of `count` images: its index, and those in the input that its window
 * covers, in order and without the padding.
 */
export function visitWindows(
  shape: Window,
  count: number,
  visit: (out: number, inputs: number[]) => void,
): void {
  const { positions, patch, inChannels, image, source } = shape;
  for (let i = 0; i < count; ++i) {
    for (let p = 0; p < positions; ++p) {
      for (let c = 0; c < inChannels; ++c) {
        const inputs: number[] = [];
        for (let e = c; e < patch; e += inChannels)
          if (source(p, e) >= 0) inputs.push(i * image + source(p, e));
        visit((i * positions + p) * inChannels + c, inputs);
      }
    }
  }
}
