/** Arithmetic by elements, on exactly n of them. The result may be an operand. */
import { loadPartial, Product, pairwise, Sum, storePartial } from '../math/partial';

/** out[i] = a[i] + b[i] */
export function add(out: usize, a: usize, b: usize, n: i32): void {
  pairwise<Sum>(out, a, b, n);
}

/** out[i] = a[i]·b[i] */
export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  pairwise<Product>(out, a, b, n);
}

/** out[i] = factor·x[i] */
export function scale(out: usize, x: usize, factor: f32, n: i32): void {
  const k = f32x4.splat(factor);
  for (; n >= 4; n -= 4) {
    v128.store(out, f32x4.mul(k, v128.load(x)));
    out += 16;
    x += 16;
  }
  if (n > 0) storePartial(out, f32x4.mul(k, loadPartial(x, n)), n);
}

/**
 * Copies `columns` floats of each row: rows of x begin `xStep` floats apart, those of out `outStep`
 * floats.
 */
// biome-ignore format: one line a role
export function copyColumns(
  out: usize, outStep: i32, x: usize, xStep: i32, columns: i32, rows: i32,
): void {
  const bytes = (<usize>columns) << 2;
  for (let r = 0; r < rows; ++r) {
    memory.copy(out, x, bytes);
    out += (<usize>outStep) << 2;
    x += (<usize>xStep) << 2;
  }
}

/** out[i] = value */
export function fill(out: usize, value: f32, n: i32): void {
  const v = f32x4.splat(value);
  for (; n >= 4; n -= 4) {
    v128.store(out, v);
    out += 16;
  }
  if (n > 0) storePartial(out, v, n);
}
