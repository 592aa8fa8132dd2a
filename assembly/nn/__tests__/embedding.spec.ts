import { fillExact, floats, get, put, tidy } from '../../math/__tests__/floats';
import { embedding, embeddingGrad } from '../embedding';

/** Indices 2, 0, 2, and three that name no row of three. */
function indices(): usize {
  const at = floats(6);
  put(at, 0, 2);
  put(at, 1, 0);
  put(at, 2, 2);
  put(at, 3, 3);
  put(at, 4, -1);
  put(at, 5, 0.5);
  return at;
}

describe('embedding', () => {
  it('copies rows, and gives NaN for an index that names none', () => {
    for (let dim = 1; dim <= 9; ++dim) {
      const table = floats(3 * dim);
      const y = floats(6 * dim);
      fillExact(table, 3 * dim, 1);
      embedding(y, indices(), table, 6, 3, dim);
      for (let d = 0; d < dim; ++d) {
        expect(get(y, d)).toBe(get(table, 2 * dim + d));
        expect(get(y, dim + d)).toBe(get(table, d));
        for (let i = 3; i < 6; ++i) expect(isNaN(get(y, i * dim + d))).toBe(true);
      }
      expect(tidy(y, 6 * dim)).toBe(true);
    }
  });

  it('adds up the gradients of a row, and nothing of indices that name none', () => {
    const dim = 5;
    const dy = floats(6 * dim);
    const dtable = floats(3 * dim);
    fillExact(dy, 6 * dim, 2);
    memory.fill(dtable, 0x11, 3 * dim * 4);
    embeddingGrad(dtable, dy, indices(), 6, 3, dim, -1);
    for (let d = 0; d < dim; ++d) {
      expect(get(dtable, d)).toBe(get(dy, dim + d));
      expect(get(dtable, dim + d)).toBe(0);
      expect(get(dtable, 2 * dim + d)).toBe(get(dy, d) + get(dy, 2 * dim + d));
    }
    expect(tidy(dtable, 3 * dim)).toBe(true);
  });
});
