import { dropout } from '../../nn/dropout';
import { randomWords } from '../philox';
import { floats, get, put, tidy } from './floats';

describe('randomWords', () => {
  it('gives the known answers of Philox4x32-10 in its first lane', () => {
    const out = floats(16);
    randomWords(out, 0, 0, 0, 0, 0, 0);
    expect(load<u32>(out)).toBe(0x6627e8d5);
    expect(load<u32>(out, 16)).toBe(0xe169c58d);
    expect(load<u32>(out, 32)).toBe(0xbc57ac4c);
    expect(load<u32>(out, 48)).toBe(0x9b00dbd8);
    randomWords(out, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0);
    expect(load<u32>(out)).toBe(0xd16cfe09);
    expect(load<u32>(out, 16)).toBe(0x94fdcceb);
    expect(load<u32>(out, 32)).toBe(0x5001e420);
    expect(load<u32>(out, 48)).toBe(0x24126ea1);
  });

  it('counts from lane to lane', () => {
    const four = floats(16);
    const one = floats(16);
    randomWords(four, 5, 1, 2, 3, 4, 5);
    for (let lane: u32 = 0; lane < 4; ++lane) {
      randomWords(one, 5 + lane, 1, 2, 3, 4, 5);
      for (let word: u32 = 0; word < 4; ++word)
        expect(get(four, 4 * word + lane)).toBe(get(one, 4 * word));
    }
  });
});

describe('dropout', () => {
  it('keeps all at 0, and where it keeps, scales', () => {
    const n = 21;
    const x = floats(n);
    const out = floats(n);
    for (let i = 0; i < n; ++i) put(x, i, <f32>(i + 1));
    dropout(out, x, n, 0, 2, 1, 2, 3, 4);
    for (let i = 0; i < n; ++i) expect(get(out, i)).toBe(<f32>(i + 1) * 2);
    dropout(out, x, n, 0x80000000, 2, 1, 2, 3, 4);
    for (let i = 0; i < n; ++i)
      expect(get(out, i) === 0 || get(out, i) === <f32>(i + 1) * 2).toBe(true);
    expect(tidy(out, n)).toBe(true);
  });
});
