import { loadPartial, storePartial, turnsEnd, zeroTail } from '../partial';
import { fillExact, floats, get, put, tidy } from './floats';

describe('partial vectors', () => {
  it('move 1, 2 and 3 lanes and nothing else', () => {
    for (let count = 1; count < 4; ++count) {
      const x = floats(4);
      const y = floats(4);
      fillExact(x, 4, 3);
      const v = loadPartial(x, count);
      storePartial(y, v, count);
      for (let i = 0; i < count; ++i) expect(get(y, i)).toBe(get(x, i));
      expect(tidy(y, count)).toBe(true);
      if (count < 4) expect(f32x4.extract_lane(v, 3)).toBe(0);
    }
  });

  it('zeroTail clears from n to the end of the turn', () => {
    const x = floats(32);
    for (let i = 0; i < 32; ++i) put(x, i, NaN);
    zeroTail(x, 17);
    expect(F32.isNaN(get(x, 16))).toBe(true);
    expect(tidy(x, 17)).toBe(true);
  });

  it('turnsEnd rounds up to whole turns', () => {
    expect(turnsEnd(64, 0)).toBe(64);
    expect(turnsEnd(64, 1)).toBe(128);
    expect(turnsEnd(64, 16)).toBe(128);
    expect(turnsEnd(64, 17)).toBe(192);
  });
});
