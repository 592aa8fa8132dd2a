import { exp4 } from '../exp';

/** The error of exp4 at x in units in the last place of the result. */
function ulps(x: f32): f64 {
  const exact = Math.exp(x);
  const ulp =
    <f64>reinterpret<f32>(reinterpret<u32>(<f32>exact) & 0x7f800000) * 1.1920928955078125e-7;
  return abs(<f64>f32x4.extract_lane(exp4(f32x4.splat(x)), 0) - exact) / ulp;
}

describe('exp4', () => {
  it('is within 1.25 ulp of e^x from -87.33654 to 88', () => {
    let worst: f64 = 0;
    for (let bits: u32 = 0; bits < reinterpret<u32>(<f32>88); bits += 9973)
      worst = max(worst, ulps(reinterpret<f32>(bits)));
    const last = reinterpret<u32>(<f32>-87.33654);
    for (let bits: u32 = 0x80000000; bits < last; bits += 9973)
      worst = max(worst, ulps(reinterpret<f32>(bits)));
    expect(worst).toBeLessThan(1.25);
  });

  it('is exact at ±0, 0 from -87.33655 down, and passes NaN', () => {
    const v = exp4(f32x4(0, -0, -87.33655, NaN));
    expect(f32x4.extract_lane(v, 0)).toBe(1);
    expect(f32x4.extract_lane(v, 1)).toBe(1);
    expect(reinterpret<u32>(f32x4.extract_lane(v, 2))).toBe(0);
    expect(F32.isNaN(f32x4.extract_lane(v, 3))).toBe(true);
    expect(f32x4.extract_lane(exp4(f32x4.splat(-Infinity)), 0)).toBe(0);
  });

  it('treats every lane alike', () => {
    const v = exp4(f32x4(-1, -2, -30, 5));
    expect(f32x4.extract_lane(v, 1)).toBe(f32x4.extract_lane(exp4(f32x4.splat(-2)), 0));
    expect(f32x4.extract_lane(v, 2)).toBe(f32x4.extract_lane(exp4(f32x4.splat(-30)), 0));
    expect(f32x4.extract_lane(v, 3)).toBe(f32x4.extract_lane(exp4(f32x4.splat(5)), 0));
  });
});
