/**
 * Element-wise operations. n is the number of real elements; loops process whole 64-byte turns, and
 * so padding too, which stays zero. Operands may be the same buffer.
 */
import { turnsEnd } from './partial';

/**
 * out[i] = x[i] - b·(a·x[i] - y[i]), with each operation rounded: a sum for a = 0, a move from x
 * towards y for a = 1. In this form x does not change where y = x, -0 included, if b > 0. a and b
 * are finite, so that padding stays zero.
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
