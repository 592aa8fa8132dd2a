/** Window records for tests. */
import { WINDOW_RECORD_SIZE, WindowRecord } from '../../build/nn-records';
import { windowSizes } from '../../src/runtime/window-sizes';

export interface Geometry {
  height: number;
  width: number;
  channels: number;
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** Top, bottom, left, right. */
  padding: readonly [number, number, number, number];
  outputs: number;
  /** Vertical and horizontal. @default 1 */
  dilation?: readonly [number, number];
}

/** Returns the words of the record of a window. */
export function windowRecord(geometry: Geometry): Int32Array {
  const words = new Int32Array(WINDOW_RECORD_SIZE / 4);
  write(new WindowRecord({ i32: words }), geometry);
  return words;
}

/** Returns the sizes that follow from a geometry. */
export function sizesOf(geometry: Geometry) {
  const window = new WindowRecord({ i32: new Int32Array(WINDOW_RECORD_SIZE / 4) });
  write(window, geometry);
  const { outHeight, outWidth } = window;
  const sizes = windowSizes(window);
  return { outHeight, outWidth, ...sizes, weights: sizes.patch * geometry.outputs };
}

function write(window: WindowRecord, geometry: Geometry): void {
  const { height, width, channels, kernel, stride, padding, outputs } = geometry;
  const { dilation = [1, 1] } = geometry;
  const span = kernel.map((size, axis) => (size - 1) * dilation[axis]! + 1);
  const [top, bottom, left, right] = padding;
  [window.inHeight, window.inWidth, window.inChannels] = [height, width, channels];
  [window.height, window.width] = kernel;
  [window.strideY, window.strideX] = stride;
  [window.padTop, window.padLeft] = [top, left];
  window.outHeight = Math.floor((height + top + bottom - span[0]!) / stride[0]) + 1;
  window.outWidth = Math.floor((width + left + right - span[1]!) / stride[1]) + 1;
  window.outChannels = outputs;
  [window.dilationY, window.dilationX] = dilation;
}
