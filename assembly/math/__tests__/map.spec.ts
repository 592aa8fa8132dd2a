import { combineTo } from '../map';
import { fillExact, floats, get, tidy } from './floats';

describe('combineTo', () => {
  it('computes a sum, and a move from x towards y', () => {
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
});
