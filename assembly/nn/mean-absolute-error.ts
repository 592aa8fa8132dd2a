/** Mean absolute error. */
import { ElementLoss, elementLoss } from '../math/element-loss';

@unmanaged
class AbsoluteError extends ElementLoss {
  /** |x - t| */
  @inline
  value(x: f64, t: f64, k: f64): f64 {
    return abs(x - t);
  }

  /** The sign of x - t; 0 at 0, and NaN passes. */
  @inline
  slope(x: f64, t: f64, k: f64): f64 {
    const r = x - t;
    return r > 0 ? 1.0 : r < 0 ? -1.0 : r;
  }
}

export function meanAbsoluteError(dx: usize, x: usize, targets: usize, n: i32): f64 {
  return elementLoss<AbsoluteError>(dx, x, targets, n, 0);
}
