/**
 * Upsampling by linear interpolation along both axes. The window record is that of a pooling from
 * the large image to the small one.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import { loadLanes, storeLanes, zeroFloats } from '../math/partial';
import { imageFloats } from '../math/window';

/** Returns the place of large pixel `o` between small ones, whose middles are `size` apart. */
function placeOf(o: i32, size: i32): f64 {
  return (<f64>o + 0.5) / <f64>size - 0.5;
}

/**
 * Visits every pixel of a large image with the four small ones around it, which may be the same at
 * the edges. Backward adds to the small image, forward stores to the large one.
 */
function visitImage(large: usize, small: usize, window: WindowRecord, backward: bool): void {
  const height = window.outHeight;
  const width = window.outWidth;
  const channels = window.inChannels;
  const pixel = (<usize>channels) << 2;
  const row = <usize>width * pixel;
  for (let oy = 0; oy < window.inHeight; ++oy) {
    const y = placeOf(oy, window.height);
    const ty = <f32>(y - floor(y));
    const y0 = <i32>floor(y);
    const above = small + <usize>max(0, y0) * row;
    const below = small + <usize>min(height - 1, y0 + 1) * row;
    for (let ox = 0; ox < window.inWidth; ++ox) {
      const x = placeOf(ox, window.width);
      const tx = <f32>(x - floor(x));
      const x0 = <i32>floor(x);
      const left = <usize>max(0, x0) * pixel;
      const right = <usize>min(width - 1, x0 + 1) * pixel;
      const w0 = f32x4.splat((1 - ty) * (1 - tx));
      const w1 = f32x4.splat((1 - ty) * tx);
      const w2 = f32x4.splat(ty * (1 - tx));
      const w3 = f32x4.splat(ty * tx);
      for (let c = 0; c < channels; c += 4) {
        const lanes = min(4, channels - c);
        const at = (<usize>c) << 2;
        const a = above + left + at;
        const b = above + right + at;
        const d = below + left + at;
        const e = below + right + at;
        if (backward) {
          const g = loadLanes(large + at, lanes);
          storeLanes(a, f32x4.add(loadLanes(a, lanes), f32x4.mul(g, w0)), lanes);
          storeLanes(b, f32x4.add(loadLanes(b, lanes), f32x4.mul(g, w1)), lanes);
          storeLanes(d, f32x4.add(loadLanes(d, lanes), f32x4.mul(g, w2)), lanes);
          storeLanes(e, f32x4.add(loadLanes(e, lanes), f32x4.mul(g, w3)), lanes);
        } else {
          const first = f32x4.mul(loadLanes(a, lanes), w0);
          const upper = f32x4.add(first, f32x4.mul(loadLanes(b, lanes), w1));
          const three = f32x4.add(upper, f32x4.mul(loadLanes(d, lanes), w2));
          storeLanes(large + at, f32x4.add(three, f32x4.mul(loadLanes(e, lanes), w3)), lanes);
        }
      }
      large += pixel;
    }
  }
}

function visitImages(
  large: usize,
  small: usize,
  window: WindowRecord,
  count: i32,
  backward: bool,
): void {
  const smallFloats = window.outHeight * window.outWidth * window.inChannels;
  if (backward) zeroFloats(small, smallFloats * count);
  for (let i = 0; i < count; ++i) {
    visitImage(large, small, window, backward);
    large += (<usize>imageFloats(window)) << 2;
    small += (<usize>smallFloats) << 2;
  }
}

export function bilinear2d(y: usize, x: usize, window: WindowRecord, count: i32): void {
  visitImages(y, x, window, count, false);
}

export function bilinear2dGrad(dx: usize, dy: usize, window: WindowRecord, count: i32): void {
  visitImages(dy, dx, window, count, true);
}
