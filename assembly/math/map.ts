/**
 * Element-wise operations. n is the number of real elements; loops run over whole 64-byte turns, so
 * padding is computed too and put back to zero wherever the operation could have left something
 * else there. Operands may be the same buffer.
 */
import { turnsEnd, zeroTail } from './partial';

/** x[i] = value */
export function fillWith(x: usize, n: i32, value: f32): void {
  const v = f32x4.splat(value);
  for (let p = x, end = turnsEnd(x, n); p < end; p += 64) {
    v128.store(p, v);
    v128.store(p, v, 16);
    v128.store(p, v, 32);
    v128.store(p, v, 48);
  }
  zeroTail(x, n);
}

/** dst[i] = src[i] */
export function copyTo(dst: usize, src: usize, n: i32): void {
  for (const end = turnsEnd(dst, n); dst < end; dst += 64) {
    v128.store(dst, v128.load(src));
    v128.store(dst, v128.load(src, 16), 16);
    v128.store(dst, v128.load(src, 32), 32);
    v128.store(dst, v128.load(src, 48), 48);
    src += 64;
  }
}

/** x[i] = x[i]·a */
export function scaleBy(x: usize, n: i32, a: f32): void {
  const k = f32x4.splat(a);
  for (let p = x, end = turnsEnd(x, n); p < end; p += 64) {
    v128.store(p, f32x4.mul(v128.load(p), k));
    v128.store(p, f32x4.mul(v128.load(p, 16), k), 16);
    v128.store(p, f32x4.mul(v128.load(p, 32), k), 32);
    v128.store(p, f32x4.mul(v128.load(p, 48), k), 48);
  }
  // 0·∞ is NaN, 0·-1 is -0
  zeroTail(x, n);
}

/** y[i] = y[i] + a·x[i], the product rounded first */
export function addScaled(y: usize, x: usize, n: i32, a: f32): void {
  const k = f32x4.splat(a);
  for (let p = y, end = turnsEnd(y, n); p < end; p += 64) {
    v128.store(p, f32x4.add(v128.load(p), f32x4.mul(k, v128.load(x))));
    v128.store(p, f32x4.add(v128.load(p, 16), f32x4.mul(k, v128.load(x, 16))), 16);
    v128.store(p, f32x4.add(v128.load(p, 32), f32x4.mul(k, v128.load(x, 32))), 32);
    v128.store(p, f32x4.add(v128.load(p, 48), f32x4.mul(k, v128.load(x, 48))), 48);
    x += 64;
  }
  // 0 + ∞·0 is NaN
  zeroTail(y, n);
}

/**
 * out[i] = x[i] - b·(a·x[i] - y[i]), each operation rounded: with a = 0 a sum, with a = 1 a move
 * from x towards y. In this form nothing moves where y = x, -0 included, if b > 0. a and b are
 * finite, so that padding stays zero.
 */
export function combineTo(out: usize, x: usize, y: usize, n: i32, a: f32, b: f32): void {
  const ka = f32x4.splat(a);
  const kb = f32x4.splat(b);
  for (const end = turnsEnd(out, n); out < end; out += 16) {
    const v = v128.load(x);
    v128.store(out, f32x4.sub(v, f32x4.mul(kb, f32x4.sub(f32x4.mul(ka, v), v128.load(y)))));
    x += 16;
    y += 16;
  }
}

/** out[i] = a[i] + b[i] */
export function addTo(out: usize, a: usize, b: usize, n: i32): void {
  for (const end = turnsEnd(out, n); out < end; out += 64) {
    v128.store(out, f32x4.add(v128.load(a), v128.load(b)));
    v128.store(out, f32x4.add(v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(out, f32x4.add(v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(out, f32x4.add(v128.load(a, 48), v128.load(b, 48)), 48);
    a += 64;
    b += 64;
  }
}

/** out[i] = a[i]·b[i] */
export function multiplyTo(out: usize, a: usize, b: usize, n: i32): void {
  for (const end = turnsEnd(out, n); out < end; out += 64) {
    v128.store(out, f32x4.mul(v128.load(a), v128.load(b)));
    v128.store(out, f32x4.mul(v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(out, f32x4.mul(v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(out, f32x4.mul(v128.load(a, 48), v128.load(b, 48)), 48);
    a += 64;
    b += 64;
  }
}

/** out[i] = x[i] clamped to [-limit, limit], for `length` elements, a multiple of 16. NaN stays. */
export function clampTo(out: usize, x: usize, length: usize, limit: f32): void {
  const high = f32x4.splat(limit);
  const low = f32x4.splat(-limit);
  for (const end = out + (length << 2); out < end; out += 64) {
    v128.store(out, f32x4.pmax(f32x4.pmin(v128.load(x), high), low));
    v128.store(out, f32x4.pmax(f32x4.pmin(v128.load(x, 16), high), low), 16);
    v128.store(out, f32x4.pmax(f32x4.pmin(v128.load(x, 32), high), low), 32);
    v128.store(out, f32x4.pmax(f32x4.pmin(v128.load(x, 48), high), low), 48);
    x += 64;
  }
}
