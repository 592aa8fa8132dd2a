/** Yardsticks in AssemblyScript: the most that memory, and that the vector unit, can give. */

/** The memory yardstick of a step: 4 reads and 3 writes per parameter, next to no arithmetic. */
export function triad(p: usize, g: usize, m: usize, v: usize, length: usize): void {
  for (const end = p + (length << 2); p < end; p += 32) {
    const x = v128.load(g);
    const y = v128.load(g, 16);
    v128.store(m, f32x4.add(v128.load(m), x));
    v128.store(m, f32x4.add(v128.load(m, 16), y), 16);
    v128.store(v, f32x4.add(v128.load(v), x));
    v128.store(v, f32x4.add(v128.load(v, 16), y), 16);
    v128.store(p, f32x4.add(v128.load(p), x));
    v128.store(p, f32x4.add(v128.load(p, 16), y), 16);
    g += 32;
    m += 32;
    v += 32;
  }
}

/**
 * The arithmetic yardstick of products: 12 independent multiply-add chains in registers, 2 links
 * each per iteration (192 operations). Everything derives from the argument: V8 13 would rebuild
 * constants at every use, V8 11 spill them.
 */
export function multiplyAdd(iterations: i32): f32 {
  const a = f32x4.splat(1 - <f32>iterations * 1e-12);
  const b = f32x4.splat(<f32>iterations * 1e-12);
  let c0 = f32x4.mul(a, f32x4.splat(0));
  let c1 = f32x4.mul(a, f32x4.splat(1));
  let c2 = f32x4.mul(a, f32x4.splat(2));
  let c3 = f32x4.mul(a, f32x4.splat(3));
  let c4 = f32x4.mul(a, f32x4.splat(4));
  let c5 = f32x4.mul(a, f32x4.splat(5));
  let c6 = f32x4.mul(a, f32x4.splat(6));
  let c7 = f32x4.mul(a, f32x4.splat(7));
  let c8 = f32x4.mul(a, f32x4.splat(8));
  let c9 = f32x4.mul(a, f32x4.splat(9));
  let c10 = f32x4.mul(a, f32x4.splat(10));
  let c11 = f32x4.mul(a, f32x4.splat(11));
  for (; iterations > 0; --iterations) {
    c0 = f32x4.add(f32x4.mul(c0, a), b);
    c1 = f32x4.add(f32x4.mul(c1, a), b);
    c2 = f32x4.add(f32x4.mul(c2, a), b);
    c3 = f32x4.add(f32x4.mul(c3, a), b);
    c4 = f32x4.add(f32x4.mul(c4, a), b);
    c5 = f32x4.add(f32x4.mul(c5, a), b);
    c6 = f32x4.add(f32x4.mul(c6, a), b);
    c7 = f32x4.add(f32x4.mul(c7, a), b);
    c8 = f32x4.add(f32x4.mul(c8, a), b);
    c9 = f32x4.add(f32x4.mul(c9, a), b);
    c10 = f32x4.add(f32x4.mul(c10, a), b);
    c11 = f32x4.add(f32x4.mul(c11, a), b);
    c0 = f32x4.add(f32x4.mul(c0, a), b);
    c1 = f32x4.add(f32x4.mul(c1, a), b);
    c2 = f32x4.add(f32x4.mul(c2, a), b);
    c3 = f32x4.add(f32x4.mul(c3, a), b);
    c4 = f32x4.add(f32x4.mul(c4, a), b);
    c5 = f32x4.add(f32x4.mul(c5, a), b);
    c6 = f32x4.add(f32x4.mul(c6, a), b);
    c7 = f32x4.add(f32x4.mul(c7, a), b);
    c8 = f32x4.add(f32x4.mul(c8, a), b);
    c9 = f32x4.add(f32x4.mul(c9, a), b);
    c10 = f32x4.add(f32x4.mul(c10, a), b);
    c11 = f32x4.add(f32x4.mul(c11, a), b);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(c4, c5));
  const high = f32x4.add(f32x4.add(f32x4.add(c6, c7), f32x4.add(c8, c9)), f32x4.add(c10, c11));
  return f32x4.extract_lane(f32x4.add(low, high), 0);
}
