/** The sizes that follow from a window record, as assembly/math/window.ts derives them. */
import type { WindowRecord } from '../../build/nn-records';
import { paddedPixels, spannedPixels } from '../memory-layout/nn-layout';

export interface WindowSizes {
  /** Floats of an input image. */
  readonly image: number;
  /** Floats of an input image with its padding. */
  readonly padded: number;
  /** Output pixels of an image. */
  readonly positions: number;
  /** Floats of a patch, the part of an image that a window covers. */
  readonly patch: number;
}

export function windowSizes(window: WindowRecord): WindowSizes {
  const { inHeight, inWidth, inChannels, height, width, outHeight, outWidth } = window;
  const rows = spannedPixels(height, window.dilationY);
  const columns = spannedPixels(width, window.dilationX);
  const paddedHeight = paddedPixels(window.padTop, inHeight, outHeight, window.strideY, rows);
  const paddedWidth = paddedPixels(window.padLeft, inWidth, outWidth, window.strideX, columns);
  return {
    image: inHeight * inWidth * inChannels,
    padded: paddedHeight * paddedWidth * inChannels,
    positions: outHeight * outWidth,
    patch: height * width * inChannels,
  };
}
