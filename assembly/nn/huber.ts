/** Huber's loss. */
import { ElementLoss, elementLoss } from '../math/element-loss';

@unmanaged
class Huber extends ElementLoss {
  /** r = x - t: ½r² for |r| ≤ k, k·(|r| - ½k) beyond */
  @inline
  value(x: f64, t: f64, k: f64): f64 {
    const r = abs(x - t);
    return r > k ? k * (r - 0.5 * k) : 0.5 * (r * r);
  }

  @inline
  slope(x: f64, t: f64, k: f64): f64 {
    const r = x - t;
    return r > k ? k : r < -k ? -k : r;
  }
}

export function huber(dx: usize, x: usize, targets: usize, n: i32, delta: f64): f64 {
  return elementLoss<Huber>(dx, x, targets, n, delta);
}
