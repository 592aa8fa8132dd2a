import { log } from '../../../src/math/log';
import { logPair } from '../log';

describe('logPair', () => {
  it('has the bits of log in both lanes', () => {
    let x: f64 = 1;
    for (let i = 0; i < 2000; ++i) {
      const y = logPair(f64x2.replace_lane(f64x2.splat(x), 1, 1 / x));
      expect(f64x2.extract_lane(y, 0)).toBe(log(x));
      expect(f64x2.extract_lane(y, 1)).toBe(log(1 / x));
      x *= i & 1 ? 1.0625 : 1.001;
    }
  });

  it('passes NaN', () => {
    const y = logPair(f64x2.replace_lane(f64x2.splat(NaN), 1, 2));
    expect(isNaN(f64x2.extract_lane(y, 0))).toBe(true);
    expect(f64x2.extract_lane(y, 1)).toBe(log(2));
  });
});
