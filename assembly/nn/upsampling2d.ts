/**
 * Upsampling by repetition of pixels. The window record is that of a pooling from the large image
 * to the small one.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import { loadLanes, storeLanes } from '../math/partial';
import { Pooling, pool } from '../math/pool';

@unmanaged
class Repeated extends Pooling {
  /** in0[w] = out for every w */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
  ): void {
    const value = loadLanes(out, lanes);
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        storeLanes(p, value, lanes);
        p += pixel;
      }
      in0 += row;
    }
  }

  @inline
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    const value = v128.load(out);
    v128.store(in0, value);
    v128.store(in0 + pixel, value);
    v128.store(in0 + row, value);
    v128.store(in0 + row + pixel, value);
  }
}

@unmanaged
class Total extends Pooling {
  /** out = Σ in, from the first on */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
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
    storeLanes(out, sum, lanes);
  }

  @inline
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    const first = f32x4.add(f32x4.splat(0), v128.load(in0));
    const upper = f32x4.add(first, v128.load(in0 + pixel));
    v128.store(
      out,
      f32x4.add(f32x4.add(upper, v128.load(in0 + row)), v128.load(in0 + row + pixel)),
    );
  }
}

export function upSampling2d(y: usize, x: usize, window: WindowRecord, count: i32): void {
  pool<Repeated>(x, 0, y, window, count);
}

export function upSampling2dGrad(dx: usize, dy: usize, window: WindowRecord, count: i32): void {
  pool<Total>(dx, 0, dy, window, count);
}
