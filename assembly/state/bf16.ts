/**
 * State kept as bf16, the upper half of an f32. The first moment is rounded to nearest. The second
 * is rounded stochastically, since nearest rounding would stall its average: β2 = 0.999 moves it by
 * less than half a step of 8 bits.
 */
import { randomAt, randomStride, SECOND } from './random';

@unmanaged
export class Bf16 {
  /** Decodes elements [first, first + count) of a moment to f32 at `to`. Has no scales. */
  @inline
  decodeMoment(
    second: bool,
    to: usize,
    codes: usize,
    scales: usize,
    first: usize,
    count: usize,
  ): void {
    decodeBf16(to, codes + (first << 1), count);
  }

  /** Encodes f32 at `from` into elements [first, first + count). */
  // biome-ignore format: addresses on one line
  @inline
  encodeMoment(
    second: bool, codes: usize, scales: usize, from: usize, first: usize, count: usize, key: u32,
  ): void {
    if (second) encodeBf16Stochastic(codes + (first << 1), from, count, key, <u32>first);
    else encodeBf16(codes + (first << 1), from, count);
  }
}

/** Decodes `count` elements, a multiple of 16, from bf16 at `from` to f32 at `to`. */
export function decodeBf16(to: usize, from: usize, count: usize): void {
  for (const end = to + (count << 2); to < end; to += 32) {
    const x = v128.load(from);
    v128.store(to, i32x4.shl(i32x4.extend_low_i16x8_u(x), 16));
    v128.store(to, i32x4.shl(i32x4.extend_high_i16x8_u(x), 16), 16);
    from += 16;
  }
}

/** How a number becomes one of 16 bits, four at a time. Never instantiated, like kernels. */
@unmanaged
class Rounding {
  @inline
  nearest(x: v128): v128 {
    const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
    return i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd), 16);
  }

  @inline
  stochastic(x: v128, random: v128): v128 {
    const code = i32x4.shr_u(i32x4.add(x, i32x4.shr_u(random, 16)), 16);
    // x > 0 compares as its bits do; the mask is -1.
    return i32x4.max_s(code, i32x4.neg(i32x4.gt_s(x, i32x4.splat(0))));
  }
}

/** Encodes `count` elements, rounded to nearest, ties to even. */
export function encodeBf16(to: usize, from: usize, count: usize): void {
  for (const end = from + (count << 2); from < end; from += 32) {
    const low = changetype<Rounding>(0).nearest(v128.load(from));
    const high = changetype<Rounding>(0).nearest(v128.load(from, 16));
    v128.store(to, i16x8.narrow_i32x4_u(low, high));
    to += 16;
  }
}

/**
 * Encodes x ≥ 0, rounded stochastically; no x above 0 becomes 0. `first` is the first element's
 * index in its tensor.
 */
export function encodeBf16Stochastic(
  to: usize,
  from: usize,
  count: usize,
  key: u32,
  first: u32,
): void {
  const stride = randomStride(key);
  let random = randomAt(key, SECOND, first);
  for (const end = from + (count << 2); from < end; from += 32) {
    const low = changetype<Rounding>(0).stochastic(v128.load(from), random);
    random = i32x4.add(random, stride);
    const high = changetype<Rounding>(0).stochastic(v128.load(from, 16), random);
    random = i32x4.add(random, stride);
    v128.store(to, i16x8.narrow_i32x4_u(low, high));
    to += 16;
  }
}
