import { lookUp, lookUpGradient } from '../embedding';
import { columnStatistics, normalizeByColumn, normalizeByRow } from '../norm';
import { elementLoss, Huber, logisticLoss, SquaredError } from '../regression-loss';
import { fillExact, floats, get, put, tidy } from './floats';

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
    columnStatistics(mean, inv, floats(cols), floats(cols), x, rows, cols, 0, 0.1);
    normalizeByColumn(y, x, mean, inv, ones(cols), floats(cols), rows, cols);
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
    normalizeByRow(y, x, floats(rows), floats(rows), ones(cols), floats(cols), rows, cols, 0);
    for (let r = 0; r < rows; ++r) {
      let squares: f64 = 0;
      for (let c = 0; c < cols; ++c) squares += get(y, r * cols + c) * get(y, r * cols + c);
      expect(squares / cols).toBeCloseTo(1, 5);
    }
  });
});

describe('embedding', () => {
  it('looks rows up, and sums gradients by row', () => {
    const table = floats(6);
    fillExact(table, 6, 1);
    const indices = floats(3);
    put(indices, 0, 2);
    put(indices, 1, 0);
    put(indices, 2, 2);
    const y = floats(6);
    const dtable = floats(6);
    lookUp(y, indices, table, 3, 3, 2);
    for (let j = 0; j < 2; ++j) expect(get(y, j)).toBe(get(table, 4 + j));
    lookUpGradient(dtable, y, indices, 3, 3, 2);
    for (let j = 0; j < 2; ++j) expect(get(dtable, 4 + j)).toBe(2 * get(table, 4 + j));
    for (let j = 2; j < 4; ++j) expect(get(dtable, j)).toBe(0);
  });
});

describe('element-wise losses', () => {
  it('are means with their slopes', () => {
    const x = floats(5);
    const t = floats(5);
    const d = floats(5);
    for (let i = 0; i < 5; ++i) put(x, i, <f32>(i - 2));
    expect(elementLoss<SquaredError>(d, x, t, 5, 0)).toBe(2);
    expect(get(d, 0)).toBe(<f32>(-4.0 / 5.0));
    expect(elementLoss<Huber>(d, x, t, 5, 1)).toBe((1.5 + 0.5 + 0.5 + 1.5) / 5);
    expect(get(d, 0)).toBe(<f32>(-1.0 / 5.0));
    expect(logisticLoss(d, floats(5), ones(5), 5)).toBeCloseTo(Math.LN2, 7);
    expect(get(d, 4)).toBe(<f32>(-0.5 / 5.0));
    expect(tidy(d, 5)).toBe(true);
  });
});
