import { fillExact, floats, get, put } from '../../math/__tests__/floats';
import { decodeBf16, encodeBf16, encodeBf16Stochastic } from '../bf16';
import { decodeBytes, encodeBytes, FirstMoment, SecondMoment } from '../eight-bit';
import { FIRST, mix, randomAt, randomStride, roundingKey, SECOND } from '../random';

const N: i32 = 512;

describe('random numbers', () => {
  it('are a·i + b in every lane, whichever element one begins with', () => {
    const key = roundingKey(7, 3);
    const a = mix(key) | 1;
    const four = randomAt(key, SECOND, 1000);
    expect(<u32>i32x4.extract_lane(four, 0)).toBe(mix(key + SECOND) + a * 1000);
    expect(<u32>i32x4.extract_lane(four, 3)).toBe(mix(key + SECOND) + a * 1003);
    const next = i32x4.add(four, randomStride(key));
    expect(i32x4.all_true(i32x4.eq(next, randomAt(key, SECOND, 1004)))).toBe(true);
    expect(i32x4.extract_lane(randomAt(key, FIRST, 1000), 0)).not.toBe(i32x4.extract_lane(four, 0));
    expect(roundingKey(7, 4)).not.toBe(key);
    expect(roundingKey(8, 3)).not.toBe(key);
  });
});

describe('bf16', () => {
  it('keeps what it can hold, and rounds the rest to nearest, ties to even', () => {
    const x = floats(N);
    const codes = floats(N / 2);
    const back = floats(N);
    fillExact(x, N, 3);
    put(x, 0, 1 + 1 / 256);
    put(x, 1, 1 + 3 / 256);
    put(x, 2, -(1 + 1.001 / 256));
    encodeBf16(codes, x, N);
    decodeBf16(back, codes, N);
    expect(get(back, 0)).toBe(1);
    expect(get(back, 1)).toBe(1 + 4 / 256);
    expect(get(back, 2)).toBe(-(1 + 2 / 256));
  });

  it('rounded stochastically is one of the neighbours, and zero for zero alone', () => {
    const x = floats(N);
    const codes = floats(N / 2);
    const back = floats(N);
    for (let i = 0; i < N; ++i) put(x, i, i === 5 ? 0 : <f32>1 + <f32>i / 70000);
    put(x, 6, 1e-45);
    encodeBf16Stochastic(codes, x, N, 9, 0);
    decodeBf16(back, codes, N);
    for (let i = 7; i < N; ++i) expect(abs(get(back, i) - get(x, i)) < 1 / 128).toBe(true);
    expect(get(back, 5)).toBe(0);
    expect(get(back, 6) > 0).toBe(true);
  });
});

describe('8-bit', () => {
  it('keeps each moment within a step of its code, and signs and zeros', () => {
    const x = floats(N);
    const codes = floats(N / 4);
    const scales = floats(16);
    const back = floats(N);
    for (let i = 0; i < N; ++i) put(x, i, i % 9 === 0 ? 0 : <f32>(i + 1) * (i % 2 ? 1 : -1));
    encodeBytes<FirstMoment>(codes, scales, x, 0, N, 1);
    decodeBytes<FirstMoment>(back, codes, scales, 0, N);
    for (let i = 0; i < N; ++i)
      expect(abs(get(back, i) - get(x, i)) <= abs(get(x, i)) / 8 + 1 / 256).toBe(true);
    for (let i = 0; i < N; ++i) put(x, i, abs(get(x, i)) * (i === 100 ? <f32>1e-30 : 1));
    encodeBytes<SecondMoment>(codes, scales, x, 0, N, 1);
    decodeBytes<SecondMoment>(back, codes, scales, 0, N);
    for (let i = 0; i < N; ++i) {
      expect(get(back, i) > 0).toBe(get(x, i) > 0);
      if (i !== 100) expect(abs(get(back, i) - get(x, i)) <= get(x, i) / 8).toBe(true);
    }
  });

  it('a block of nothing stays nothing', () => {
    const x = floats(N);
    const codes = floats(N / 4);
    const scales = floats(16);
    encodeBytes<FirstMoment>(codes, scales, x, 0, N, 1);
    encodeBytes<SecondMoment>(codes, scales, x, 0, N, 1);
    decodeBytes<SecondMoment>(x, codes, scales, 0, N);
    for (let i = 0; i < N; ++i) expect(get(x, i)).toBe(0);
  });
});
