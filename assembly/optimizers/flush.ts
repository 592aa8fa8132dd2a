/**
 * Removes moments that have decayed to nothing. Without it a coordinate whose gradients stop leaves m in subnormals for
 * good, and subnormal arithmetic is many times slower. Run every FLUSH_INTERVAL-th step of a tensor.
 */

/** v < 2^-120: v ← 0 and m ← 0; otherwise |m| < 2^-100: m ← 0. `length` elements, a multiple of 4. */
export function flushMoments(m: usize, v: usize, length: usize): void {
  const smallV = f32x4.splat(7.52316384526264e-37);
  const smallM = f32x4.splat(7.888609052210118e-31);
  for (const end = m + (length << 2); m < end; m += 16) {
    const mi = v128.load(m);
    const vi = v128.load(v);
    const dead = f32x4.lt(vi, smallV);
    v128.store(v, v128.andnot(vi, dead));
    v128.store(m, v128.andnot(mi, v128.or(dead, f32x4.lt(f32x4.abs(mi), smallM))));
    v += 16;
  }
}

/** |x| < limit: x ← 0. `length` elements, a multiple of 4. */
function flushBelow(x: usize, length: usize, limit: f32): void {
  const small = f32x4.splat(limit);
  for (const end = x + (length << 2); x < end; x += 16) {
    const value = v128.load(x);
    v128.store(x, v128.andnot(value, f32x4.lt(f32x4.abs(value), small)));
  }
}

/** A momentum alone: |m| < 2^-100: m ← 0. */
export function flushMomentum(m: usize, length: usize): void {
  flushBelow(m, length, 7.888609052210118e-31);
}

/** A second moment alone: v < 2^-120: v ← 0. */
export function flushVariance(v: usize, length: usize): void {
  flushBelow(v, length, 7.52316384526264e-37);
}
