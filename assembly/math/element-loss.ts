/**
 * The loop that runs losses element by element: their mean, in f64 over ascending elements, and its
 * gradient. It touches real elements only.
 */

/**
 * A loss of prediction x and target t with one parameter k. Never instantiated: see activation.ts.
 */
@unmanaged
export class ElementLoss {
  value(x: f64, t: f64, k: f64): f64 {
    return 0;
  }

  /** Returns the derivative by x. */
  slope(x: f64, t: f64, k: f64): f64 {
    return 0;
  }
}

/** Returns the mean of value(x[i], t[i]) over n elements; writes d[i] = slope/n. d may be x. */
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
