/**
 * The ABI of the optim module built with threads: the same, and the job protocol. `control` is a
 * control block.
 */

import { OP_NORM } from '../src/memory-layout/constants';
import { begin, complete, help, serve } from './jobs';
import { StepJobs } from './optimizers/step';

export * from './optim';

/**
 * A whole step shared with the workers. False: not finished yet, call `stepComplete` until it is.
 */
export function stepShared(control: usize, table: usize, spins: i32, timeout: i64): bool {
  begin<StepJobs>(control, OP_NORM, table);
  return complete<StepJobs>(control, spins, timeout);
}

/**
 * Goes on with the step under way until it is finished, or until `timeout` ns pass without an event
 * (false).
 */
export function stepComplete(control: usize, spins: i32, timeout: i64): bool {
  return complete<StepJobs>(control, spins, timeout);
}

/** Begins a step without working on it. */
export function stepBegin(control: usize, table: usize): void {
  begin<StepJobs>(control, OP_NORM, table);
}

/** Does up to `most` tasks of the step under way. False: nothing to do now. */
export function stepHelp(control: usize, most: u32): bool {
  return help<StepJobs>(control, most, 0);
}

/** The loop of worker `thread`, 1 and up; returns when asked to stop. */
export function stepServe(control: usize, spins: i32, thread: u32): void {
  serve<StepJobs>(control, spins, thread);
}
