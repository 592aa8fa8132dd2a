/** Average pooling over windows of images. */
import { WindowRecord } from '../../build/assembly/nn-records';
import { loadLanes, storeLanes } from '../math/partial';
import { Pooling, pool, poolGradient, SummingPooling } from '../math/pool';

@unmanaged
class Average extends SummingPooling {
  /** out = (Σ in, from the first on)·(1/size) */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
  ): void {
    const sum = this.sum(in0, height, width, row, pixel, lanes);
    storeLanes(out, f32x4.mul(sum, f32x4.splat(<f32>(1.0 / <f64>(height * width)))), lanes);
  }

  @inline
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    v128.store(out, f32x4.mul(this.sumOfFour(in0, row, pixel), f32x4.splat(0.25)));
  }
}

@unmanaged
class AverageGradient extends Pooling {
  /** in0[w] += out·(1/size) for every w */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
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
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {
    const share = f32x4.add(f32x4.splat(0), f32x4.mul(v128.load(out), f32x4.splat(0.25)));
    v128.store(in0, share);
    v128.store(in0 + pixel, share);
    v128.store(in0 + row, share);
    v128.store(in0 + row + pixel, share);
  }
}

export function avgPool2d(y: usize, x: usize, window: WindowRecord, count: i32): void {
  pool<Average>(y, 0, x, window, count);
}

export function avgPool2dGrad(dx: usize, dy: usize, window: WindowRecord, count: i32): void {
  poolGradient<AverageGradient>(dx, dy, 0, window, count);
}
