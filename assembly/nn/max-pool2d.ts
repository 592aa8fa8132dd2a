/** Max pooling over windows of images. */
import { WindowRecord } from '../../build/assembly/nn-records';
import { loadLanes, storeLanes } from '../math/partial';
import { Pooling, pool, poolGradient } from '../math/pool';

/** Returns a mask of the lanes where v replaces `best`, which came first: v is greater, or NaN. */
function takes(v: v128, best: v128): v128 {
  return v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
}

@unmanaged
class Maximum extends Pooling {
  /**
   * out = the greatest element, or the last NaN if there is one; index, unless 0, receives its
   * place in the window.
   */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
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
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
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
    // A mask is -1 where it is true. Places are 0 and 1 above, 2 and 3 below.
    const places = v128.bitselect(i32x4.sub(i32x4.splat(2), lowerRight), i32x4.neg(right), down);
    v128.store(index, places);
  }
}

@unmanaged
class MaximumGradient extends Pooling {
  /** in0[index] += out */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
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
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    // Adding to zero, as `visit` does, never gives -0.
    const dy = f32x4.add(f32x4.splat(0), v128.load(out));
    const place = v128.load(index);
    v128.store(in0, v128.and(dy, i32x4.eq(place, i32x4.splat(0))));
    v128.store(in0 + pixel, v128.and(dy, i32x4.eq(place, i32x4.splat(1))));
    v128.store(in0 + row, v128.and(dy, i32x4.eq(place, i32x4.splat(2))));
    v128.store(in0 + row + pixel, v128.and(dy, i32x4.eq(place, i32x4.splat(3))));
  }
}

export function maxPool2d(
  y: usize,
  index: usize,
  x: usize,
  window: WindowRecord,
  count: i32,
): void {
  pool<Maximum>(y, index, x, window, count);
}

export function maxPool2dGrad(
  dx: usize,
  dy: usize,
  index: usize,
  window: WindowRecord,
  count: i32,
): void {
  poolGradient<MaximumGradient>(dx, dy, index, window, count);
}
