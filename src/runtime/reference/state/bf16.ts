/** Encodes bfloat16 moments in plain TypeScript. The kernel is assembly/state/bf16.ts. */
import { bitsOf } from '../../../math/float-bits';
import { randomAt } from '../../../math/rounding';
import type { StateEncoder } from '../../kernels-optim';

const HALF = 16;

export const Bf16: StateEncoder = ({ buffer, codes, second }, first, from, key) => {
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
