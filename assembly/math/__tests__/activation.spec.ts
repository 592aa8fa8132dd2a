import { addBias, biasGradient, rectify, rectifyGradient } from '../activation';
import { fillExact, floats, get, put, tidy } from './floats';

describe('rectify', () => {
  it('keeps what is not below zero, -0 and NaN too', () => {
    const n = 19;
    const x = floats(n);
    const out = floats(n);
    fillExact(x, n, 1);
    put(x, 17, -0);
    put(x, 18, NaN);
    rectify(out, x, n);
    for (let i = 0; i < 17; ++i) expect(get(out, i)).toBe(get(x, i) < 0 ? 0 : get(x, i));
    expect(reinterpret<u32>(get(out, 17))).toBe(0x80000000);
    expect(F32.isNaN(get(out, 18))).toBe(true);
    expect(tidy(out, n)).toBe(true);
  });

  it('lets gradients through where its output is positive', () => {
    const n = 19;
    const out = floats(n);
    const dy = floats(n);
    const dx = floats(n);
    fillExact(out, n, 2);
    fillExact(dy, n, 3);
    rectifyGradient(dx, dy, out, n);
    for (let i = 0; i < n; ++i) expect(get(dx, i)).toBe(get(out, i) > 0 ? get(dy, i) : 0);
    expect(tidy(dx, n)).toBe(true);
  });
});

describe('biases', () => {
  it('are added to every row, and their gradient is the sum over rows', () => {
    const rows = 5;
    for (let cols = 1; cols < 14; ++cols) {
      const x = floats(rows * cols);
      const bias = floats(cols);
      const db = floats(cols);
      fillExact(x, rows * cols, 1);
      fillExact(bias, cols, 2);
      biasGradient(db, x, rows, cols);
      for (let c = 0; c < cols; ++c) {
        let sum: f64 = 0;
        for (let r = 0; r < rows; ++r) sum += get(x, r * cols + c);
        expect(get(db, c)).toBe(<f32>sum);
      }
      const before = floats(rows * cols);
      memory.copy(before, x, rows * cols * 4);
      addBias(x, bias, rows, cols);
      for (let i = 0; i < rows * cols; ++i) expect(get(x, i)).toBe(get(before, i) + get(bias, i % cols));
      expect(tidy(x, rows * cols) && tidy(db, cols)).toBe(true);
    }
  });
});
