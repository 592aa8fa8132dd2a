import { fillExact, floats, get, put, tidy } from '../../math/__tests__/floats';
import { batchNorm, batchStatistics } from '../batch-norm';
import { layerNorm } from '../layer-norm';

/** n ones. */
function ones(n: i32): usize {
  const x = floats(n);
  for (let i = 0; i < n; ++i) put(x, i, 1);
  return x;
}

describe('normalisation', () => {
  it('centres and scales columns', () => {
    const rows = 8;
    const cols = 5;
    const x = floats(rows * cols);
    const y = floats(rows * cols);
    const mean = floats(cols);
    const inv = floats(cols);
    fillExact(x, rows * cols, 4);
    batchStatistics(mean, inv, floats(cols), floats(cols), x, rows, cols, 0, 0.1, 1);
    batchNorm(y, x, mean, inv, ones(cols), floats(cols), rows, cols);
    for (let c = 0; c < cols; ++c) {
      let sum: f64 = 0;
      let squares: f64 = 0;
      for (let r = 0; r < rows; ++r) {
        sum += get(y, r * cols + c);
        squares += get(y, r * cols + c) * get(y, r * cols + c);
      }
      expect(sum / rows).toBeCloseTo(0, 5);
      expect(squares / rows).toBeCloseTo(1, 5);
    }
    expect(tidy(y, rows * cols)).toBe(true);
  });

  it('centres and scales rows', () => {
    const rows = 3;
    const cols = 7;
    const x = floats(rows * cols);
    const y = floats(rows * cols);
    fillExact(x, rows * cols, 4);
    layerNorm(y, x, floats(rows), floats(rows), ones(cols), floats(cols), rows, cols, 0);
    for (let r = 0; r < rows; ++r) {
      let squares: f64 = 0;
      for (let c = 0; c < cols; ++c) squares += get(y, r * cols + c) * get(y, r * cols + c);
      expect(squares / cols).toBeCloseTo(1, 5);
    }
  });
});
