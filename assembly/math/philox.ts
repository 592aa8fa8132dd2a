/**
 * Philox4x32-10 (src/math/philox.ts) for four counters at once. It computes with integers alone,
 * and so has the same bits on every engine.
 */

/** Returns the upper halves of the four u32 products a·b. */
function multiplyHigh(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b);
  const high = i64x2.extmul_high_i32x4_u(a, b);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/**
 * Writes the 16 random words of the counters (c0, c1, c2, c3), (c0 + 1, c1, …), …, (c0 + 3, …)
 * under the key (k0, k1) to `out`: first word 0 of the four counters, then their words 1, 2 and 3.
 */
// biome-ignore format: one line a role
export function randomWords(
  out: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32,
): void {
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  let x0 = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2);
  let x3 = i32x4.splat(c3);
  for (let round = 0; round < 10; ++round) {
    const high0 = multiplyHigh(m0, x0);
    const low0 = i32x4.mul(m0, x0);
    const high1 = multiplyHigh(m1, x2);
    const low1 = i32x4.mul(m1, x2);
    x0 = v128.xor(v128.xor(high1, x1), i32x4.splat(k0));
    x1 = low1;
    x2 = v128.xor(v128.xor(high0, x3), i32x4.splat(k1));
    x3 = low0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  v128.store(out, x0);
  v128.store(out, x1, 16);
  v128.store(out, x2, 32);
  v128.store(out, x3, 48);
}
