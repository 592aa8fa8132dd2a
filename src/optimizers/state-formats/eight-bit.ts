/**
 * Moments as a byte an element and an f32 scale for every SCALE_BLOCK. Codes and scales are
 * described where the kernel is, in assembly/state/eight-bit.ts.
 */
import { EightBitFormat } from '../../../build/optimizer-kernels';
import { ArgumentError } from '../../errors';
import { bitsOf } from '../../math/float-bits';
import { randomAt } from '../../math/rounding';
import { MAX_SCALE_EXPONENT, MIN_SCALE_EXPONENT, SCALE_BLOCK } from '../../memory-layout/constants';
import type { StateEncoder } from '../../runtime/kernels-optim';
import type { StateCodec, StateLayout } from './state-format';

/** Blockwise 8-bit codes. */
export interface EightBitState {
  readonly dtype: '8bit';
  /** One for every element. */
  readonly codes: Uint8Array;
  /** One for every block of 256 elements: a power of two. */
  readonly scales: Float32Array;
}

export const eightBitLayout: StateLayout<EightBitState> = {
  name: '8bit',
  parts: [
    { key: 'codes', dtype: 'U8', suffix: '' },
    { key: 'scales', dtype: 'F32', suffix: '.scales' },
  ],
};

export const eightBit: StateCodec<EightBitState> = {
  layout: eightBitLayout,
  id: EightBitFormat,
  byRows: false,
  codeBytes: (paddedLength) => paddedLength,
  scaleCount: blockCount,
  view: (buffer, codes, scales, length) => ({
    dtype: '8bit',
    codes: new Uint8Array(buffer, codes, length),
    scales: new Float32Array(buffer, scales, blockCount(length)),
  }),
  checkValues(path, { codes, scales }) {
    for (let block = 0; block < scales.length; block++) {
      const scale = scales[block];
      const isPower = (bitsOf(scale) & 0x807fffff) === 0;
      if (isPower && scale >= 2 ** MIN_SCALE_EXPONENT && scale <= 2 ** MAX_SCALE_EXPONENT) continue;
      // Before its first step a block has no scale.
      const own = codes.subarray(block * SCALE_BLOCK, (block + 1) * SCALE_BLOCK);
      if (Object.is(scale, 0) && own.every((code) => code === 0)) continue;
      const expected = 'a power of two in [2^-94, 2^126], or 0 where all codes are 0';
      throw new ArgumentError(`${path}.scales[${block}]`, expected, String(scale));
    }
  },
  reader({ codes, scales }, second) {
    const value = second ? secondMoment : firstMoment;
    return (i) => value(codes[i]) * scales[Math.floor(i / SCALE_BLOCK)];
  },
};

function blockCount(length: number): number {
  return Math.ceil(length / SCALE_BLOCK);
}

/** Returns 2^(e-32)·(1 + m/8) of a code eeeee mmm; 0 of 0. */
function secondMoment(code: number): number {
  return code === 0 ? 0 : 2 ** ((code >> 3) - 32) * (1 + (code & 7) / 8);
}

/** Returns ±(2^(e-16)·(1 + m/8) - 2^-16) of a code s eeee mmm. */
function firstMoment(code: number): number {
  const magnitude = 2 ** (((code >> 3) & 15) - 16) * (1 + (code & 7) / 8) - 2 ** -16;
  return code < 128 ? magnitude : -magnitude;
}

export const eightBitEncoder: StateEncoder = (
  { buffer, codes, scales, second },
  first,
  from,
  key,
) => {
  const bytes = new Uint8Array(buffer, codes + first, from.length);
  const firstScale = scales + 4 * (first / SCALE_BLOCK);
  const factors = new Float32Array(buffer, firstScale, blockCount(from.length));
  const code = second ? codeOfSecond : codeOfFirst;
  for (let block = 0; block < from.length; block += SCALE_BLOCK) {
    const values = from.subarray(block, block + SCALE_BLOCK);
    const scale = scaleOf(values);
    factors[block / SCALE_BLOCK] = scale;
    for (let i = 0; i < values.length; i++) {
      const random = randomAt(key, second, first + block + i) >>> 12;
      bytes[block + i] = code(values[i], 1 / scale, random);
    }
  }
};

/**
 * Returns the power of two above the largest magnitude, or twice that where the magnitude would
 * round up to it.
 */
function scaleOf(values: Float32Array): number {
  let largest = 0;
  for (const x of values) largest = Math.max(largest, Math.abs(x));
  const exponent = ((bitsOf(largest) + (1 << 20)) >>> 23) - 127 + 1;
  return 2 ** Math.min(MAX_SCALE_EXPONENT, Math.max(MIN_SCALE_EXPONENT, exponent));
}

/** Returns the code of a second moment; `random` has 20 bits. */
function codeOfSecond(v: number, inverse: number, random: number): number {
  const x = (bitsOf(v * inverse) - (95 << 23)) | 0;
  const code = Math.min(255, (x + random) >> 20);
  return Math.max(code, v > 0 ? 1 : 0);
}

/** Returns the code of a first moment. */
function codeOfFirst(m: number, inverse: number, random: number): number {
  const code = (bitsOf(Math.fround(Math.abs(m) * inverse) + 2 ** -16) - (111 << 23) + random) >> 20;
  return Math.min(127, code) | (bitsOf(m) >>> 31 ? 128 : 0);
}
