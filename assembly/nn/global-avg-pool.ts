/** The mean over all pixels of an image, channel by channel. */
import { loadLanes, storeLanes } from '../math/partial';

/** y[c] = the mean of x[p][c] over all pixels p, ascending, in f64 and rounded once. */
export function globalAvgPool(y: usize, x: usize, count: i32, pixels: i32, channels: i32): void {
  const step = (<usize>channels) << 2;
  for (let i = 0; i < count; ++i) {
    for (let c = 0; c < channels; ++c) {
      let sum: f64 = 0;
      let p = x + ((<usize>c) << 2);
      for (let k = 0; k < pixels; ++k) {
        sum += load<f32>(p);
        p += step;
      }
      store<f32>(y + ((<usize>c) << 2), <f32>(sum / <f64>pixels));
    }
    x += step * <usize>pixels;
    y += step;
  }
}

/** dx[p][c] = dy[c]·(1/pixels) */
export function globalAvgPoolGrad(
  dx: usize,
  dy: usize,
  count: i32,
  pixels: i32,
  channels: i32,
): void {
  const share = f32x4.splat(<f32>(1.0 / <f64>pixels));
  const step = (<usize>channels) << 2;
  for (let i = 0; i < count; ++i) {
    for (let k = 0; k < pixels; ++k) {
      for (let c = 0; c < channels; c += 4) {
        const at = (<usize>c) << 2;
        const lanes = min(4, channels - c);
        storeLanes(dx + at, f32x4.mul(loadLanes(dy + at, lanes), share), lanes);
      }
      dx += step;
    }
    dy += step;
  }
}
