/** Window records for specs. */
import * as L from '../../../src/memory-layout/nn-layout';
import { floats } from './floats';

/** A window over images of h × w × c, padded by `pad` all around. */
export function windowOf(
  h: i32,
  w: i32,
  c: i32,
  size: i32,
  stride: i32,
  pad: i32,
  outputs: i32,
): usize {
  const window = floats(16);
  store<i32>(window, h, L.WINDOW_IN_HEIGHT);
  store<i32>(window, w, L.WINDOW_IN_WIDTH);
  store<i32>(window, c, L.WINDOW_IN_CHANNELS);
  store<i32>(window, size, L.WINDOW_HEIGHT);
  store<i32>(window, size, L.WINDOW_WIDTH);
  store<i32>(window, stride, L.WINDOW_STRIDE_Y);
  store<i32>(window, stride, L.WINDOW_STRIDE_X);
  store<i32>(window, pad, L.WINDOW_PAD_TOP);
  store<i32>(window, pad, L.WINDOW_PAD_LEFT);
  store<i32>(window, (h + 2 * pad - size) / stride + 1, L.WINDOW_OUT_HEIGHT);
  store<i32>(window, (w + 2 * pad - size) / stride + 1, L.WINDOW_OUT_WIDTH);
  store<i32>(window, outputs, L.WINDOW_OUT_CHANNELS);
  return window;
}
