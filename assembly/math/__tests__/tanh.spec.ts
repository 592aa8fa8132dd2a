import { sigmoid4, tanh4 } from '../tanh';

/** The distance of `actual` from `exact` in units in the last place of the exact value's f32. */
function ulps(actual: f32, exact: f64): f64 {
  const bits = reinterpret<u32>(<f32>exact) & 0x7f800000;
  const ulp =
    bits === 0 ? 1.401298464324817e-45 : <f64>reinterpret<f32>(bits) * 1.1920928955078125e-7;
  return abs(<f64>actual - exact) / ulp;
}

describe('tanh4', () => {
  it('is within 3 ulp of tanh x, and odd', () => {
    let worst: f64 = 0;
    let odd = true;
    for (let bits: u32 = 0x00800000; bits < reinterpret<u32>(<f32>20); bits += 9973) {
      const x = reinterpret<f32>(bits);
      const y = f32x4.extract_lane(tanh4(f32x4.splat(x)), 0);
      worst = max(worst, ulps(y, Math.tanh(x)));
      odd = odd && f32x4.extract_lane(tanh4(f32x4.splat(-x)), 0) === -y;
    }
    expect(worst).toBeLessThan(3);
    expect(odd).toBe(true);
  });

  it('is exact at ±0 and ±Infinity, and passes NaN', () => {
    const v = tanh4(f32x4(-0, Infinity, -Infinity, NaN));
    expect(reinterpret<u32>(f32x4.extract_lane(v, 0))).toBe(0x80000000);
    expect(f32x4.extract_lane(v, 1)).toBe(1);
    expect(f32x4.extract_lane(v, 2)).toBe(-1);
    expect(F32.isNaN(f32x4.extract_lane(v, 3))).toBe(true);
  });
});

describe('sigmoid4', () => {
  it('is within 3 ulp of 1/(1 + e^-x) from -87.33654 on', () => {
    let worst: f64 = 0;
    for (let bits: u32 = 0; bits < reinterpret<u32>(<f32>87.33654); bits += 9973) {
      const x = reinterpret<f32>(bits);
      worst = max(
        worst,
        ulps(f32x4.extract_lane(sigmoid4(f32x4.splat(x)), 0), 1.0 / (1.0 + Math.exp(-x))),
      );
      worst = max(
        worst,
        ulps(f32x4.extract_lane(sigmoid4(f32x4.splat(-x)), 0), 1.0 / (1.0 + Math.exp(x))),
      );
    }
    expect(worst).toBeLessThan(3);
  });

  it('is ½ at 0, 0 far below, and passes NaN', () => {
    const v = sigmoid4(f32x4(-0, -88, Infinity, NaN));
    expect(f32x4.extract_lane(v, 0)).toBe(0.5);
    expect(f32x4.extract_lane(v, 1)).toBe(0);
    expect(f32x4.extract_lane(v, 2)).toBe(1);
    expect(F32.isNaN(f32x4.extract_lane(v, 3))).toBe(true);
  });
});
