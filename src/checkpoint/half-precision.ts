/**
 * Conversions between 16-bit floating point and float32.
 *
 *     BF16  s eeeeeeee fffffff          the upper half of a float32
 *     F16   s eeeee ffffffffff          IEEE 754 binary16: ±65504, subnormal below 2^-14
 *
 * Invariant: widening is exact; narrowing rounds to nearest, ties to even. ±0, ±∞ and NaN are
 * preserved.
 */
import { fail, isFloat32Array, isTypedArray } from '../validate';

/**
 * Widens bfloat16 numbers to float32, exactly.
 *
 * @param bits raw bits, as `decodeSafetensors` returns them
 * @throws ArgumentError if `bits` is not a Uint16Array
 * @example bf16ToF32(new Uint16Array([0x3f80])) // Float32Array [1]
 */
export function bf16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = wordsFor(bits);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

/**
 * Narrows float32 numbers to bfloat16, rounding to nearest, ties to even. Numbers that round beyond
 * the largest bfloat16 become infinite.
 *
 * @returns raw bits
 * @throws ArgumentError if `values` is not a Float32Array
 * @example f32ToBf16(new Float32Array([1])) // Uint16Array [0x3f80]
 */
export function f32ToBf16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return narrow(values, bf16BitsOf);
}

/**
 * Widens IEEE half-precision numbers to float32, exactly.
 *
 * @param bits raw bits, as `decodeSafetensors` returns them
 * @throws ArgumentError if `bits` is not a Uint16Array
 * @example f16ToF32(new Uint16Array([0x3c00])) // Float32Array [1]
 */
export function f16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = wordsFor(bits);
  for (let i = 0; i < bits.length; i++) words[i] = f32BitsOfF16(bits[i]!);
  return new Float32Array(words.buffer);
}

/**
 * Narrows float32 numbers to IEEE half precision, rounding to nearest, ties to even. Magnitudes of
 * 65520 and above become infinite.
 *
 * @returns raw bits
 * @throws ArgumentError if `values` is not a Float32Array
 * @example f32ToF16(new Float32Array([1])) // Uint16Array [0x3c00]
 */
export function f32ToF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return narrow(values, f16BitsOf);
}

function wordsFor(bits: Uint16Array): Uint32Array<ArrayBuffer> {
  if (!isTypedArray('Uint16Array', bits)) fail('bits', 'a Uint16Array', bits);
  return new Uint32Array(bits.length);
}

function narrow(values: Float32Array, convert: (word: number) => number): Uint16Array<ArrayBuffer> {
  if (!isFloat32Array(values)) fail('values', 'a Float32Array', values);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = convert(words[i]!);
  return bits;
}

function bf16BitsOf(word: number): number {
  // A NaN with its payload only in the lower half would become ∞: setting the quiet bit avoids it.
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

function f32BitsOfF16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // fraction × 2^-24; its leading bit becomes the implicit one.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

function f16BitsOf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above
  // Normal numbers: 2^-14 and above.
  if (magnitude >= 0x38800000) return sign | roundedShift(magnitude - 0x38000000, 13);
  if (magnitude <= 0x33000000) return sign; // up to half the smallest subnormal, 2^-25
  // Subnormal: a multiple of 2^-24. Rounding may carry into the exponent field, as it should.
  return sign | roundedShift((magnitude & 0x7fffff) | 0x800000, 126 - (magnitude >>> 23));
}

/** Returns value/2^count, rounded to nearest, ties to even. */
function roundedShift(value: number, count: number): number {
  const quotient = value >>> count;
  const rest = value & ((1 << count) - 1);
  const half = 1 << (count - 1);
  return rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient;
}
