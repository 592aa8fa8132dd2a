/** The transpose of a matrix. */
import { transpose as transposeRows } from '../../math/pack';

/** out[c][r] = x[r][c], with x of rows×cols. */
export function transpose(out: usize, x: usize, rows: i32, cols: i32): void {
  transposeRows(out, (<usize>rows) << 2, x, (<usize>cols) << 2, rows, cols);
}
