/**
 * The second half of Muon's update in plain TypeScript: what assembly/optimizers/orthogonalize.ts
 * must match bit for bit. A task does a whole matrix.
 */
import { MATRIX_ITERATIONS } from '../../memory-layout/constants';

const f = Math.fround;
const A = f(3.4445);
const B = f(-4.775);
const C = f(2.0315);

/** A tensor as a matrix, row by row. */
export interface MatrixArrays {
  readonly rows: number;
  readonly columns: number;
  /** The weights. */
  readonly weights: Float32Array;
  /** The direction u. */
  readonly direction: Float32Array;
  /** ‖u‖² */
  readonly squares: number;
  /** The learning rate by the scale. */
  readonly rate: number;
}

/** θ ← θ - rate·X, where X is u after the iterations. */
export function moveAlongOrthogonalized({ weights, direction, ...matrix }: MatrixArrays): void {
  const rows = Math.min(matrix.rows, matrix.columns);
  const columns = Math.max(matrix.rows, matrix.columns);
  const tall = matrix.rows > matrix.columns;
  /** Index in the tensor of element (i, j) of X. */
  const at = (i: number, j: number) => (tall ? j * rows + i : i * columns + j);
  const scale = 1 / (Math.sqrt(matrix.squares) + 1e-7);
  let x = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) x[i * columns + j] = direction[at(i, j)] * scale;
  for (let iteration = 0; iteration < MATRIX_ITERATIONS; iteration++) {
    const square = product(x, transposed(x, rows, columns), rows, rows, columns);
    const fourth = product(square, square, rows, rows, rows);
    const polynomial = square.map((value, i) => f(B * value) + f(C * fourth[i]));
    const moved = product(polynomial, x, rows, columns, rows);
    x = x.map((value, i) => f(A * value) + moved[i]);
  }
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) weights[at(i, j)] -= f(matrix.rate * x[i * columns + j]);
}

function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]);
}

/** Returns left·right: an element is one float32 accumulator over ascending k. */
function product(
  left: Float32Array,
  right: Float32Array,
  rows: number,
  columns: number,
  depth: number,
): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row = out.subarray(i * columns, (i + 1) * columns);
    for (let k = 0; k < depth; k++) {
      const value = left[i * depth + k];
      for (let j = 0; j < columns; j++) row[j] += f(value * right[k * columns + j]);
    }
  }
  return out;
}
