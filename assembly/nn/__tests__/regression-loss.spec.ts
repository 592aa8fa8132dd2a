import { floats, get, put, tidy } from '../../math/__tests__/floats';
import { binaryCrossEntropy } from '../binary-cross-entropy';
import { huber } from '../huber';
import { meanSquaredError } from '../mean-squared-error';

/** x = -2, -1, 0, 1, … against t = 0, 1, 0, 1, … */
function predictions(n: i32): usize {
  const x = floats(n);
  for (let i = 0; i < n; ++i) put(x, i, <f32>(i - 2));
  return x;
}

function targets(n: i32): usize {
  const t = floats(n);
  for (let i = 0; i < n; ++i) put(t, i, <f32>(i & 1));
  return t;
}

describe('losses on values', () => {
  it('squared error is the mean of r², with gradient 2r/n', () => {
    const d = floats(4);
    // r = -2, -2, 0, 0
    expect(meanSquaredError(d, predictions(4), targets(4), 4)).toBe(2);
    expect(get(d, 0)).toBe(-1);
    expect(get(d, 2)).toBe(0);
    expect(tidy(d, 4)).toBe(true);
  });

  it('Huber is quadratic up to delta and linear beyond, in value and gradient', () => {
    const d = floats(6);
    // r = -2, -2, 0, 0, 2, 2 with delta 0.5: 4·0.5·(2 - 0.25) and nothing
    expect(huber(d, predictions(6), targets(6), 6, 0.5)).toBe((4 * 0.5 * 1.75) / 6);
    expect(get(d, 0)).toBe(<f32>(-0.5 / 6.0));
    expect(get(d, 5)).toBe(<f32>(0.5 / 6.0));
    expect(huber(d, predictions(6), targets(6), 6, 4)).toBe(8.0 / 6.0);
    expect(get(d, 0)).toBe(<f32>(-2.0 / 6.0));
  });

  it('binary cross-entropy follows its definition for every width, and is finite far out', () => {
    for (let n = 1; n <= 9; ++n) {
      const x = predictions(n);
      const t = targets(n);
      const d = floats(n);
      let expected: f64 = 0;
      for (let i = 0; i < n; ++i)
        expected += Math.log(1 + Math.exp(get(x, i))) - <f64>(get(x, i) * get(t, i));
      expect(binaryCrossEntropy(d, x, t, n)).toBeCloseTo(expected / n, 6);
      for (let i = 0; i < n; ++i) {
        const sigma = 1 / (1 + Math.exp(-get(x, i)));
        expect(get(d, i)).toBeCloseTo(<f32>((sigma - get(t, i)) / n), 6);
      }
      expect(tidy(d, n)).toBe(true);
    }
    const far = floats(2);
    put(far, 0, -1e30);
    put(far, 1, 1e30);
    expect(binaryCrossEntropy(far, far, targets(2), 2)).toBe(0);
  });
});
