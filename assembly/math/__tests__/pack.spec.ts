import { packRows, packTransposed, transpose } from '../pack';
import { fillExact, floats, get, put, tidy } from './floats';

describe('transpose', () => {
  it('is right for every small shape and stays inside', () => {
    for (let rows = 1; rows < 11; ++rows) {
      for (let cols = 1; cols < 11; ++cols) {
        const src = floats(rows * cols);
        const dst = floats(rows * cols);
        fillExact(src, rows * cols, rows);
        transpose(dst, (<usize>rows) << 2, src, (<usize>cols) << 2, rows, cols);
        for (let r = 0; r < rows; ++r) {
          for (let c = 0; c < cols; ++c)
            expect(get(dst, c * rows + r)).toBe(get(src, r * cols + c));
        }
        expect(tidy(dst, rows * cols)).toBe(true);
      }
    }
  });
});

describe('panels', () => {
  it('hold depth × 16 with zeros up to a whole vector, from rows or from columns', () => {
    const depth = 7;
    for (let width = 1; width <= 16; ++width) {
      const src = floats(depth * 20);
      const flipped = floats(depth * width);
      fillExact(src, depth * 20, width);
      transpose(flipped, depth << 2, src, 80, depth, width);
      const a = floats(depth * 16);
      const b = floats(depth * 16);
      for (let i = 0; i < depth * 16; ++i) {
        put(a, i, NaN);
        put(b, i, NaN);
      }
      packRows(a, src, 80, depth, width);
      packTransposed(b, flipped, depth << 2, depth, width);
      for (let p = 0; p < depth; ++p) {
        for (let j = 0; j < ((width + 3) & ~3); ++j) {
          const expected: f32 = j < width ? get(src, p * 20 + j) : 0;
          expect(get(a, p * 16 + j)).toBe(expected);
          expect(get(b, p * 16 + j)).toBe(expected);
        }
      }
      expect(tidy(a, depth * 16) && tidy(b, depth * 16)).toBe(true);
    }
  });
});
