/** Window records for specs. */
import { WindowRecord } from '../../../build/assembly/nn-records';
import { floats } from './floats';

/** Returns a window over images of h × w × c, padded by `pad` on all sides. */
// biome-ignore format: one line a role
export function windowOf(
  h: i32, w: i32, c: i32, size: i32, stride: i32, pad: i32, outputs: i32,
): WindowRecord {
  const window = changetype<WindowRecord>(floats(16));
  window.inHeight = h;
  window.inWidth = w;
  window.inChannels = c;
  window.height = size;
  window.width = size;
  window.strideY = stride;
  window.strideX = stride;
  window.padTop = pad;
  window.padLeft = pad;
  window.outHeight = (h + 2 * pad - size) / stride + 1;
  window.outWidth = (w + 2 * pad - size) / stride + 1;
  window.outChannels = outputs;
  window.dilationY = 1;
  window.dilationX = 1;
  return window;
}
