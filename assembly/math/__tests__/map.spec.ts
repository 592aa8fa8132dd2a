import { addScaled, addTo, combineTo, copyTo, fillWith, multiplyTo, scaleBy } from '../map';
import { fillExact, floats, get, tidy } from './floats';

describe('element-wise operations', () => {
  it('compute every element and leave padding and what follows alone', () => {
    for (let n = 1; n < 40; ++n) {
      const x = floats(n);
      const y = floats(n);
      const out = floats(n);
      fillExact(x, n, 1);
      fillExact(y, n, 2);
      addTo(out, x, y, n);
      for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(get(x, i) + get(y, i));
      multiplyTo(out, x, y, n);
      for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(get(x, i) * get(y, i));
      addScaled(out, x, n, 0.5);
      for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(get(x, i) * get(y, i) + 0.5 * get(x, i));
      copyTo(y, x, n);
      for (let i = 0; i < n; ++i) expect(get(y, i)).toBe(get(x, i));
      scaleBy(y, n, -2);
      for (let i = 0; i < n; ++i) expect(get(y, i)).toBe(get(x, i) * -2);
      fillWith(out, n, 3);
      for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(3);
      expect(tidy(x, n) && tidy(y, n) && tidy(out, n)).toBe(true);
    }
  });

  it('combine: a sum, and a move from x towards y', () => {
    for (let n = 1; n < 40; ++n) {
      const x = floats(n);
      const y = floats(n);
      const out = floats(n);
      fillExact(x, n, 1);
      fillExact(y, n, 2);
      combineTo(out, x, y, n, 0, 2);
      for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(get(x, i) + 2 * get(y, i));
      combineTo(out, x, y, n, 1, 0.25);
      for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(0.75 * get(x, i) + 0.25 * get(y, i));
      combineTo(x, x, x, n, 1, 0.3);
      const same = floats(n);
      fillExact(same, n, 1);
      for (let i = 0; i < n; ++i) expect(get(x, i)).toBe(get(same, i));
      expect(tidy(x, n) && tidy(y, n) && tidy(out, n)).toBe(true);
    }
  });

  it('put padding back to zero after infinite factors', () => {
    const x = floats(5);
    const y = floats(5);
    fillExact(x, 5, 1);
    scaleBy(x, 5, Infinity);
    addScaled(y, x, 5, NaN);
    expect(tidy(x, 5) && tidy(y, 5)).toBe(true);
  });
});
