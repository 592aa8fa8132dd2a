/**
 * The exports that the nn module built with threads has besides the kernels: the job protocol.
 * `control` is the address of a control block.
 */
import { SharedCallRecord } from '../build/assembly/nn-records';
import { begin, complete, help, serve } from './jobs';
import { KernelJobs } from './shared-kernels';

/**
 * Runs the call that the SharedCallRecord at `record` describes, together with the workers. Returns
 * false if it is not finished yet: then call `nnComplete` until it is.
 */
export function nnShared(control: usize, record: usize, spins: i32, timeout: i64): bool {
  begin<KernelJobs>(control, changetype<SharedCallRecord>(record).op, record);
  return complete<KernelJobs>(control, spins, timeout);
}

/**
 * Continues the current call. Returns true when it is finished, false when `timeout` ns pass
 * without an event.
 */
export function nnComplete(control: usize, spins: i32, timeout: i64): bool {
  return complete<KernelJobs>(control, spins, timeout);
}

/** Begins a call without working on it. */
export function nnBegin(control: usize, record: usize): void {
  begin<KernelJobs>(control, changetype<SharedCallRecord>(record).op, record);
}

/** Does up to `most` tasks of the current call. Returns false when no task is open. */
export function nnHelp(control: usize, most: u32): bool {
  return help<KernelJobs>(control, most, 0);
}

/** Runs the loop of worker `thread`, 1 and up; returns when asked to stop. */
export function nnServe(control: usize, spins: i32, thread: u32): void {
  serve<KernelJobs>(control, spins, thread);
}
