/**
 * Losses element by element: their mean, in f64 over ascending elements, and its gradient. Only
 * real elements are touched.
 */
import { log } from '../../src/math/log';
import { exp4 } from './exp';
import { loadLanes } from './partial';

/** A loss of prediction x and target t with one parameter k. Never instantiated. */
@unmanaged
export class ElementLoss {
  value(x: f64, t: f64, k: f64): f64 {
    return 0;
  }

  /** By x. */
  slope(x: f64, t: f64, k: f64): f64 {
    return 0;
  }
}

@unmanaged
export class SquaredError extends ElementLoss {
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

@unmanaged
export class Huber extends ElementLoss {
  /** r = x - t: ½r² for |r| ≤ k, beyond it k·(|r| - ½k) */
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

/** Mean of value(x[i], t[i]) over n elements; d[i] = slope/n. d may be x. */
export function elementLoss<L extends ElementLoss>(
  d: usize,
  x: usize,
  t: usize,
  n: i32,
  k: f64,
): f64 {
  let total: f64 = 0;
  const count = <f64>n;
  for (let i: usize = 0, end = (<usize>n) << 2; i < end; i += 4) {
    const prediction = <f64>load<f32>(x + i);
    const target = <f64>load<f32>(t + i);
    total += changetype<L>(0).value(prediction, target, k);
    store<f32>(d + i, <f32>(changetype<L>(0).slope(prediction, target, k) / count));
  }
  return total / count;
}

/**
 * Mean of max(x, 0) - x·t + log(1 + e^-|x|) over n elements; d[i] = (σ(x) - t)/n. d may be x. A
 * target outside [0, 1] makes the loss and its own gradient NaN.
 */
export function logisticLoss(d: usize, x: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  const count = <f64>n;
  for (let i = 0; i < n; i += 4) {
    const width = min(4, n - i);
    const v = loadLanes(x, width);
    const e = exp4(f32x4.neg(f32x4.abs(v)));
    total = logisticElement(
      total,
      d,
      f32x4.extract_lane(v, 0),
      f32x4.extract_lane(e, 0),
      load<f32>(t),
      count,
    );
    if (width > 1)
      total = logisticElement(
        total,
        d + 4,
        f32x4.extract_lane(v, 1),
        f32x4.extract_lane(e, 1),
        load<f32>(t, 4),
        count,
      );
    if (width > 2)
      total = logisticElement(
        total,
        d + 8,
        f32x4.extract_lane(v, 2),
        f32x4.extract_lane(e, 2),
        load<f32>(t, 8),
        count,
      );
    if (width > 3)
      total = logisticElement(
        total,
        d + 12,
        f32x4.extract_lane(v, 3),
        f32x4.extract_lane(e, 3),
        load<f32>(t, 12),
        count,
      );
    x += 16;
    d += 16;
    t += 16;
  }
  return total / count;
}

/** The sum after one element more; e = e^-|x|. */
function logisticElement(total: f64, d: usize, x: f64, e: f64, t: f64, count: f64): f64 {
  const sigma = (x < 0 ? e : 1.0) / (1.0 + e);
  // Beyond [0, 1] the loss has no lower bound, and nothing that is learnt from it makes sense.
  const target = t >= 0 && t <= 1 ? t : NaN;
  store<f32>(d, <f32>((sigma - target) / count));
  return total + ((x < 0 ? 0.0 : x) - x * target + log(1.0 + e));
}
