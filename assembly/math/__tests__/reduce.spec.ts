import {
  fold,
  largestMagnitude,
  Magnitude,
  Product,
  Square,
  sumBlock,
  sumTerms,
  Value,
} from '../reduce';
import { fillExact, floats, get, put } from './floats';

describe('sums', () => {
  it('are exact for exact numbers, over one block and several', () => {
    const lengths: i32[] = [1, 15, 16, 17, 100, 8192, 8193, 20000];
    for (let l = 0; l < lengths.length; ++l) {
      const n = lengths[l];
      const x = floats(n);
      const y = floats(n);
      fillExact(x, n, 4);
      fillExact(y, n, 5);
      let sum: f64 = 0;
      let magnitudes: f64 = 0;
      let squares: f64 = 0;
      let products: f64 = 0;
      for (let i = 0; i < n; ++i) {
        sum += get(x, i);
        magnitudes += abs(get(x, i));
        squares += <f64>get(x, i) * <f64>get(x, i);
        products += <f64>get(x, i) * <f64>get(y, i);
      }
      expect(sumTerms<Value>(x, x, n)).toBe(sum);
      expect(sumTerms<Magnitude>(x, x, n)).toBe(magnitudes);
      expect(sumTerms<Square>(x, x, n)).toBe(squares);
      expect(sumTerms<Product>(x, y, n)).toBe(products);
    }
  });

  it('sumBlock has the bits of sumTerms within a block', () => {
    const x = floats(8192);
    for (let i = 0; i < 8192; ++i) put(x, i, <f32>1 / <f32>(i - 4000.5));
    expect(sumBlock<Magnitude>(x, x, 8192 << 2)).toBe(sumTerms<Magnitude>(x, x, 8192));
  });

  it('fold adds in its stated order', () => {
    const big = f64x2.splat(1e16);
    const one = f64x2.splat(1);
    const zero = f64x2.splat(0);
    // (1e16 + 1) loses the 1 twice in each lane; (1 + 1) first would have kept it.
    expect(fold(big, one, f64x2.splat(-1e16), zero, zero, zero, zero, zero)).toBe(0);
    expect(fold(big, f64x2.splat(-1e16), one, one, zero, zero, zero, zero)).toBe(4);
  });

  it('pass NaN and Infinity on', () => {
    const x = floats(20);
    put(x, 19, Infinity);
    expect(sumTerms<Magnitude>(x, x, 20)).toBe(Infinity);
    put(x, 3, NaN);
    expect(F64.isNaN(sumTerms<Value>(x, x, 20))).toBe(true);
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
