import { Fold, largestMagnitude, Magnitude, Square, sumBlock } from '../reduce';
import { fillExact, floats, get, put } from './floats';

describe('sums', () => {
  it('are exact for exact numbers', () => {
    const lengths: i32[] = [1, 15, 16, 17, 100, 8192];
    for (let l = 0; l < lengths.length; ++l) {
      const n = lengths[l];
      const x = floats(n);
      fillExact(x, n, 4);
      let magnitudes: f64 = 0;
      let squares: f64 = 0;
      for (let i = 0; i < n; ++i) {
        magnitudes += abs(get(x, i));
        squares += <f64>get(x, i) * <f64>get(x, i);
      }
      const bytes = ((n + 15) & ~15) << 2;
      expect(sumBlock<Magnitude>(x, bytes)).toBe(magnitudes);
      expect(sumBlock<Square>(x, bytes)).toBe(squares);
    }
  });

  it('fold adds in its stated order', () => {
    const big = f64x2.splat(1e16);
    const one = f64x2.splat(1);
    const zero = f64x2.splat(0);
    // (1e16 + 1) loses the 1 twice in each lane; (1 + 1) first would have kept it.
    expect(changetype<Fold>(0).of(big, one, f64x2.splat(-1e16), zero, zero, zero, zero, zero)).toBe(
      0,
    );
    expect(changetype<Fold>(0).of(big, f64x2.splat(-1e16), one, one, zero, zero, zero, zero)).toBe(
      4,
    );
  });

  it('pass NaN and Infinity on', () => {
    const x = floats(20);
    put(x, 19, Infinity);
    expect(sumBlock<Magnitude>(x, 128)).toBe(Infinity);
    put(x, 3, NaN);
    expect(F64.isNaN(sumBlock<Square>(x, 128))).toBe(true);
  });
});

describe('largestMagnitude', () => {
  it('finds the maximum, and NaN, wherever it is', () => {
    for (let i = 0; i < 33; ++i) {
      const x = floats(33);
      fillExact(x, 33, 6);
      put(x, i, -100);
      expect(largestMagnitude(x, 33)).toBe(100);
      put(x, (i + 5) % 33, NaN);
      expect(F32.isNaN(largestMagnitude(x, 33))).toBe(true);
    }
  });
});
