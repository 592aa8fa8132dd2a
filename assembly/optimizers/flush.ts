/**
 * Removes moments that have decayed to nothing. Without it a coordinate whose gradients stop leaves
 * m in subnormals for good, and subnormal arithmetic is many times slower. Run every
 * FLUSH_INTERVAL-th step of a tensor.
 *
 * A second moment is removed only where its root no longer divides anything: if the first moment is
 * removed too, or, in a rule without one, if the gradient is negligible. Elsewhere a tiny v still
 * sets the size of the step.
 */

/** 2^-100: a first moment below it is negligible. */
const SMALL_M: f32 = 7.888609052210118e-31;
/** 2^-120: a second moment below it may be removed. */
const SMALL_V: f32 = 7.52316384526264e-37;

/** |m| < 2^-100: m ← 0, and v ← 0 if v < 2^-120. `length` elements, a multiple of 4. */
export function flushMoments(m: usize, v: usize, length: usize): void {
  for (const end = m + (length << 2); m < end; m += 16) {
    const mi = v128.load(m);
    const vi = v128.load(v);
    const dead = f32x4.lt(f32x4.abs(mi), f32x4.splat(SMALL_M));
    v128.store(m, v128.andnot(mi, dead));
    v128.store(v, v128.andnot(vi, v128.and(dead, f32x4.lt(vi, f32x4.splat(SMALL_V)))));
    v += 16;
  }
}

/** A momentum or a mean alone: |m| < 2^-100: m ← 0. `length` elements, a multiple of 4. */
export function flushMomentum(m: usize, length: usize): void {
  for (const end = m + (length << 2); m < end; m += 16) {
    const mi = v128.load(m);
    v128.store(m, v128.andnot(mi, f32x4.lt(f32x4.abs(mi), f32x4.splat(SMALL_M))));
  }
}

/**
 * A second moment alone: v < 2^-120 where |h| < 2^-100, with h = r·g + l2·θ: v ← 0. `length`
 * elements, a multiple of 4.
 *
 * @param p the parameter θ, already updated
 */
export function flushVariance(
  v: usize,
  p: usize,
  g: usize,
  r: v128,
  l2: v128,
  length: usize,
): void {
  for (const end = v + (length << 2); v < end; v += 16) {
    const vi = v128.load(v);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, v128.load(p)));
    const dead = v128.and(
      f32x4.lt(f32x4.abs(h), f32x4.splat(SMALL_M)),
      f32x4.lt(vi, f32x4.splat(SMALL_V)),
    );
    v128.store(v, v128.andnot(vi, dead));
    p += 16;
    g += 16;
  }
}
