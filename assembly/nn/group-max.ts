/** The greatest of each group of adjacent elements, as maxout takes it. */
import { zeroFloats } from '../math/partial';

/** y[i] = the greatest of x[i·size …], whose place in the group `index` receives. */
export function groupMax(y: usize, index: usize, x: usize, n: i32, size: i32): void {
  for (let i = 0; i < n; ++i) {
    let best = load<f32>(x);
    let place = 0;
    for (let k = 1; k < size; ++k) {
      const value = load<f32>(x + ((<usize>k) << 2));
      if (value > best || isNaN<f32>(value)) {
        best = value;
        place = k;
      }
    }
    store<f32>(y, best);
    store<i32>(index, place);
    x += (<usize>size) << 2;
    y += 4;
    index += 4;
  }
}

/** dx = dy at the place of each group's greatest element, 0 elsewhere. */
export function groupMaxGrad(dx: usize, dy: usize, index: usize, n: i32, size: i32): void {
  zeroFloats(dx, n * size);
  for (let i = 0; i < n; ++i) {
    store<f32>(dx + ((<usize>load<i32>(index)) << 2), load<f32>(dy));
    dx += (<usize>size) << 2;
    dy += 4;
    index += 4;
  }
}
