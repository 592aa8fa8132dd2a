/**
 * Encodes moments as blockwise 8-bit codes in plain TypeScript. The kernel, which describes the
 * codes, is assembly/state/eight-bit.ts.
 */
import { bitsOf } from '../../../math/float-bits';
import { randomAt } from '../../../math/rounding';
import {
  MAX_SCALE_EXPONENT,
  MIN_SCALE_EXPONENT,
  SCALE_BLOCK,
} from '../../../memory-layout/constants';
import type { StateEncoder } from '../../kernels-optim';

const f = Math.fround;

export const EightBit: StateEncoder = ({ buffer, codes, scales, second }, first, from, key) => {
  const bytes = new Uint8Array(buffer, codes + first, from.length);
  const firstBlock = first / SCALE_BLOCK;
  const blockCount = Math.ceil(from.length / SCALE_BLOCK);
  const factors = new Float32Array(buffer, scales + 4 * firstBlock, blockCount);
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

/** `random` has 20 bits. */
function codeOfSecond(v: number, inverse: number, random: number): number {
  const x = (bitsOf(f(v * inverse)) - (95 << 23)) | 0;
  const code = Math.min(255, (x + random) >> 20);
  return Math.max(code, v > 0 ? 1 : 0);
}

function codeOfFirst(m: number, inverse: number, random: number): number {
  const code = (bitsOf(f(f(Math.abs(m) * inverse) + 2 ** -16)) - (111 << 23) + random) >> 20;
  return Math.min(127, code) | (bitsOf(m) >>> 31 ? 128 : 0);
}
