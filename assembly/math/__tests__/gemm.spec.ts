import { gemmScratchBytes } from '../../../src/memory-layout/nn-layout';
import { gemm } from '../gemm';
import { fillExact, floats, get, tidy } from './floats';

/** One product against the triple loop that defines it. */
function check(m: i32, n: i32, k: i32, aTransposed: bool, bTransposed: bool): void {
  const a = floats(m * k);
  const b = floats(k * n);
  const c = floats(m * n);
  const scratch = heap.alloc(<usize>gemmScratchBytes(m, n, k));
  fillExact(a, m * k, 1);
  fillExact(b, k * n, 2);
  gemm(c, a, b, m, n, k, scratch, aTransposed, bTransposed);
  let wrong = 0;
  for (let i = 0; i < m; ++i) {
    for (let j = 0; j < n; ++j) {
      let sum: f32 = 0;
      for (let p = 0; p < k; ++p)
        sum +=
          get(a, aTransposed ? p * m + i : i * k + p) * get(b, bTransposed ? j * k + p : p * n + j);
      if (get(c, i * n + j) !== sum) ++wrong;
    }
  }
  expect(wrong).toBe(0, `${m}×${n}×${k}`);
  expect(tidy(c, m * n)).toBe(true);
  heap.free(scratch);
}

function checkForms(m: i32, n: i32, k: i32): void {
  check(m, n, k, false, false);
  check(m, n, k, false, true);
  check(m, n, k, true, false);
}

describe('gemm', () => {
  it('is the triple loop for every small shape', () => {
    for (let m = 1; m < 7; ++m) for (let n = 1; n < 20; ++n) checkForms(m, n, 5);
  });

  it('is the triple loop over several blocks of rows and of depth', () => {
    checkForms(3, 18, 600);
    checkForms(515, 5, 9);
  });
});
