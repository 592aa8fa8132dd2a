/** Repetition of rows. */
import { copyFloats } from '../math/partial';
import { biasGrad } from './bias';

/** y[r][t] = x[r] for t < times, rows dense. */
export function repeatRows(y: usize, x: usize, rows: i32, times: i32, cols: i32): void {
  const step = (<usize>cols) << 2;
  for (let r = 0; r < rows; ++r) {
    for (let t = 0; t < times; ++t) {
      copyFloats(y, x, cols);
      y += step;
    }
    x += step;
  }
}

/** dx[r] = Σ dy[r][t] over ascending t. */
export function repeatRowsGrad(dx: usize, dy: usize, rows: i32, times: i32, cols: i32): void {
  for (let r = 0; r < rows; ++r) {
    biasGrad(dx, dy, times, cols);
    dx += (<usize>cols) << 2;
    dy += (<usize>(times * cols)) << 2;
  }
}
