/** Binary cross-entropy on logits. */
import { log } from '../../src/math/log';
import { exp4 } from '../math/exp';
import { loadLanes } from '../math/partial';

/**
 * Returns the mean of max(x, 0) - x·t + log(1 + e^-|x|) over n elements; writes d[i] = (σ(x) -
 * t)/n. d may be x. A target outside [0, 1] makes the loss and its own gradient NaN.
 */
export function binaryCrossEntropy(d: usize, x: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  const count = <f64>n;
  for (let i = 0; i < n; i += 4) {
    const width = min(4, n - i);
    const v = loadLanes(x, width);
    const e = exp4(f32x4.neg(f32x4.abs(v)));
    total += element(f32x4.extract_lane(v, 0), f32x4.extract_lane(e, 0), d, t, count);
    if (width > 1)
      total += element(f32x4.extract_lane(v, 1), f32x4.extract_lane(e, 1), d + 4, t + 4, count);
    if (width > 2)
      total += element(f32x4.extract_lane(v, 2), f32x4.extract_lane(e, 2), d + 8, t + 8, count);
    if (width > 3)
      total += element(f32x4.extract_lane(v, 3), f32x4.extract_lane(e, 3), d + 12, t + 12, count);
    x += 16;
    d += 16;
    t += 16;
  }
  return total / count;
}

/** Returns the loss of one element x, given e = e^-|x|, and writes its gradient. */
function element(x: f64, e: f64, d: usize, t: usize, count: f64): f64 {
  const sigma = (x < 0 ? e : 1.0) / (1.0 + e);
  const given = load<f32>(t);
  // Outside [0, 1] the loss has no lower bound, so that training on it would be meaningless.
  const target = given >= 0 && given <= 1 ? <f64>given : NaN;
  store<f32>(d, <f32>((sigma - target) / count));
  return (x < 0 ? 0.0 : x) - x * target + log(1.0 + e);
}
