import { flushMoments, flushMomentum, flushVariance } from '../flush';

/** Sixty-four floats, all zero. */
function zeros(): usize {
  const x: usize = heap.alloc(256);
  memory.fill(x, 0, 256);
  return x;
}

describe('flushMoments', () => {
  it('drops m where it is tiny, and v beside it where that is tiny too', () => {
    const m = zeros();
    const v = m + 64;
    store<f32>(m, 1e-18, 0);
    store<f32>(v, 1e-37, 0);
    store<f32>(m, 1e-31, 4);
    store<f32>(v, 1.0, 4);
    store<f32>(m, -1e-31, 8);
    store<f32>(v, 1e-37, 8);
    flushMoments(m, v, 16);
    expect(load<f32>(m, 0)).toBe(1e-18);
    expect(load<f32>(v, 0)).toBe(1e-37);
    expect(load<f32>(m, 4)).toBe(0);
    expect(load<f32>(v, 4)).toBe(1.0);
    expect(load<f32>(m, 8)).toBe(0);
    expect(load<f32>(v, 8)).toBe(0);
  });
});

describe('flushMomentum', () => {
  it('drops what is tiny', () => {
    const m = zeros();
    store<f32>(m, -1e-31, 0);
    store<f32>(m, 1e-29, 4);
    flushMomentum(m, 16);
    expect(load<f32>(m, 0)).toBe(0);
    expect(load<f32>(m, 4)).toBe(1e-29);
  });
});

describe('flushVariance', () => {
  it('drops v where it is tiny, unless a gradient still is divided by its root', () => {
    const v = zeros();
    const p = v + 64;
    const g = v + 128;
    for (let i = 0; i < 3; i++) store<f32>(v + (i << 2), 1e-37);
    store<f32>(g, 1e-18, 4);
    store<f32>(p, 1.0, 8);
    flushVariance(v, p, g, f32x4.splat(1), f32x4.splat(0.5), 16);
    expect(load<f32>(v, 0)).toBe(0);
    expect(load<f32>(v, 4)).toBe(1e-37);
    expect(load<f32>(v, 8)).toBe(1e-37);
  });
});
