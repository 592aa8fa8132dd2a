/** Window records for tests: geometry in words, and as the kernels read it. */
import * as L from '../../src/memory-layout/nn-layout';

export interface Geometry {
  height: number;
  width: number;
  channels: number;
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** Top, bottom, left, right. */
  padding: readonly [number, number, number, number];
  outputs: number;
}

/** Sizes that follow from a geometry. */
export function sizesOf({ height, width, channels, kernel, stride, padding, outputs }: Geometry) {
  const outHeight = Math.floor((height + padding[0] + padding[1] - kernel[0]) / stride[0]) + 1;
  const outWidth = Math.floor((width + padding[2] + padding[3] - kernel[1]) / stride[1]) + 1;
  const positions = outHeight * outWidth;
  const patch = kernel[0] * kernel[1] * channels;
  const paddedHeight = L.paddedPixels(padding[0], height, outHeight, stride[0], kernel[0]);
  const padded =
    paddedHeight * L.paddedPixels(padding[2], width, outWidth, stride[1], kernel[1]) * channels;
  return {
    outHeight,
    outWidth,
    padded,
    positions,
    patch,
    image: height * width * channels,
    weights: patch * outputs,
  };
}

export function windowRecord(geometry: Geometry): Int32Array {
  const { outHeight, outWidth } = sizesOf(geometry);
  const record = new Int32Array(L.WINDOW_SIZE / 4);
  const { height, width, channels, kernel, stride, padding, outputs } = geometry;
  const fields: readonly [number, number][] = [
    [L.WINDOW_IN_HEIGHT, height],
    [L.WINDOW_IN_WIDTH, width],
    [L.WINDOW_IN_CHANNELS, channels],
    [L.WINDOW_HEIGHT, kernel[0]],
    [L.WINDOW_WIDTH, kernel[1]],
    [L.WINDOW_STRIDE_Y, stride[0]],
    [L.WINDOW_STRIDE_X, stride[1]],
    [L.WINDOW_PAD_TOP, padding[0]],
    [L.WINDOW_PAD_LEFT, padding[2]],
    [L.WINDOW_OUT_HEIGHT, outHeight],
    [L.WINDOW_OUT_WIDTH, outWidth],
    [L.WINDOW_OUT_CHANNELS, outputs],
  ];
  for (const [offset, value] of fields) record[offset / 4] = value;
  return record;
}
