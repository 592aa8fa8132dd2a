/** The ABI of the optim module: optimizer steps, and the job protocol that spreads them over threads. Exports, nothing else. */
import { begin, complete, help, OP_NONE, serve } from './jobs';
import { OP_NORM, type StepJobs } from './optimizers/step';

/** A whole step over all tensors of `table`, on the calling thread alone. The outcome is in the table. */
export function step(table: usize): void {
  let op = OP_NORM;
  while (op !== OP_NONE) {
    const count = changetype<StepJobs>(0).taskCount(op, table);
    for (let task: u32 = 0; task < count; task++) changetype<StepJobs>(0).run(op, table, task);
    op = changetype<StepJobs>(0).advance(op, table);
  }
}

/** A whole step over all tensors of `table`, shared with the workers. False: call `stepWait` until it is true. */
export function stepShared(control: usize, table: usize, spins: i32, timeout: i64): bool {
  begin<StepJobs>(control, OP_NORM, table);
  return complete<StepJobs>(control, spins, timeout);
}

/** Goes on with the job under way until it is finished, or until `timeout` ns pass without an event (false). */
export function stepWait(control: usize, spins: i32, timeout: i64): bool {
  return complete<StepJobs>(control, spins, timeout);
}

/** Begins a step without working on it. */
export function stepBegin(control: usize, table: usize): void {
  begin<StepJobs>(control, OP_NORM, table);
}

/** Does up to `most` tasks of the step under way. False: nothing to do now. */
export function stepHelp(control: usize, most: u32): bool {
  return help<StepJobs>(control, most);
}

/** A worker's loop; returns when asked to stop. */
export function stepServe(control: usize, spins: i32): void {
  serve<StepJobs>(control, spins);
}
