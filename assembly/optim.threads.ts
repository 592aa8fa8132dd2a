/**
 * The exports of the optim module built with threads: those of optim.ts, and the job protocol.
 * `control` is the address of a control block.
 */

import { OP_NORM } from '../src/memory-layout/constants';
import { begin, complete, help, serve } from './jobs';
import { StepJobs } from './optimizers/step';

export * from './optim';

/**
 * Runs a whole step together with the workers. Returns false if it is not finished yet: then call
 * `stepComplete` until it is.
 */
export function stepShared(control: usize, table: usize, spins: i32, timeout: i64): bool {
  begin<StepJobs>(control, OP_NORM, table);
  return complete<StepJobs>(control, spins, timeout);
}

/**
 * Continues the current step. Returns true when it is finished, false when `timeout` ns pass
 * without an event.
 */
export function stepComplete(control: usize, spins: i32, timeout: i64): bool {
  return complete<StepJobs>(control, spins, timeout);
}

/** Begins a step without working on it. */
export function stepBegin(control: usize, table: usize): void {
  begin<StepJobs>(control, OP_NORM, table);
}

/** Does up to `most` tasks of the current step. Returns false when no task is open. */
export function stepHelp(control: usize, most: u32): bool {
  return help<StepJobs>(control, most, 0);
}

/** Runs the loop of worker `thread` (from 1); returns when asked to stop. */
export function stepServe(control: usize, spins: i32, thread: u32): void {
  serve<StepJobs>(control, spins, thread);
}
