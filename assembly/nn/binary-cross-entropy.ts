/** Binary cross-entropy on logits. */
import { log } from '../../src/math/log';
import { exp4 } from '../math/exp';
import { loadLanes } from '../math/partial';

/**
 * Mean of max(x, 0) - x·t + log(1 + e^-|x|) over n elements; d[i] = (σ(x) - t)/n. d may be x. A
 * target outside [0, 1] makes the loss and its own gradient NaN.
 */
export function binaryCrossEntropy(d: usize, x: usize, t: usize, n: i32): f64 {
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
