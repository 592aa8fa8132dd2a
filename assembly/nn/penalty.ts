/** Penalties of weights, and factors of single samples. */

/**
 * Returns Σ l1·|w| + l2·w², in f64 over ascending elements, and adds its gradient to g unless g is
 * 0. It touches real elements only.
 */
export function addPenalty(g: usize, w: usize, n: i32, l1: f64, l2: f64): f64 {
  let total: f64 = 0;
  for (let i: usize = 0, end = (<usize>n) << 2; i < end; i += 4) {
    const value = <f64>load<f32>(w + i);
    total += l1 * abs(value) + l2 * (value * value);
    if (g === 0) continue;
    const sign = value > 0 ? 1.0 : value < 0 ? -1.0 : value;
    store<f32>(g + i, <f32>(<f64>load<f32>(g + i) + (l1 * sign + 2.0 * l2 * value)));
  }
  return total;
}

/** d[i] = d[i]·k, computed in f64. It touches real elements only, so d may be one sample's. */
export function scaleSample(d: usize, n: i32, k: f64): void {
  for (const end = d + ((<usize>n) << 2); d < end; d += 4)
    store<f32>(d, <f32>(<f64>load<f32>(d) * k));
}
