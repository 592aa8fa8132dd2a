import { multiplyRow } from '../gemv';
import { fillExact, floats, get, tidy } from './floats';

/** Whether c = start + a·B in the order of k, for `width` columns of rows that are `cols` long. */
function agrees(width: i32, cols: i32, k: i32): bool {
  const a = floats(k);
  const b = floats(k * cols);
  const c = floats(width);
  const start = floats(width);
  fillExact(a, k, 1);
  fillExact(b, k * cols, 2);
  fillExact(c, width, 3);
  fillExact(start, width, 3);
  multiplyRow(c, a, b, (<usize>cols) << 2, width, k);
  for (let j = 0; j < width; ++j) {
    let sum = get(start, j);
    for (let p = 0; p < k; ++p) sum = sum + get(a, p) * get(b, p * cols + j);
    if (get(c, j) !== sum) return false;
  }
  return tidy(c, width);
}

describe('multiplyRow', () => {
  it('adds the row’s product to what C holds, for every width and depth', () => {
    for (let width = 1; width <= 13; ++width)
      for (let k = 0; k <= 9; ++k) expect(agrees(width, width + 3, k)).toBe(true);
  });

  it('covers rows longer than a block of columns', () => {
    expect(agrees(4096 + 5, 4096 + 5, 6)).toBe(true);
    expect(agrees(2 * 4096, 2 * 4096, 3)).toBe(true);
  });
});
