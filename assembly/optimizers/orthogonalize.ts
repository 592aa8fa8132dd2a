/**
 * The second half of Muon's update: five Newton–Schulz iterations make the direction u of every
 * matrix nearly orthogonal, and the weights move along it:
 *
 *     X = u/(‖u‖ + 1e-7);  A = X·Xᵀ;  B = b·A + c·A·A;  X ← a·X + B·X;  θ ← θ - rate·X
 *
 * X has the smaller side as its rows: a tall matrix is transposed. Matrices follow one another, and
 * every line is a phase whose tasks are runs of rows, so that threads share the products. An
 * element of a product is one f32 accumulator over ascending k, as in gemm.ts.
 *
 * Rows in the workspace are padded to whole panels of 16 columns, an odd number of them, so that a
 * column does not fall into few cache sets; a row more makes their number even. Padding is zero.
 */
import { MuonConstants } from '../../build/assembly/kernel-constants';
import {
  MATRIX_RECORD_SIZE,
  MATRIX_WORK_RECORD_SIZE,
  MatrixRecord,
  MatrixWorkRecord,
  StepRecord,
  TensorRecord,
} from '../../build/assembly/optim-records';
import {
  MATRIX_ITERATIONS,
  MATRIX_TASK_ROWS,
  OP_ITERATE,
  OP_LOAD,
  OP_MOVE,
  OP_NONE,
  OP_POLYNOMIAL,
  OP_SQUARE,
  OP_UPDATE,
} from '../../src/memory-layout/constants';
import { Four, multiplyTile } from '../math/gemm-kernel';
import { zeroFloats } from '../math/partial';
import { Square, sumBlock } from '../math/reduce';

const COEFFICIENT_A: f32 = 3.4445;
const COEFFICIENT_B: f32 = -4.775;
const COEFFICIENT_C: f32 = 2.0315;
const TASK_ROWS: u32 = MATRIX_TASK_ROWS;
/** Rows of a panel that are read for all rows of a task before the next: they stay in L1. */
const DEPTH: u32 = 64;
/** Bytes of a panel of 16 columns. */
const PANEL: usize = 64;

/** Bytes from one row of the workspace to the next. */
function strideOf(columns: u32): usize {
  return <usize>(((columns + 15) >>> 4) | 1) * PANEL;
}

/** The phase after `op`, which has run: the first one of the first matrix after OP_UPDATE. */
export function nextMatrixPhase(step: StepRecord, op: i32): i32 {
  const work = changetype<MatrixWorkRecord>(step.matrices);
  if (op === OP_LOAD) return OP_SQUARE;
  if (op === OP_SQUARE) return OP_POLYNOMIAL;
  if (op === OP_POLYNOMIAL) return OP_ITERATE;
  if (op === OP_ITERATE) {
    const x = work.x;
    work.x = work.next;
    work.next = x;
    work.iteration += 1;
    return work.iteration < MATRIX_ITERATIONS ? OP_SQUARE : OP_MOVE;
  }
  const first = step.matrices + MATRIX_WORK_RECORD_SIZE;
  let at = op === OP_UPDATE ? first : work.matrix + MATRIX_RECORD_SIZE;
  for (const end = first + work.count * MATRIX_RECORD_SIZE; at < end; at += MATRIX_RECORD_SIZE) {
    const matrix = changetype<MatrixRecord>(at);
    const tensor = changetype<TensorRecord>(matrix.tensor);
    if (tensor.blockCount === 0) continue; // frozen
    const rows = min(matrix.rows, matrix.columns);
    const columns = max(matrix.rows, matrix.columns);
    const bytes = ((<usize>tensor.length + 15) & ~15) << 2;
    work.matrix = at;
    work.iteration = 0;
    work.scale = 1 / (sqrt(sumBlock<Square>(tensor.state1, bytes)) + 1e-7);
    zeroFloats(work.x, <i32>(((rows + (rows & 1)) * strideOf(columns)) >>> 2));
    zeroFloats(work.transposed, <i32>((columns * strideOf(rows)) >>> 2));
    step.matrixTaskCount = (rows + TASK_ROWS - 1) / TASK_ROWS;
    return OP_LOAD;
  }
  return OP_NONE;
}

