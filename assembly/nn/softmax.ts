/** Softmax over dense rows. Its gradient reads its output. */
import { loadLanes, storeLanes } from '../math/partial';
import { exponentials, rowMax, scaleRow } from '../math/softmax';

/** y[r][j] = e^(x[r][j] - m)/Σ, with the greatest m of the row. y may be x. */
export function softmax(y: usize, x: usize, rows: i32, cols: i32): void {
  const step = (<usize>cols) << 2;
  for (let r = 0; r < rows; ++r) {
    const sum = exponentials(y, x, rowMax(x, cols), cols);
    scaleRow(y, cols, <f32>(1.0 / sum));
    x += step;
    y += step;
  }
}

/** dx = y·(dy - Σ dy·y), with the sum of the row in f64 over ascending j. dx may be dy or y. */
export function softmaxGrad(dx: usize, dy: usize, y: usize, rows: i32, cols: i32): void {
  const step = (<usize>cols) << 2;
  for (let r = 0; r < rows; ++r) {
    let sum: f64 = 0;
    for (let p: usize = 0; p < step; p += 4) sum += <f64>load<f32>(dy + p) * <f64>load<f32>(y + p);
    const s = f32x4.splat(<f32>sum);
    for (let j = 0; j < cols; j += 4) {
      const lanes = min(4, cols - j);
      const d = f32x4.mul(loadLanes(y, lanes), f32x4.sub(loadLanes(dy, lanes), s));
      storeLanes(dx, d, lanes);
      const bytes = (<usize>lanes) << 2;
      y += bytes;
      dy += bytes;
      dx += bytes;
    }
  }
}
