/**
 * Moments as bfloat16, the upper halves of float32 numbers. The kernel is assembly/state/bf16.ts.
 */
import { Bf16Format } from '../../../build/optimizer-kernels';
import { ArgumentError } from '../../errors';
import { bitsOf, fromBits } from '../../math/float-bits';
import { randomAt } from '../../math/rounding';
import type { StateEncoder } from '../../runtime/kernels-optim';
import type { StateCodec, StateLayout } from './state-format';

/** Bfloat16 numbers. */
export interface Bf16State {
  readonly dtype: 'bf16';
  /** The upper halves of float32 numbers. */
  readonly bits: Uint16Array;
}

const HALF = 16;
const EXPONENT = 0x7f80;
const SIGN = 0x8000;

export const bf16Layout: StateLayout<Bf16State> = {
  name: 'bf16',
  parts: [{ key: 'bits', dtype: 'BF16', suffix: '' }],
};

export const bf16: StateCodec<Bf16State> = {
  layout: bf16Layout,
  id: Bf16Format,
  byRows: true,
  codeBytes: (paddedLength) => 2 * paddedLength,
  scaleCount: () => 0,
  view: (buffer, codes, _scales, length) => ({
    dtype: 'bf16',
    bits: new Uint16Array(buffer, codes, length),
  }),
  checkValues(path, { bits }, squares) {
    for (let i = 0; i < bits.length; i++) {
      if ((bits[i] & EXPONENT) === EXPONENT)
        throw new ArgumentError(`${path}.bits[${i}]`, 'a finite number', 'NaN or infinity');
    }
    const negative = squares ? bits.findIndex((x) => x >= SIGN) : -1;
    if (negative < 0) return;
    const expected = 'a number ≥ 0, as averages of squares are';
    throw new ArgumentError(`${path}.bits[${negative}]`, expected, 'a negative one');
  },
  reader:
    ({ bits }) =>
    (i) =>
      fromBits(bits[i] << HALF),
  scale({ bits }, first, count, factor) {
    for (let i = first; i < first + count; i++)
      bits[i] = bitsOf(fromBits(bits[i] << HALF) * factor) >>> HALF;
  },
};

export const bf16Encoder: StateEncoder = ({ buffer, codes, second }, first, from, key) => {
  const bits = new Uint16Array(buffer, codes + 2 * first, from.length);
  for (let i = 0; i < from.length; i++) {
    bits[i] = second ? stochastic(from[i], randomAt(key, true, first + i)) : nearest(from[i]);
  }
};

/** Rounds to nearest, ties to even. */
function nearest(x: number): number {
  const bits = bitsOf(x);
  return (bits + 0x7fff + ((bits >>> HALF) & 1)) >>> HALF;
}

/** Rounds x ≥ 0 stochastically; what is not zero stays so. */
function stochastic(x: number, random: number): number {
  return Math.max((bitsOf(x) + (random >>> HALF)) >>> HALF, x > 0 ? 1 : 0);
}
