/** Mean squared error. */
import { ElementLoss, elementLoss } from '../math/element-loss';

@unmanaged
class SquaredError extends ElementLoss {
  /** (x - t)² */
  @inline
  value(x: f64, t: f64, k: f64): f64 {
    return (x - t) * (x - t);
  }

  @inline
  slope(x: f64, t: f64, k: f64): f64 {
    return 2.0 * (x - t);
  }
}

export function meanSquaredError(dx: usize, x: usize, targets: usize, n: i32): f64 {
  return elementLoss<SquaredError>(dx, x, targets, n, 0);
}
