/**
 * Loads, stores and loops for numbers of f32 that are not a multiple of a vector: they read and
 * write the ends of dense rows without touching their neighbours.
 */

/** Loads the first `count` (1…3) f32 at x, and zeros after them. */
export function loadPartial(x: usize, count: i32): v128 {
  if (count === 1) return v128.load32_zero(x);
  const pair = v128.load64_zero(x);
  return count === 2 ? pair : v128.load_lane<f32>(x, pair, 2, 8);
}

/** Stores the first `count` (1…3) lanes of v at x. */
export function storePartial(x: usize, v: v128, count: i32): void {
  store<f32>(x, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(x, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(x, f32x4.extract_lane(v, 2), 8);
}

/** Zeroes the padding of x: elements n and up of its last 64-byte turn. */
export function zeroTail(x: usize, n: i32): void {
  for (let p = x + ((<usize>n) << 2), end = turnsEnd(x, n); p < end; p += 4) store<f32>(p, 0);
}

/** Zeroes exactly n f32 at x. */
export function zeroFloats(x: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (; n >= 4; n -= 4) {
    v128.store(x, zero);
    x += 16;
  }
  for (; n > 0; --n) {
    store<f32>(x, 0);
    x += 4;
  }
}

/** Returns the address after the last 64-byte turn of n elements at x. */
export function turnsEnd(x: usize, n: i32): usize {
  return x + (((<usize>n + 15) & ~15) << 2);
}

/** Loads the first `width` (1…4) f32 at x. */
export function loadLanes(x: usize, width: i32): v128 {
  return width === 4 ? v128.load(x) : loadPartial(x, width);
}

/** Stores the first `width` (1…4) lanes of v at x. */
export function storeLanes(x: usize, v: v128, width: i32): void {
  if (width === 4) v128.store(x, v);
  else storePartial(x, v, width);
}

/** An operation of two vectors. Never instantiated: see activation.ts. */
@unmanaged
export class Pairwise {
  of(a: v128, b: v128): v128 {
    return a;
  }
}

@unmanaged
export class Sum extends Pairwise {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

@unmanaged
export class Product extends Pairwise {
  @inline
  of(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
}

/** out[i] = a[i] ∘ b[i] for exactly n f32. out may be a or b. */
export function pairwise<P extends Pairwise>(out: usize, a: usize, b: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(out, changetype<P>(0).of(v128.load(a), v128.load(b)));
    out += 16;
    a += 16;
    b += 16;
  }
  if (n > 0) storePartial(out, changetype<P>(0).of(loadPartial(a, n), loadPartial(b, n)), n);
}

/** dst[i] = dst[i] + src[i] for exactly n f32. */
export function addFloats(dst: usize, src: usize, n: i32): void {
  pairwise<Sum>(dst, dst, src, n);
}

/** dst[i] = src[i] for exactly n f32. */
export function copyFloats(dst: usize, src: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(dst, v128.load(src));
    dst += 16;
    src += 16;
  }
  if (n > 0) storePartial(dst, loadPartial(src, n), n);
}

/**
 * How a loop over columns reads and writes vectors: `Quad` four f32, `Single` one, for the columns
 * that fill no vector. A class, so that asc compiles the loop for each. Never instantiated: see
 * activation.ts.
 */
@unmanaged
export class Lanes {
  load(x: usize): v128 {
    return f32x4.splat(0);
  }

  store(x: usize, v: v128): void {}
}

@unmanaged
export class Quad extends Lanes {
  @inline
  load(x: usize): v128 {
    return v128.load(x);
  }

  @inline
  store(x: usize, v: v128): void {
    v128.store(x, v);
  }
}

@unmanaged
export class Single extends Lanes {
  @inline
  load(x: usize): v128 {
    return v128.load32_zero(x);
  }

  @inline
  store(x: usize, v: v128): void {
    store<f32>(x, f32x4.extract_lane(v, 0));
  }
}
