/**
 * State kept as a byte an element and an f32 scale, a power of two, for every SCALE_BLOCK elements:
 * small floats relative to the block's largest magnitude.
 *
 *   second moment  eeeee mmm    2^(e-32)·(1 + m/8), code 0 is zero: 32 octaves
 *   first moment   s eeee mmm   2^(e-16)·(1 + m/8) - 2^-16: 16 octaves, the steps even towards 0
 *
 * Both are rounded stochastically: a running average of 3-bit mantissas that rounds to nearest
 * stops moving. A second moment that is not zero is never coded as zero, since it divides.
 */
import {
  MAX_SCALE_EXPONENT,
  MIN_SCALE_EXPONENT,
  SCALE_BLOCK,
} from '../../src/memory-layout/constants';
import { FIRST, randomAt, randomStride, SECOND } from './random';

@unmanaged
export class EightBit {
  /** Decodes elements [first, first + count) of a moment to f32 at `to`. */
  @inline
  decodeMoment(
    second: bool,
    to: usize,
    codes: usize,
    scales: usize,
    first: usize,
    count: usize,
  ): void {
    if (second) decodeBytes<SecondMoment>(to, codes, scales, first, count);
    else decodeBytes<FirstMoment>(to, codes, scales, first, count);
  }

  /** Encodes f32 at `from` into them, and writes their scales. */
  // biome-ignore format: addresses on one line
  @inline
  encodeMoment(
    second: bool, codes: usize, scales: usize, from: usize, first: usize, count: usize, key: u32,
  ): void {
    if (second) encodeBytes<SecondMoment>(codes, scales, from, first, count, key);
    else encodeBytes<FirstMoment>(codes, scales, from, first, count, key);
  }
}

/** Scales stay at or above 2^-94, so that the smallest code of a block is a normal number. */
const MIN_SCALE: i32 = (127 + MIN_SCALE_EXPONENT) << 23;
/** And at or below 2^126, whose inverse is a normal number too. */
const MAX_SCALE: i32 = (127 + MAX_SCALE_EXPONENT) << 23;
/** (127-32) << 23: what an exponent of the second moment's code is short of that of an f32. */
const V_BIAS: i32 = 95 << 23;
/** The same of the first moment's: the bits of M_OFFSET. */
const M_BIAS: i32 = 111 << 23;
/** 2^-16: added to magnitudes, it makes the bits of an f32 count evenly towards 0. */
const M_OFFSET: f32 = 0.0000152587890625;

/**
 * How a moment is coded, four elements at a time; codes are 0 … 255. Methods are inlined; no object
 * of it ever exists.
 */
@unmanaged
abstract class ByteCode {
  /** Which of the random numbers round it. */
  abstract moment(): u32;
  abstract decode(code: v128, scale: v128): v128;
  /**
   * `inverse` is 1/scale; the upper 20 bits of `random` decide between the codes on either side.
   */
  abstract encode(x: v128, inverse: v128, random: v128): v128;
}

@unmanaged
export class SecondMoment extends ByteCode {
  @inline
  moment(): u32 {
    return SECOND;
  }

  @inline
  decode(code: v128, scale: v128): v128 {
    const v = i32x4.add(i32x4.shl(code, 20), i32x4.splat(V_BIAS));
    return f32x4.mul(v128.andnot(v, i32x4.eq(code, i32x4.splat(0))), scale);
  }

  @inline
  encode(v: v128, inverse: v128, random: v128): v128 {
    const x = i32x4.sub(f32x4.mul(v, inverse), i32x4.splat(V_BIAS));
    const code = i32x4.min_s(
      i32x4.shr_s(i32x4.add(x, i32x4.shr_u(random, 12)), 20),
      i32x4.splat(255),
    );
    return i32x4.max_s(code, i32x4.neg(i32x4.gt_s(v, i32x4.splat(0))));
  }
}

@unmanaged
export class FirstMoment extends ByteCode {
  @inline
  moment(): u32 {
    return FIRST;
  }

  @inline
  decode(code: v128, scale: v128): v128 {
    const magnitude = i32x4.shl(v128.and(code, i32x4.splat(0x7f)), 20);
    const m = f32x4.sub(i32x4.add(magnitude, i32x4.splat(M_BIAS)), f32x4.splat(M_OFFSET));
    return v128.or(f32x4.mul(m, scale), v128.and(i32x4.shl(code, 24), i32x4.splat(i32.MIN_VALUE)));
  }

