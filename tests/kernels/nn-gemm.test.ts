/**
 * Matrix products and biases of the shipped nn binaries: bit for bit the reference's, and near the
 * true product.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { GEMM_DEPTH, GEMM_ROWS, gemmScratchBytes } from '../../src/memory-layout/nn-layout';
import { Bench, type Buffer } from './arena';
import { KINDS, ordinary, strange, wild } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

const FORMS = ['gemmNN', 'gemmNT', 'gemmTN'] as const;
type Form = (typeof FORMS)[number];
type Maker = (n: number, seed: number) => Float32Array;

interface Product {
  a: Float32Array;
  b: Float32Array;
  c: Buffer;
}

function multiply(form: Form, m: number, n: number, k: number, make: Maker): Product {
  bench.reset();
  const a = make(m * k, m + 1);
  const b = make(k * n, n + 2);
  const [aAt, bAt] = [bench.buffer(m * k, a), bench.buffer(k * n, b)];
  const c = bench.buffer(m * n, ordinary(m * n, 5));
  const scratch = bench.scratch(gemmScratchBytes(m, n, k));
  bench.run(
    (kernels) => kernels[form](c.address, aAt.address, bAt.address, m, n, k, scratch.address),
    scratch,
  );
  for (const [buffer, size] of [
    [aAt, m * k],
    [bAt, k * n],
    [c, m * n],
  ] as const) {
    bench.expectTidy(buffer, size);
  }
  // `run` cleared scratch; what lies past its end must still be there.
  bench.expectTidy(scratch, 0);
  return { a, b, c };
}

const SHAPES = [
  [1, 1, 1],
  [5, 7, 3],
  [13, 17, 29],
  [64, 10, 64],
  [2, 16, 8],
  [3, 4, 5],
  [4, 20, 6],
  [6, 12, 300],
  [1, 33, 40],
  [33, 1, 40],
  [1, 64, 784],
  [1, 4099, 7],
  [5, 31, GEMM_DEPTH],
  [7, 15, GEMM_DEPTH + 1],
  [9, 8, 2 * GEMM_DEPTH + 3],
  [8, 44, GEMM_DEPTH + 44],
  [GEMM_ROWS + 3, 5, 6],
  [GEMM_ROWS * 2 + 1, 18, 7],
  [32, 64, 64],
  [100, 3, 16],
  [96, 47, 300],
  [GEMM_ROWS * 2 + 5, 48, GEMM_DEPTH + 9],
] as const;

describe.each(FORMS)('%s', (form) => {
  it.each(SHAPES)('%i×%i×%i is the reference’s for any values', (m, n, k) => {
    for (const make of Object.values(KINDS)) multiply(form, m, n, k, make);
  });

  it('any small shape', () => {
    for (let m = 1; m <= 5; ++m) {
      for (let n = 1; n <= 20; ++n)
        for (const k of [1, 2, 3, 4, 5, 8, 9]) multiply(form, m, n, k, strange);
    }
  });

  it('any shape', () => {
    const size = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(size, size, size, (m, n, k) => void multiply(form, m, n, k, wild)),
      { numRuns: 40 },
    );
  });

  it('is the product, within the rounding of k additions', () => {
    const [m, n, k] = [23, 19, 101];
    const { a, b, c } = multiply(form, m, n, k, ordinary);
    const product = bench.read(c, m * n);
    for (let i = 0; i < m; ++i) {
      for (let j = 0; j < n; ++j) {
        let exact = 0;
        let size = 0;
        for (let p = 0; p < k; ++p) {
          const term =
            a[form === 'gemmTN' ? p * m + i : i * k + p]! *
            b[form === 'gemmNT' ? j * k + p : p * n + j]!;
          exact += term;
          size += Math.abs(term);
        }
        expect(Math.abs(product[i * n + j]! - exact)).toBeLessThanOrEqual(size * k * 2 ** -24);
      }
    }
  });

  it('k = 0 gives zeros, m = 0 or n = 0 nothing', () => {
    const c = bench.buffer(20, ordinary(20, 1));
    const a = bench.buffer(25, ordinary(25, 2));
    const scratch = bench.scratch(gemmScratchBytes(5, 5, 5));
    const run = (m: number, n: number, k: number) =>
      bench.run(
        (kernels) => kernels[form](c.address, a.address, a.address, m, n, k, scratch.address),
        scratch,
      );
    run(0, 5, 5);
    run(5, 0, 5);
    expect(bench.read(c, 20)).toEqual(ordinary(20, 1));
    run(4, 5, 0);
    expect(bench.read(c, 20)).toEqual(new Float32Array(20));
  });

  it('a row of C is the same bits alone as among others', () => {
    const [m, n, k] = [31, 26, 300];
    const { a, b, c } = multiply(form, m, n, k, ordinary);
    const whole = bench.read(c, n);
    const row =
      form === 'gemmTN' ? Float32Array.from({ length: k }, (_, p) => a[p * m]!) : a.slice(0, k);
    bench.reset();
    const [rowAt, bAt, out] = [bench.buffer(k, row), bench.buffer(k * n, b), bench.buffer(n)];
    const scratch = bench.scratch(gemmScratchBytes(1, n, k));
    bench.run(
      (kernels) => kernels[form](out.address, rowAt.address, bAt.address, 1, n, k, scratch.address),
      scratch,
    );
    expect(bench.read(out, n)).toEqual(whole);
  });
});

it('gemmScratchBytes is bounded and covers every shape tried above', () => {
  expect(gemmScratchBytes(1e6, 1e6, 1e6)).toBe(gemmScratchBytes(GEMM_ROWS, 1, GEMM_DEPTH));
  expect(gemmScratchBytes(1e6, 1e6, 1e6)).toBeLessThan(280_000);
});

describe('biases', () => {
  it.each(Object.entries(KINDS))('biasAdd and biasGrad, %s values', (_, make) => {
    for (const rows of [1, 2, 3, 17]) {
      for (let cols = 1; cols <= 21; ++cols) {
        bench.reset();
        const x = bench.buffer(rows * cols, make(rows * cols, cols));
        const bias = bench.buffer(cols, make(cols, rows));
        const db = bench.buffer(cols, make(cols, 3));
        bench.run((k) => k.biasAdd(x.address, bias.address, rows, cols));
        bench.run((k) => k.biasGrad(db.address, x.address, rows, cols));
        bench.expectTidy(x, rows * cols);
        bench.expectTidy(bias, cols);
        bench.expectTidy(db, cols);
      }
    }
  });

  it('biasGrad rounds once: sums that f32 would lose survive', () => {
    const rows = 1001;
    const x = bench.buffer(rows * 2, new Float32Array(rows * 2).fill(1e-8));
    const db = bench.buffer(2);
    bench.run((k) => k.biasGrad(db.address, x.address, rows, 2));
    expect(bench.read(db, 1)[0]).toBe(
      Math.fround(
        Array(rows)
          .fill(Math.fround(1e-8))
          .reduce((s, v) => s + v, 0),
      ),
    );
  });
});
