/**
 * Upsampling by repetition of pixels. The window record is that of a pooling from the large image
 * to the small one.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import { loadLanes, storeLanes } from '../math/partial';
import { Pooling, pool, SummingPooling } from '../math/pool';

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
class Total extends SummingPooling {
  /** out = Σ in, from the first on */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
  ): void {
    storeLanes(out, this.sum(in0, height, width, row, pixel, lanes), lanes);
  }

  @inline
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    v128.store(out, this.sumOfFour(in0, row, pixel));
  }
}

export function upSampling2d(y: usize, x: usize, window: WindowRecord, count: i32): void {
  pool<Repeated>(x, 0, y, window, count);
}

export function upSampling2dGrad(dx: usize, dy: usize, window: WindowRecord, count: i32): void {
  pool<Total>(dx, 0, dy, window, count);
}
