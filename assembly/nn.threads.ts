/**
 * What the nn module exports besides the kernels where it is built with threads: the job protocol.
 * `control` is the address of a control block.
 */
import { SHARED_OP } from '../src/memory-layout/nn-layout';
import { begin, complete, help, serve } from './jobs';
import { KernelJobs } from './shared-kernels';

/**
 * The call that a job record describes, shared with the workers. False: not finished yet, call
 * `nnComplete` until it is.
 */
export function nnShared(control: usize, record: usize, spins: i32, timeout: i64): bool {
  begin<KernelJobs>(control, load<i32>(record, SHARED_OP), record);
  return complete<KernelJobs>(control, spins, timeout);
}

/**
 * Goes on with the call under way until it is finished, or until `timeout` ns pass without an event
 * (false).
 */
export function nnComplete(control: usize, spins: i32, timeout: i64): bool {
  return complete<KernelJobs>(control, spins, timeout);
}

/** Begins a call without working on it. */
export function nnBegin(control: usize, record: usize): void {
  begin<KernelJobs>(control, load<i32>(record, SHARED_OP), record);
}

/** Does up to `most` tasks of the call under way. False: nothing to do now. */
export function nnHelp(control: usize, most: u32): bool {
  return help<KernelJobs>(control, most, 0);
}

/** The loop of worker `thread`, 1 and up; returns when asked to stop. */
export function nnServe(control: usize, spins: i32, thread: u32): void {
  serve<KernelJobs>(control, spins, thread);
}
