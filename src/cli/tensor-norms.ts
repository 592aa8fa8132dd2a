/**
 * Norms of tensors of any element type of the safetensors format, computed piece by piece, so that
 * tensors need not fit into memory.
 */

/** Norms in float64; NaN or Infinity if an element is. */
export interface TensorNorms {
  /** Σ|x| */
  readonly l1: number;
  /** √Σx² */
  readonly l2: number;
  /** max|x|; 0 for no elements. */
  readonly max: number;
  /** Number of elements that are NaN or infinite. */
  readonly nonFinite: number;
}

/** Accumulates the bytes of a tensor, in order. */
export interface NormAccumulator {
  /** Adds bytes. @param bytes 8-byte aligned in their buffer, ending with a whole element */
  add(bytes: Uint8Array): void;
  /** Returns the norms of all bytes so far. */
  norms(): TensorNorms;
}

/**
 * Creates an accumulator for an element type; returns null if its elements are not real numbers.
 */
export function createNorms(dtype: string): NormAccumulator | null {
  const array = WIDE_TYPES[dtype];
  if (array) return new WideNorms(array);
  const decode = CODES[dtype];
  if (!decode) return null;
  return /16$/.test(dtype) ? new CodeNorms(Uint16Array, decode) : new CodeNorms(Uint8Array, decode);
}

interface WideArray {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayLike<number | bigint>;
}

const WIDE_TYPES: Readonly<Record<string, WideArray | undefined>> = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
};

/** Decoders of the types with at most 16 bits, which decode each code once. */
const CODES: Readonly<Record<string, ((code: number) => number) | undefined>> = {
  U8: (code) => code,
  I8: (code) => (code << 24) >> 24,
  BOOL: (code) => (code === 0 ? 0 : 1),
  U16: (code) => code,
  I16: (code) => (code << 16) >> 16,
  F16: smallFloat(5, 10, 15, 'infinities'),
  BF16: smallFloat(8, 7, 127, 'infinities'),
  F8_E5M2: smallFloat(5, 2, 15, 'infinities'),
  F8_E4M3: smallFloat(4, 3, 7, 'all-ones'),
  F8_E5M2FNUZ: smallFloat(5, 2, 16, 'minus-zero'),
  F8_E4M3FNUZ: smallFloat(4, 3, 8, 'minus-zero'),
  F8_E8M0: (code) => (code === 255 ? Number.NaN : 2 ** (code - 127)),
};

/**
 * Returns a decoder of floats with few bits: sign, exponent, mantissa.
 *
 * @param special codes that are not finite numbers: those of IEEE 754, the two of all ones, or the
 *   one of -0
 */
function smallFloat(
  exponentBits: number,
  mantissaBits: number,
  bias: number,
  special: 'infinities' | 'all-ones' | 'minus-zero',
): (code: number) => number {
  const signBit = 2 ** (exponentBits + mantissaBits);
  return (code) => {
    const sign = code >= signBit ? -1 : 1;
    const exponent = Math.floor((code % signBit) / 2 ** mantissaBits);
    const mantissa = code % 2 ** mantissaBits;
    if (special === 'minus-zero' && code === signBit) return Number.NaN;
    if (special === 'all-ones' && code % signBit === signBit - 1) return Number.NaN;
    if (special === 'infinities' && exponent === 2 ** exponentBits - 1) {
      return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    }
    const fraction = mantissa / 2 ** mantissaBits;
    return exponent === 0
      ? sign * fraction * 2 ** (1 - bias)
      : sign * (1 + fraction) * 2 ** (exponent - bias);
  };
}

/** Accumulator for elements of 32 and 64 bits. */
class WideNorms implements NormAccumulator {
  readonly #array: WideArray;
  readonly #sums = new Sums();

  constructor(array: WideArray) {
    this.#array = array;
  }

  add({ buffer, byteOffset, length }: Uint8Array): void {
    const elements = new this.#array(buffer, byteOffset, length / this.#array.BYTES_PER_ELEMENT);
    for (let i = 0; i < elements.length; i++) this.#sums.add(Number(elements[i]), 1);
  }

  norms(): TensorNorms {
    return this.#sums.norms();
  }
}

/** Accumulator for elements of 8 and 16 bits, which counts how often each code occurs. */
class CodeNorms implements NormAccumulator {
  readonly #array: typeof Uint8Array | typeof Uint16Array;
  readonly #decode: (code: number) => number;
  readonly #counts: Float64Array;

  constructor(array: typeof Uint8Array | typeof Uint16Array, decode: (code: number) => number) {
    this.#array = array;
    this.#decode = decode;
    this.#counts = new Float64Array(2 ** (8 * array.BYTES_PER_ELEMENT));
  }

  add({ buffer, byteOffset, length }: Uint8Array): void {
    const codes = new this.#array(
      buffer as ArrayBuffer,
      byteOffset,
      length / this.#array.BYTES_PER_ELEMENT,
    );
    const counts = this.#counts;
    for (let i = 0; i < codes.length; i++) counts[codes[i]]++;
  }

  norms(): TensorNorms {
    const sums = new Sums();
    for (const [code, count] of this.#counts.entries())
      if (count > 0) sums.add(this.#decode(code), count);
    return sums.norms();
  }
}

/** Running sums. Squares are relative to a power of two, since they could overflow in float64. */
class Sums {
  #l1 = 0;
  #max = 0;
  #squares = 0;
  #scale = 1;
  #nonFinite = 0;

  add(element: number, count: number): void {
    const x = Math.abs(element);
    this.#l1 += count * x;
    if (!(x <= this.#max)) this.#grow(x); // once NaN, it stays NaN
    if (!(x < Number.POSITIVE_INFINITY)) this.#nonFinite += count;
    const relative = x / this.#scale;
    this.#squares += count * relative * relative;
  }

  norms(): TensorNorms {
    const max = this.#max;
    const isScaled = max > 0 && Number.isFinite(max);
    const l2 = isScaled ? this.#scale * Math.sqrt(this.#squares) : max;
    return { l1: this.#l1, l2, max, nonFinite: this.#nonFinite };
  }

  #grow(x: number): void {
    if (!Number.isNaN(this.#max)) this.#max = x;
    const scale = 2 ** Math.min(Math.max(Math.floor(Math.log2(x)), -1022), 1023);
    if (!(scale > 0) || !Number.isFinite(scale) || (this.#squares > 0 && scale <= this.#scale))
      return;
    const shrink = this.#scale / scale;
    this.#squares *= shrink * shrink;
    this.#scale = scale;
  }
}
