import { fillExact, floats, get, tidy } from '../../math/__tests__/floats';
import { biasAdd, biasGrad } from '../bias';

describe('biases', () => {
  it('are added to every row, and their gradient is the sum over rows', () => {
    const rows = 5;
    for (let cols = 1; cols < 14; ++cols) {
      const x = floats(rows * cols);
      const bias = floats(cols);
      const db = floats(cols);
      fillExact(x, rows * cols, 1);
      fillExact(bias, cols, 2);
      biasGrad(db, x, rows, cols);
      for (let c = 0; c < cols; ++c) {
        let sum: f64 = 0;
        for (let r = 0; r < rows; ++r) sum += get(x, r * cols + c);
        expect(get(db, c)).toBe(<f32>sum);
      }
      const before = floats(rows * cols);
      memory.copy(before, x, rows * cols * 4);
      biasAdd(x, bias, rows, cols);
      for (let i = 0; i < rows * cols; ++i)
        expect(get(x, i)).toBe(get(before, i) + get(bias, i % cols));
      expect(tidy(x, rows * cols) && tidy(db, cols)).toBe(true);
    }
  });
});