  @inline
  encode(m: v128, inverse: v128, random: v128): v128 {
    const x = f32x4.add(f32x4.mul(f32x4.abs(m), inverse), f32x4.splat(M_OFFSET));
    const code = i32x4.shr_u(
      i32x4.add(i32x4.sub(x, i32x4.splat(M_BIAS)), i32x4.shr_u(random, 12)),
      20,
    );
    return v128.or(i32x4.min_s(code, i32x4.splat(127)), i32x4.shl(i32x4.shr_u(m, 31), 7));
  }
}

/**
 * `count` elements, a multiple of 16, from element `first` of a tensor on; codes and scales are the
 * tensor's.
 */
export function decodeBytes<C extends ByteCode>(
  to: usize,
  codes: usize,
  scales: usize,
  first: usize,
  count: usize,
): void {
  const end = first + count;
  for (let block = first; block < end; block += SCALE_BLOCK) {
    const blockEnd = min(block + SCALE_BLOCK, end);
    const scale = scaleAt(scales, block);
    for (let i = block; i < blockEnd; i += 16) {
      const c = v128.load(codes + i);
      const low = i16x8.extend_low_i8x16_u(c);
      const high = i16x8.extend_high_i8x16_u(c);
      v128.store(to, changetype<C>(0).decode(i32x4.extend_low_i16x8_u(low), scale));
      v128.store(to, changetype<C>(0).decode(i32x4.extend_high_i16x8_u(low), scale), 16);
      v128.store(to, changetype<C>(0).decode(i32x4.extend_low_i16x8_u(high), scale), 32);
      v128.store(to, changetype<C>(0).decode(i32x4.extend_high_i16x8_u(high), scale), 48);
      to += 64;
    }
  }
}

/** Encodes whole SCALE_BLOCKs, the tensor's last one perhaps cut short, and writes their scales. */
// biome-ignore format: addresses on one line
export function encodeBytes<C extends ByteCode>(
  codes: usize, scales: usize, from: usize, first: usize, count: usize, key: u32,
): void {
  const end = first + count;
  const stride = randomStride(key);
  let random = randomAt(key, changetype<C>(0).moment(), <u32>first);
  for (let block = first; block < end; block += SCALE_BLOCK) {
    const blockEnd = min(block + SCALE_BLOCK, end);
    const inverse = storeScale(scales, block, from, blockEnd - block);
    for (let i = block; i < blockEnd; i += 16) {
      const a = changetype<C>(0).encode(v128.load(from), inverse, random);
      random = i32x4.add(random, stride);
      const b = changetype<C>(0).encode(v128.load(from, 16), inverse, random);
      random = i32x4.add(random, stride);
      const c = changetype<C>(0).encode(v128.load(from, 32), inverse, random);
      random = i32x4.add(random, stride);
      const d = changetype<C>(0).encode(v128.load(from, 48), inverse, random);
      random = i32x4.add(random, stride);
      const low = i16x8.narrow_i32x4_s(a, b);
      v128.store(codes + i, i8x16.narrow_i16x8_u(low, i16x8.narrow_i32x4_s(c, d)));
      from += 64;
    }
  }
}

function scaleAt(scales: usize, i: usize): v128 {
  return v128.load32_splat(scales + ((i / SCALE_BLOCK) << 2));
}

/**
 * Writes the scale of the block that begins at element `block`: the power of two above its largest
 * magnitude, or twice that where the magnitude would round up to it. Returns the scale's inverse,
 * broadcast.
 */
function storeScale(scales: usize, block: usize, from: usize, count: usize): v128 {
  let largest = i32x4.splat(0);
  for (const end = from + (count << 2); from < end; from += 16)
    largest = i32x4.max_s(largest, f32x4.abs(v128.load(from)));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 2, 3, 2, 3));
  const bits = max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1));
  const scale = min(MAX_SCALE, max(MIN_SCALE, ((bits + (1 << 20)) & 0x7f800000) + (1 << 23)));
  store<i32>(scales + ((block / SCALE_BLOCK) << 2), scale);
  return i32x4.splat((254 << 23) - scale);
}
