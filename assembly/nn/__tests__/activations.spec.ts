import { fillExact, floats, get, put, tidy } from '../../math/__tests__/floats';
import { leakyRelu, leakyReluGrad } from '../leaky-relu';
import { relu, reluGrad } from '../relu';
import { sigmoid, sigmoidGrad } from '../sigmoid';
import { silu, siluGrad } from '../silu';
import { tanh, tanhGrad } from '../tanh';

describe('relu', () => {
  it('keeps what is not below zero, -0 and NaN too', () => {
    const n = 19;
    const x = floats(n);
    const out = floats(n);
    fillExact(x, n, 1);
    put(x, 17, -0);
    put(x, 18, NaN);
    relu(out, x, n);
    for (let i = 0; i < 17; ++i) expect(get(out, i)).toBe(get(x, i) < 0 ? 0 : get(x, i));
    expect(reinterpret<u32>(get(out, 17))).toBe(0x80000000);
    expect(F32.isNaN(get(out, 18))).toBe(true);
    expect(tidy(out, n)).toBe(true);
  });

  it('lets gradients through where its output is positive', () => {
    const n = 19;
    const out = floats(n);
    const dy = floats(n);
    const dx = floats(n);
    fillExact(out, n, 2);
    fillExact(dy, n, 3);
    reluGrad(dx, dy, out, n);
    for (let i = 0; i < n; ++i) expect(get(dx, i)).toBe(get(out, i) > 0 ? get(dy, i) : 0);
    expect(tidy(dx, n)).toBe(true);
  });
});

describe('activations', () => {
  it('are the functions they are called after, and leave padding zero', () => {
    const n = 19;
    const x = floats(n);
    const out = floats(n);
    fillExact(x, n, 1);
    leakyRelu(out, x, n, 0.25);
    for (let i = 0; i < n; ++i)
      expect(get(out, i)).toBe(get(x, i) < 0 ? get(x, i) * 0.25 : get(x, i));
    tanh(out, x, n);
    for (let i = 0; i < n; ++i) expect(get(out, i)).toBeCloseTo(<f32>Math.tanh(get(x, i)), 6);
    sigmoid(out, x, n);
    for (let i = 0; i < n; ++i)
      expect(get(out, i)).toBeCloseTo(<f32>(1.0 / (1.0 + Math.exp(-get(x, i)))), 6);
    expect(tidy(out, n)).toBe(true);
    silu(out, x, n);
    for (let i = 0; i < n; ++i)
      expect(get(out, i)).toBeCloseTo(<f32>(get(x, i) / (1.0 + Math.exp(-get(x, i)))), 6);
  });

  it('have the slopes of these', () => {
    const n = 19;
    const x = floats(n);
    const dy = floats(n);
    const dx = floats(n);
    fillExact(x, n, 1);
    fillExact(dy, n, 2);
    siluGrad(dx, dy, x, n);
    for (let i = 0; i < n; ++i) {
      const s = 1.0 / (1.0 + Math.exp(-get(x, i)));
      expect(get(dx, i)).toBeCloseTo(<f32>(get(dy, i) * (s * (1.0 + get(x, i) * (1.0 - s)))), 5);
    }
    sigmoidGrad(dx, dy, x, n);
    for (let i = 0; i < n; ++i) expect(get(dx, i)).toBe(get(dy, i) * (get(x, i) * (1 - get(x, i))));
    tanhGrad(dx, dy, x, n);
    for (let i = 0; i < n; ++i) expect(get(dx, i)).toBe(get(dy, i) * (1 - get(x, i) * get(x, i)));
    leakyReluGrad(dx, dy, x, n, 0.5);
    for (let i = 0; i < n; ++i)
      expect(get(dx, i)).toBe(get(x, i) > 0 ? get(dy, i) : get(dy, i) * 0.5);
    expect(tidy(dx, n)).toBe(true);
  });
});
