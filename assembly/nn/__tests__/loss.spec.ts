import { fillExact, floats, get, put, tidy } from '../../math/__tests__/floats';
import { predictedMatches } from '../accuracy';
import { softmaxCrossEntropy } from '../cross-entropy';

describe('softmaxCrossEntropy', () => {
  it('is the mean of log Σ e^x - x[label], and its gradient, for every width', () => {
    const rows = 3;
    for (let cols = 1; cols < 12; ++cols) {
      const x = floats(rows * cols);
      const d = floats(rows * cols);
      const labels = floats(rows);
      fillExact(x, rows * cols, cols);
      for (let r = 0; r < rows; ++r) store<i32>(labels + r * 4, (r * 5) % cols);
      let expected: f64 = 0;
      for (let r = 0; r < rows; ++r) {
        let sum: f64 = 0;
        for (let j = 0; j < cols; ++j) sum += Math.exp(get(x, r * cols + j));
        expected += Math.log(sum) - get(x, r * cols + ((r * 5) % cols));
      }
      expect(softmaxCrossEntropy(d, x, labels, 0, rows, cols, rows, NaN)).toBeCloseTo(
        expected / rows,
        6,
      );
      for (let r = 0; r < rows; ++r) {
        let sum: f64 = 0;
        for (let j = 0; j < cols; ++j) sum += get(d, r * cols + j);
        expect(sum).toBeCloseTo(0, 6);
      }
      expect(tidy(d, rows * cols)).toBe(true);
    }
  });

  it('gives NaN for a label that is no class', () => {
    const x = floats(4);
    const labels = floats(1);
    store<i32>(labels, 4);
    expect(F64.isNaN(softmaxCrossEntropy(x, x, labels, 0, 1, 4, 1, NaN))).toBe(true);
    for (let j = 0; j < 4; ++j) expect(isNaN(get(x, j))).toBe(true);
    expect(tidy(x, 4)).toBe(true);
  });
});

describe('predictedMatches', () => {
  it('takes the first of equals, and none beside a NaN', () => {
    const x = floats(6);
    const label = floats(1);
    put(x, 2, 5);
    put(x, 4, 5);
    store<i32>(label, 4);
    expect(predictedMatches(x, label, 1, 6, NaN)).toBe(0);
    store<i32>(label, 2);
    expect(predictedMatches(x, label, 1, 6, NaN)).toBe(1);
    put(x, 5, NaN);
    expect(predictedMatches(x, label, 1, 6, NaN)).toBe(0);
    put(x, 0, -Infinity);
    store<i32>(label, 0);
    expect(predictedMatches(x, label, 1, 1, NaN)).toBe(1);
  });
});
