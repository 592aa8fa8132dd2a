/**
 * Dropout. The elements that are dropped depend only on key, stream, step and index, so that the
 * backward pass draws the same ones again.
 */
import { turnsEnd, zeroTail } from '../math/partial';
import { randomWords } from '../math/philox';

/**
 * out[i] = word(i) < threshold ? 0 : x[i]·scale, with words compared unsigned. The t-th 16 elements
 * take the 16 words of counters 4t … 4t + 3 (with step and stream as their upper words), in the
 * order of `randomWords`. out may be x.
 */
// biome-ignore format: one line a role
export function dropout(
  out: usize, x: usize, n: i32, threshold: u32, scale: f32,
  key0: u32, key1: u32, stream: u32, step: u32,
): void {
  const least = i32x4.splat(threshold);
  const factor = f32x4.splat(scale);
  let counter: u32 = 0;
  for (let p = out, end = turnsEnd(out, n); p < end; p += 64) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    // The words are stored where the result goes, which then overwrites them.
    randomWords(p, counter, step, stream, 0, key0, key1);
    v128.store(p, v128.and(f32x4.mul(x0, factor), i32x4.ge_u(v128.load(p), least)));
    v128.store(p, v128.and(f32x4.mul(x1, factor), i32x4.ge_u(v128.load(p, 16), least)), 16);
    v128.store(p, v128.and(f32x4.mul(x2, factor), i32x4.ge_u(v128.load(p, 32), least)), 32);
    v128.store(p, v128.and(f32x4.mul(x3, factor), i32x4.ge_u(v128.load(p, 48), least)), 48);
    counter += 4;
    x += 64;
  }
  zeroTail(out, n);
}
