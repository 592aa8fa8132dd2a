import { flushMoments } from '../flush';

describe('flushMoments', () => {
  it('drops both moments where v is tiny, and m alone where m is tiny', () => {
    const m: usize = heap.alloc(128);
    const v: usize = m + 64;
    memory.fill(m, 0, 128);
    store<f32>(m, 1.0, 0);
    store<f32>(v, 1e-37, 0);
    store<f32>(m, 1e-31, 4);
    store<f32>(v, 1.0, 4);
    flushMoments(m, v, 16);
    expect(load<f32>(m, 0)).toBe(0);
    expect(load<f32>(m, 4)).toBe(0);
    expect(load<f32>(v, 4)).toBe(1.0);
  });
});
