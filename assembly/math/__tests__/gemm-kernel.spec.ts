import { Four, multiplyTile, One, Three, Two } from '../gemm-kernel';
import { fillExact, floats, get, put, tidy } from './floats';

const DEPTH = 9;

/**
 * Runs the kernel of `vectors` on two rows, and checks its columns and that no other was written.
 */
function check(vectors: i32): void {
  const a = floats(2 * DEPTH);
  const b = floats(DEPTH * 16);
  const c = floats(16);
  const d = floats(16);
  fillExact(a, 2 * DEPTH, 1);
  fillExact(b, DEPTH * 16, 2);
  for (let j = 0; j < vectors * 4; ++j) {
    put(c, j, 1);
    put(d, j, 2);
  }
  const a1 = a + DEPTH * 4;
  if (vectors === 1) multiplyTile<One>(c, d, a, DEPTH * 4, 4, b, 64, DEPTH * 4, false);
  else if (vectors === 2) multiplyTile<Two>(c, d, a, DEPTH * 4, 4, b, 64, DEPTH * 4, false);
  else if (vectors === 3) multiplyTile<Three>(c, d, a, DEPTH * 4, 4, b, 64, DEPTH * 4, false);
  else multiplyTile<Four>(c, d, a, DEPTH * 4, 4, b, 64, DEPTH * 4, false);
  for (let j = 0; j < vectors * 4; ++j) {
    let x: f32 = 1;
    let y: f32 = 2;
    for (let p = 0; p < DEPTH; ++p) {
      x += get(a, p) * get(b, p * 16 + j);
      y += get(a1, p) * get(b, p * 16 + j);
    }
    expect(get(c, j)).toBe(x);
    expect(get(d, j)).toBe(y);
  }
  expect(tidy(c, vectors * 4) && tidy(d, vectors * 4)).toBe(true);
}

describe('multiplyTile', () => {
  it('adds to both rows of C, for every width', () => {
    for (let vectors = 1; vectors <= 4; ++vectors) check(vectors);
  });
});