/** Does one task of a phase: MATRIX_TASK_ROWS rows of its result. */
export function runMatrixTask(step: StepRecord, op: i32, task: u32): void {
  const work = changetype<MatrixWorkRecord>(step.matrices);
  const matrix = changetype<MatrixRecord>(work.matrix);
  const rows = min(matrix.rows, matrix.columns);
  const columns = max(matrix.rows, matrix.columns);
  const top = task * TASK_ROWS;
  const bottom = min(top + TASK_ROWS, rows);
  const wide = strideOf(columns);
  const narrow = strideOf(rows);
  if (op === OP_SQUARE) {
    // biome-ignore format: one line a role
    product(
      work.square, 0, work.x, work.transposed, top, bottom, rows, columns, wide, narrow, 0, 1,
    );
  } else if (op === OP_POLYNOMIAL) {
    // biome-ignore format: one line a role
    product(
      work.polynomial, work.square, work.square, work.square, top, bottom, rows, rows, narrow,
      narrow, COEFFICIENT_B, COEFFICIENT_C,
    );
  } else if (op === OP_ITERATE) {
    // biome-ignore format: one line a role
    product(
      work.next, work.x, work.polynomial, work.x, top, bottom, columns, rows, narrow, wide,
      COEFFICIENT_A, 1,
    );
    for (let i = top; i < bottom; i++) {
      for (let j: u32 = 0; j < columns; j++) {
        const value = load<f32>(work.next + i * wide + (j << 2));
        store<f32>(work.transposed + j * narrow + (i << 2), value);
      }
    }
  } else {
    const tensor = changetype<TensorRecord>(matrix.tensor);
    const tall = matrix.rows > matrix.columns;
    const down: usize = tall ? 4 : columns << 2;
    const right: usize = tall ? rows << 2 : 4;
    const rate = changetype<MuonConstants>(tensor.constants).rate;
    for (let i = top; i < bottom; i++) {
      for (let j: u32 = 0; j < columns; j++) {
        const own = i * down + j * right;
        const x = work.x + i * wide + (j << 2);
        if (op === OP_LOAD) {
          const value = <f32>(<f64>load<f32>(tensor.state1 + own) * work.scale);
          store<f32>(x, value);
          store<f32>(work.transposed + j * narrow + (i << 2), value);
        } else {
          const theta = load<f32>(tensor.param + own);
          store<f32>(tensor.param + own, theta - rate * load<f32>(x));
        }
      }
    }
  }
}

/**
 * out = α·add + β·left·right for rows [top, bottom), `columns` columns rounded up to panels; k is
 * the length of a row of `left`. Without `add` (0) it is the product alone.
 */
// biome-ignore format: one line a role
function product(
  out: usize, add: usize, left: usize, right: usize,
  top: u32, bottom: u32, columns: u32, k: u32, leftStep: usize, step: usize,
  alpha: f32, beta: f32,
): void {
  for (let j: usize = 0; j < <usize>columns << 2; j += PANEL) {
    // The first rows of the panel, then the others: called from two places, so that asc does not
    // inline the tile (see gemm-kernel.ts).
    for (let i = top; i < bottom; i += 2) {
      const c = out + i * step + j;
      const a = left + i * leftStep;
      multiplyTile<Four>(c, c + step, a, leftStep, 4, right + j, step, min(k, DEPTH) << 2, true);
    }
    for (let p = DEPTH; p < k; p += DEPTH) {
      const b = right + p * step + j;
      for (let i = top; i < bottom; i += 2) {
        const c = out + i * step + j;
        const a = left + i * leftStep + (p << 2);
        multiplyTile<Four>(c, c + step, a, leftStep, 4, b, step, min(k - p, DEPTH) << 2, false);
      }
    }
    if (add === 0) continue;
    for (let i = top; i < bottom; i++) {
      const c = out + i * step + j;
      const p = add + i * step + j;
      for (let q: usize = 0; q < PANEL; q += 16) {
        // c ← α·p + β·c
        const sum = f32x4.mul(f32x4.splat(beta), v128.load(c + q));
        v128.store(c + q, f32x4.add(f32x4.mul(f32x4.splat(alpha), v128.load(p + q)), sum));
      }
    }
  }
}
