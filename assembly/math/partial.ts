/** One to three f32 lanes at a time: the ragged ends of dense rows, read and written without touching their neighbours. */

/** The first `count` (1…3) f32 at x, zeros after them. */
export function loadPartial(x: usize, count: i32): v128 {
  if (count === 1) return v128.load32_zero(x);
  const pair = v128.load64_zero(x);
  return count === 2 ? pair : v128.load_lane<f32>(x, pair, 2, 8);
}

/** Writes the first `count` (1…3) lanes of v at x. */
export function storePartial(x: usize, v: v128, count: i32): void {
  store<f32>(x, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(x, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(x, f32x4.extract_lane(v, 2), 8);
}

/** Zeroes elements n … of the last 64-byte turn of x, where an operation may have left something in the padding. */
export function zeroTail(x: usize, n: i32): void {
  for (let p = x + ((<usize>n) << 2), end = turnsEnd(x, n); p < end; p += 4) store<f32>(p, 0);
}

/** Address after the last 64-byte turn of n elements at x. */
export function turnsEnd(x: usize, n: i32): usize {
  return x + (((<usize>n + 15) & ~15) << 2);
}
