/** Windows over images, as a window record describes them. */
import {
  WINDOW_HEIGHT,
  WINDOW_IN_CHANNELS,
  WINDOW_IN_HEIGHT,
  WINDOW_IN_WIDTH,
  WINDOW_OUT_CHANNELS,
  WINDOW_OUT_HEIGHT,
  WINDOW_OUT_WIDTH,
  WINDOW_PAD_LEFT,
  WINDOW_PAD_TOP,
  WINDOW_STRIDE_X,
  WINDOW_STRIDE_Y,
  WINDOW_WIDTH,
} from '../../../memory-layout/nn-layout';
import { at, type ReferenceMemory } from './memory';

/** Reads the window record at `address`. */
export function readWindow({ i32 }: ReferenceMemory, address: number) {
  const field = (offset: number) => i32[at(address + offset)]!;
  const [inWidth, inChannels] = [field(WINDOW_IN_WIDTH), field(WINDOW_IN_CHANNELS)];
  const inHeight = field(WINDOW_IN_HEIGHT);
  const [height, width] = [field(WINDOW_HEIGHT), field(WINDOW_WIDTH)];
  const [strideY, strideX] = [field(WINDOW_STRIDE_Y), field(WINDOW_STRIDE_X)];
  const [padTop, padLeft] = [field(WINDOW_PAD_TOP), field(WINDOW_PAD_LEFT)];
  const [outHeight, outWidth] = [field(WINDOW_OUT_HEIGHT), field(WINDOW_OUT_WIDTH)];
  const positions = outHeight * outWidth;
  const image = inHeight * inWidth * inChannels;
  /** Index in an image of element `element` of the patch at `position`; -1 in the padding. */
  const source = (position: number, element: number): number => {
    const pixel = Math.floor(element / inChannels);
    const y = Math.floor(position / outWidth) * strideY - padTop + Math.floor(pixel / width);
    const x = (position % outWidth) * strideX - padLeft + (pixel % width);
    if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) return -1;
    return (y * inWidth + x) * inChannels + (element % inChannels);
  };
  return {
    inChannels,
    image,
    positions,
    patch: height * width * inChannels,
    outputs: field(WINDOW_OUT_CHANNELS),
    source,
  };
}

export type Window = ReturnType<typeof readWindow>;

/**
 * Visits every output element of `count` images: its index, and those in the input that its window
 * covers, in order.
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
        for (let e = c; e < patch; e += inChannels) inputs.push(i * image + source(p, e));
        visit((i * positions + p) * inChannels + c, inputs);
      }
    }
  }
}
