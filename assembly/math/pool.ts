/**
 * Pooling over images (height × width × channels), four channels at a time. Windows lie within the
 * image.
 */
import {
  WINDOW_HEIGHT,
  WINDOW_IN_CHANNELS,
  WINDOW_IN_HEIGHT,
  WINDOW_IN_WIDTH,
  WINDOW_OUT_HEIGHT,
  WINDOW_OUT_WIDTH,
  WINDOW_STRIDE_X,
  WINDOW_STRIDE_Y,
  WINDOW_WIDTH,
} from '../../src/memory-layout/nn-layout';
import { loadLanes, storeLanes, zeroFloats } from './partial';
import { imageFloats } from './window';

/** What happens at one output pixel's group of channels. Never instantiated. */
@unmanaged
export class Pooling {
  /**
   * @param in0 the window's first pixel @param out the output pixel @param index its place in the
   * index buffer
   * @param row bytes of an image row @param pixel bytes of a pixel @param lanes channels, 1…4
   */
  visit(
    in0: usize,
    out: usize,
    index: usize,
    height: i32,
    width: i32,
    row: usize,
    pixel: usize,
    lanes: i32,
  ): void {}

  /**
   * The same for windows of 2 × 2 that lie side by side and for four channels; gradients are
   * stored, with nothing to add to.
   */
  halve(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {}
}

/** Whether v comes in place of best, which came before it: if it is greater, or NaN. */
function takes(v: v128, best: v128): v128 {
  return v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
}

@unmanaged
export class Maximum extends Pooling {
  /**
   * out = the greatest, the last NaN if there is one; index = its place in the window, or nowhere
   * if index is 0
   */
  visit(
    in0: usize,
    out: usize,
    index: usize,
    height: i32,
    width: i32,
    row: usize,
    pixel: usize,
    lanes: i32,
  ): void {
    let best = loadLanes(in0, lanes);
    let place = i32x4.splat(0);
    let w = 0;
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        const v = loadLanes(p, lanes);
        const take = takes(v, best);
        best = v128.bitselect(v, best, take);
        place = v128.bitselect(i32x4.splat(w++), place, take);
        p += pixel;
      }
      in0 += row;
    }
    storeLanes(out, best, lanes);
    if (index) storeLanes(index, place, lanes);
  }

  @inline
  halve(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    const top = v128.load(in0);
    const topRight = v128.load(in0 + pixel);
    const bottom = v128.load(in0 + row);
    const bottomRight = v128.load(in0 + row + pixel);
    const right = takes(topRight, top);
    const lowerRight = takes(bottomRight, bottom);
    const upper = v128.bitselect(topRight, top, right);
    const lower = v128.bitselect(bottomRight, bottom, lowerRight);
    const down = takes(lower, upper);
    v128.store(out, v128.bitselect(lower, upper, down));
    if (!index) return;
    // A mask is -1 where it is true: places 0, 1 above and 2, 3 below.
    const places = v128.bitselect(i32x4.sub(i32x4.splat(2), lowerRight), i32x4.neg(right), down);
    v128.store(index, places);
  }
}

@unmanaged
export class MaximumGradient extends Pooling {
  /** in0[index] += out */
  visit(
    in0: usize,
    out: usize,
    index: usize,
    height: i32,
    width: i32,
    row: usize,
    pixel: usize,
    lanes: i32,
  ): void {
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

  @inline
  halve(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    // as the sum that begins with zero: never -0
    const dy = f32x4.add(f32x4.splat(0), v128.load(out));
    const place = v128.load(index);
    v128.store(in0, v128.and(dy, i32x4.eq(place, i32x4.splat(0))));
    v128.store(in0 + pixel, v128.and(dy, i32x4.eq(place, i32x4.splat(1))));
    v128.store(in0 + row, v128.and(dy, i32x4.eq(place, i32x4.splat(2))));
    v128.store(in0 + row + pixel, v128.and(dy, i32x4.eq(place, i32x4.splat(3))));
  }
}

@unmanaged
export class Average extends Pooling {
  /** out = (Σ in, from the first on)·(1/size) */
  visit(
    in0: usize,
    out: usize,
    index: usize,
    height: i32,
    width: i32,
    row: usize,
    pixel: usize,
    lanes: i32,
  ): void {
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

  @inline
  halve(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    const first = f32x4.add(f32x4.splat(0), v128.load(in0));
    const upper = f32x4.add(first, v128.load(in0 + pixel));
    const sum = f32x4.add(f32x4.add(upper, v128.load(in0 + row)), v128.load(in0 + row + pixel));
    v128.store(out, f32x4.mul(sum, f32x4.splat(0.25)));
  }
}

@unmanaged
export class AverageGradient extends Pooling {
  /** in0[w] += out·(1/size) for every w */
  visit(
    in0: usize,
    out: usize,
    index: usize,
    height: i32,
    width: i32,
    row: usize,
    pixel: usize,
    lanes: i32,
  ): void {
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

  @inline
  halve(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    const share = f32x4.add(f32x4.splat(0), f32x4.mul(v128.load(out), f32x4.splat(0.25)));
    v128.store(in0, share);
    v128.store(in0 + pixel, share);
    v128.store(in0 + row, share);
    v128.store(in0 + row + pixel, share);
  }
}

/** Whether windows are of 2 × 2 and side by side, as in most networks. */
function halves(window: usize): bool {
  const square = load<i32>(window, WINDOW_HEIGHT) === 2 && load<i32>(window, WINDOW_WIDTH) === 2;
  return (
    square && load<i32>(window, WINDOW_STRIDE_Y) === 2 && load<i32>(window, WINDOW_STRIDE_X) === 2
  );
}

/** Whether `Pooling.halve` stores every element of an image's gradient. */
function storesAll(window: usize): bool {
  const odd = load<i32>(window, WINDOW_IN_HEIGHT) | load<i32>(window, WINDOW_IN_WIDTH);
  return halves(window) && !(odd & 1) && !(load<i32>(window, WINDOW_IN_CHANNELS) & 3);
}

/**
 * Visits every output pixel of `count` images: `input` is x or dx, `out` y or dy; index may be 0.
 */
export function pool<P extends Pooling>(
  out: usize,
  index: usize,
  input: usize,
  window: usize,
  count: i32,
): void {
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
  const halved = halves(window) ? channels & ~3 : 0;
  for (let i = 0; i < count; ++i) {
    for (let oy = 0; oy < outHeight; ++oy) {
      let in0 = input + <usize>oy * down;
      for (let ox = 0; ox < outWidth; ++ox) {
        let c = 0;
        for (; c < halved; c += 4) {
          const at = (<usize>c) << 2;
          changetype<P>(0).halve(in0 + at, out + at, index ? index + at : 0, row, pixel);
        }
        for (; c < channels; c += 4) {
          const at = (<usize>c) << 2;
          const lanes = min(4, channels - c);
          changetype<P>(0).visit(
            in0 + at,
            out + at,
            index ? index + at : 0,
            height,
            width,
            row,
            pixel,
            lanes,
          );
        }
        in0 += right;
        out += pixel;
        if (index) index += pixel;
      }
    }
    input += image;
  }
}

/**
 * The same for gradients, which add to dx: it begins as zero, where anything is added to or left
 * out.
 */
export function poolGradient<P extends Pooling>(
  dx: usize,
  dy: usize,
  index: usize,
  window: usize,
  count: i32,
): void {
  if (!storesAll(window)) zeroFloats(dx, imageFloats(window) * count);
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
export function averageImagesGradient(
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
