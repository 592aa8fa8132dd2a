/** The exports of the optim module. `table` is the address of a StepRecord. */
import { OP_NONE, OP_NORM } from '../src/memory-layout/constants';
import { combineTo } from './math/map';
import { StepJobs } from './optimizers/step';

/** Runs a whole step over all tensors of the table on this thread; the outcome is in the table. */
export function step(table: usize): void {
  let op = OP_NORM;
  while (op !== OP_NONE) {
    stepTasks(op, table, 0, changetype<StepJobs>(0).taskCount(op, table));
    op = stepAdvance(op, table);
  }
}

/** Runs tasks [from, to) of one phase, for steps done in slices. The first phase is OP_NORM. */
export function stepTasks(op: i32, table: usize, from: u32, to: u32): void {
  for (let task = from; task < to; task++) changetype<StepJobs>(0).run(op, table, task, 0);
}

/**
 * Ends a phase whose tasks are all done. Returns the next phase's op, or OP_NONE when the step is
 * complete or refused.
 */
export function stepAdvance(op: i32, table: usize): i32 {
  return changetype<StepJobs>(0).advance(op, table);
}

/** out[i] = x[i] - b·(a·x[i] - y[i]) over n elements. Operands may be the same buffer. */
export function combine(out: usize, x: usize, y: usize, n: i32, a: f32, b: f32): void {
  combineTo(out, x, y, n, a, b);
}

/**
 * Copies the `count` rows of `table` whose indices are in the u32 array `rows` to `out`, one after
 * the other; a row has `bytes` bytes.
 */
export function gatherRows(out: usize, table: usize, rows: usize, count: u32, bytes: u32): void {
  for (const end = rows + (count << 2); rows < end; rows += 4) {
    memory.copy(out, table + load<u32>(rows) * bytes, bytes);
    out += bytes;
  }
}

/** Copies such rows from `x` back to their places in `table`. */
export function scatterRows(table: usize, x: usize, rows: usize, count: u32, bytes: u32): void {
  for (const end = rows + (count << 2); rows < end; rows += 4) {
    memory.copy(table + load<u32>(rows) * bytes, x, bytes);
    x += bytes;
  }
}

/**
 * Returns x/2, computed by a vector multiplication: zero for the smallest normal number where the
 * engine flushes subnormals.
 */
export function halve(x: f32): f32 {
  return f32x4.extract_lane(f32x4.mul(f32x4.splat(x), f32x4.splat(0.5)), 0);
}
