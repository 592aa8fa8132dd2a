/**
 * State kept as a byte an element and an f32 scale, a power of two, for every SCALE_BLOCK elements: small floats relative to
 * the block's largest magnitude.
 *
 *   second moment  eeeee mmm    2^(e-32)·(1 + m/8), code 0 is zero: 32 octaves
 *   first moment   s eeee mmm   2^(e-16)·(1 + m/8), for e = 0: 2^-18·m: 16 octaves, and even steps below
 *
 * Both are rounded stochastically: a running average of 3-bit mantissas that rounds to nearest stops moving. A second
 * moment that is not zero is never coded as zero, since it divides.
 */
import { SCALE_BLOCK } from '../layout';
import { randomAt } from './random';

/** Scales stay at or above 2^-94, so that the smallest code of a block is a normal number. */
const MIN_SCALE: i32 = (127 - 94) << 23;
/** And at or below 2^126, whose inverse is a normal number too. */
const MAX_SCALE: i32 = (127 + 126) << 23;
/** (127-32) << 23: what an exponent of the second moment's code is short of that of an f32. */
const V_BIAS: i32 = 95 << 23;
const M_BIAS: i32 = 111 << 23;
/** 2^-15: below it the first moment's codes are evenly spaced. */
const M_NORMAL: f32 = 0.000030517578125;

/** `count` elements, a multiple of 16, from element `first` of a tensor on; codes and scales are the tensor's. */
export function decodeV(to: usize, codes: usize, scales: usize, first: usize, count: usize): void {
  const end = first + count;
  for (let i = first; i < end; i += 4) {
    const c = codesAt(codes + i);
    const x = v128.andnot(i32x4.add(i32x4.shl(c, 20), i32x4.splat(V_BIAS)), i32x4.eq(c, i32x4.splat(0)));
    v128.store(to, f32x4.mul(x, scaleAt(scales, i)));
    to += 16;
  }
}

/** The same of the first moment. */
export function decodeM(to: usize, codes: usize, scales: usize, first: usize, count: usize): void {
  const end = first + count;
  for (let i = first; i < end; i += 4) {
    const c = codesAt(codes + i);
    const magnitude = v128.and(c, i32x4.splat(0x7f));
    const normal = i32x4.add(i32x4.shl(magnitude, 20), i32x4.splat(M_BIAS));
    const small = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(3.814697265625e-6));
    const x = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(8)));
    const sign = i32x4.shl(i32x4.shr_u(c, 7), 31);
    v128.store(to, v128.or(f32x4.mul(x, scaleAt(scales, i)), sign));
    to += 16;
  }
}

/** Encodes whole SCALE_BLOCKs, the tensor's last one perhaps cut short, and writes their scales. */
export function encodeV(codes: usize, scales: usize, from: usize, first: usize, count: usize, key: u32): void {
  const end = first + count;
  for (let block = first; block < end; block += SCALE_BLOCK) {
    const blockEnd = min(block + SCALE_BLOCK, end);
    const inverse = storeScale(scales, block, from, blockEnd - block);
    for (let i = block; i < blockEnd; i += 16) {
      const a = codeV(v128.load(from), inverse, randomAt(key, <u32>i));
      const b = codeV(v128.load(from, 16), inverse, randomAt(key, <u32>i + 4));
      const c = codeV(v128.load(from, 32), inverse, randomAt(key, <u32>i + 8));
      const d = codeV(v128.load(from, 48), inverse, randomAt(key, <u32>i + 12));
      v128.store(codes + i, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
      from += 64;
    }
  }
}

/** The same of the first moment. */
export function encodeM(codes: usize, scales: usize, from: usize, first: usize, count: usize, key: u32): void {
  const end = first + count;
  for (let block = first; block < end; block += SCALE_BLOCK) {
    const blockEnd = min(block + SCALE_BLOCK, end);
    const inverse = storeScale(scales, block, from, blockEnd - block);
    for (let i = block; i < blockEnd; i += 16) {
      const a = codeM(v128.load(from), inverse, randomAt(key, <u32>i));
      const b = codeM(v128.load(from, 16), inverse, randomAt(key, <u32>i + 4));
      const c = codeM(v128.load(from, 32), inverse, randomAt(key, <u32>i + 8));
      const d = codeM(v128.load(from, 48), inverse, randomAt(key, <u32>i + 12));
      v128.store(codes + i, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
      from += 64;
    }
  }
}

/** Four codes as i32x4. */
function codesAt(codes: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(codes)));
}

function scaleAt(scales: usize, i: usize): v128 {
  return v128.load32_splat(scales + ((i / SCALE_BLOCK) << 2));
}

/**
 * Writes the scale of the block that begins at element `block`: the power of two above its largest magnitude, or twice that
 * where the magnitude would round up to it. Returns the scale's inverse, broadcast.
 */
function storeScale(scales: usize, block: usize, from: usize, count: usize): v128 {
  let largest = i32x4.splat(0);
  for (const end = from + (count << 2); from < end; from += 16) largest = i32x4.max_s(largest, f32x4.abs(v128.load(from)));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 2, 3, 2, 3));
  const bits = max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1));
  const scale = min(MAX_SCALE, max(MIN_SCALE, ((bits + (1 << 20)) & 0x7f800000) + (1 << 23)));
  store<i32>(scales + ((block / SCALE_BLOCK) << 2), scale);
  return i32x4.splat((254 << 23) - scale);
}

function codeV(v: v128, inverse: v128, random: v128): v128 {
  // The upper 16 random bits decide between the codes on either side.
  const rounding = i32x4.shl(i32x4.shr_u(random, 16), 4);
  const x = i32x4.sub(f32x4.mul(v, inverse), i32x4.splat(V_BIAS));
  const code = i32x4.min_s(i32x4.shr_s(i32x4.add(x, rounding), 20), i32x4.splat(255));
  return i32x4.max_s(code, i32x4.neg(i32x4.gt_s(v, i32x4.splat(0))));
}

function codeM(m: v128, inverse: v128, random: v128): v128 {
  // The lower 16 random bits, so that the two moments are rounded independently.
  const bits = v128.and(random, i32x4.splat(0xffff));
  const x = f32x4.mul(f32x4.abs(m), inverse);
  const normal = i32x4.shr_s(i32x4.add(i32x4.sub(x, i32x4.splat(M_BIAS)), i32x4.shl(bits, 4)), 20);
  const fraction = f32x4.mul(f32x4.convert_i32x4_s(bits), f32x4.splat(0.0000152587890625));
  const small = i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(x, f32x4.splat(262144)), fraction));
  const code = v128.bitselect(small, normal, f32x4.lt(x, f32x4.splat(M_NORMAL)));
  return v128.or(i32x4.min_s(code, i32x4.splat(127)), i32x4.shl(i32x4.shr_u(m, 31), 7));
}
