import {
  copyIn,
  copyOut,
  Gather,
  imageFloats,
  paddedFloats,
  patchFloats,
  positionsOf,
  Scatter,
  visitPatches,
} from '../window';
import { fillExact, floats, get, put } from './floats';
import { windowOf } from './windows';

describe('patches', () => {
  it('have the sizes that the record says', () => {
    const window = windowOf(5, 4, 3, 2, 1, 1, 7);
    expect(imageFloats(window)).toBe(60);
    expect(paddedFloats(window)).toBe(7 * 6 * 3);
    expect(patchFloats(window)).toBe(12);
    expect(positionsOf(window)).toBe(30);
  });

  it('hold what the window covers, zeros in the padding', () => {
    const window = windowOf(2, 2, 1, 3, 1, 1, 1);
    const image = floats(4);
    const patches = floats(36 + 4);
    for (let i = 0; i < 4; ++i) put(image, i, <f32>(i + 1));
    memory.fill(patches, 0x7f, 36 * 4);
    const padded = floats(16 + 4);
    copyIn(padded, image, window);
    visitPatches<Gather>(patches, padded, window);
    // The first window reaches over the top left corner.
    const expected: f32[] = [0, 0, 0, 0, 1, 2, 0, 3, 4];
    for (let i = 0; i < 9; ++i) expect(get(patches, i)).toBe(expected[i]);
  });

  it('scatter is the adjoint of gather: <p, gather x> = <scatter p, x>', () => {
    for (let channels = 1; channels <= 6; ++channels) {
      const window = windowOf(7, 6, channels, 3, 2, 1, 1);
      const size = imageFloats(window);
      const length = positionsOf(window) * patchFloats(window);
      const x = floats(size);
      const p = floats(length + 4);
      const gathered = floats(length + 4);
      const scattered = floats(size);
      fillExact(x, size, 1);
      fillExact(p, length, 2);
      const padded = floats(paddedFloats(window) + 4);
      copyIn(padded, x, window);
      visitPatches<Gather>(gathered, padded, window);
      memory.fill(padded, 0, 4 * paddedFloats(window));
      visitPatches<Scatter>(p, padded, window);
      copyOut(scattered, padded, window);
      let left: f64 = 0;
      let right: f64 = 0;
      for (let i = 0; i < length; ++i) left += get(p, i) * get(gathered, i);
      for (let i = 0; i < size; ++i) right += get(scattered, i) * get(x, i);
      expect(left).toBe(right);
    }
  });
});
