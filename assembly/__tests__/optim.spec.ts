import { halve } from '../optim';

describe('halve', () => {
  it('keeps subnormal numbers', () => {
    expect(halve(3.0)).toBe(1.5);
    expect(reinterpret<u32>(halve(1.1754943508222875e-38))).toBe(0x00400000);
  });
});
