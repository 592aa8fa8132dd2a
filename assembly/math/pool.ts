/** Pooling over images (height × width × channels), four channels at a time. Windows lie within the image. */
import {
  WINDOW_HEIGHT,
  WINDOW_IN_CHANNELS,
  WINDOW_IN_WIDTH,
  WINDOW_OUT_HEIGHT,
  WINDOW_OUT_WIDTH,
  WINDOW_STRIDE_X,
  WINDOW_STRIDE_Y,
  WINDOW_WIDTH,
} from '../../src/abi/nn-layout';
import { loadLanes, storeLanes, zeroFloats } from './partial';
import { imageFloats } from './window';

/** What happens at one output pixel's group of channels. Never instantiated. */
@unmanaged
export class Pooling {
  /**
   * @param in0 the window's first pixel @param out the output pixel @param index its place in the index buffer
   * @param row bytes of an image row @param pixel bytes of a pixel @param lanes channels, 1…4
   */
  visit(in0: usize, out: usize, index: usize, height: i32, width: i32, row: usize, pixel: usize, lanes: i32): void {}
}

@unmanaged
export class Maximum extends Pooling {
  /** out = the greatest, the last NaN if there is one; index = its place in the window, or nowhere if index is 0 */
  visit(in0: usize, out: usize, index: usize, height: i32, width: i32, row: usize, pixel: usize, lanes: i32): void {
    let best = loadLanes(in0, lanes);
    let place = i32x4.splat(0);
    let w = 0;
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        const v = loadLanes(p, lanes);
        const take = v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
        best = v128.bitselect(v, best, take);
        place = v128.bitselect(i32x4.splat(w++), place, take);
        p += pixel;
      }
      in0 += row;
    }
    storeLanes(out, best, lanes);
    if (index) storeLanes(index, place, lanes);
  }
}

@unmanaged
export class MaximumGradient extends Pooling {
  /** in0[index] += out */
  visit(in0: usize, out: usize, index: usize, height: i32, width: i32, row: usize, pixel: usize, lanes: i32): void {
    const dy = loadLanes(out, lanes);
    const place = loadLanes(index, lanes);
    let w = 0;
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        const chosen = v128.and(dy, i32x4.eq(place, i32x4.splat(w++)));
        storeLanes(p, f32x4.add(loadLanes(p, lanes), chosen), lanes);
        p += pixel;
      }
      in0 += row;
    }
  }
}

@unmanaged
export class Average extends Pooling {
  /** out = (Σ in, from the first on)·(1/size) */
  visit(in0: usize, out: usize, index: usize, height: i32, width: i32, row: usize, pixel: usize, lanes: i32): void {
    let sum = f32x4.splat(0);
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        sum = f32x4.add(sum, loadLanes(p, lanes));
        p += pixel;
      }
      in0 += row;
    }
    storeLanes(out, f32x4.mul(sum, f32x4.splat(<f32>(1.0 / <f64>(height * width)))), lanes);
  }
}

@unmanaged
export class AverageGradient extends Pooling {
  /** in0[w] += out·(1/size) for every w */
  visit(in0: usize, out: usize, index: usize, height: i32, width: i32, row: usize, pixel: usize, lanes: i32): void {
    const share = f32x4.mul(loadLanes(out, lanes), f32x4.splat(<f32>(1.0 / <f64>(height * width))));
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        storeLanes(p, f32x4.add(loadLanes(p, lanes), share), lanes);
        p += pixel;
      }
      in0 += row;
    }
  }
}

/** Visits every output pixel of `count` images: `input` is x or dx, `out` y or dy; index may be 0. */
export function pool<P extends Pooling>(out: usize, index: usize, input: usize, window: usize, count: i32): void {
  const channels = load<i32>(window, WINDOW_IN_CHANNELS);
  const height = load<i32>(window, WINDOW_HEIGHT);
  const width = load<i32>(window, WINDOW_WIDTH);
  const outHeight = load<i32>(window, WINDOW_OUT_HEIGHT);
  const outWidth = load<i32>(window, WINDOW_OUT_WIDTH);
  const pixel = (<usize>channels) << 2;
  const row = <usize>load<i32>(window, WINDOW_IN_WIDTH) * pixel;
  const down = <usize>load<i32>(window, WINDOW_STRIDE_Y) * row;
  const right = <usize>load<i32>(window, WINDOW_STRIDE_X) * pixel;
  const image = (<usize>imageFloats(window)) << 2;
  for (let i = 0; i < count; ++i) {
    for (let oy = 0; oy < outHeight; ++oy) {
      let in0 = input + <usize>oy * down;
      for (let ox = 0; ox < outWidth; ++ox) {
        for (let c = 0; c < channels; c += 4) {
          const at = (<usize>c) << 2;
          const lanes = min(4, channels - c);
          changetype<P>(0).visit(in0 + at, out + at, index ? index + at : 0, height, width, row, pixel, lanes);
        }
        in0 += right;
        out += pixel;
        if (index) index += pixel;
      }
    }
    input += image;
  }
}

/** The same for gradients, which add to dx: it begins as zero. */
export function poolGradient<P extends Pooling>(dx: usize, dy: usize, index: usize, window: usize, count: i32): void {
  zeroFloats(dx, imageFloats(window) * count);
  pool<P>(dy, index, dx, window, count);
}

/** y[c] = the mean of x[p][c] over all pixels p, ascending, in f64; rounded once. */
export function averageImages(y: usize, x: usize, count: i32, pixels: i32, channels: i32): void {
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
export function averageImagesGradient(dx: usize, dy: usize, count: i32, pixels: i32, channels: i32): void {
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
