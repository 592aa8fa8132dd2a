/**
 * The job protocol: how threads share work. One job at a time; a job is a chain of phases; a phase
 * is a number of tasks that any thread may do in any order. The thread that finishes the last task
 * of a phase runs `advance`, which opens the next phase or ends the job; so no thread ever waits
 * for a particular other one.
 *
 * Invariant: ticket, limit and done carry the generation in their upper half. A ticket is valid
 * only while the limit has the same generation, and a generation cannot end before the tasks of all
 * its valid tickets are done. So a thread with a valid ticket may read op and arg, and a late
 * thread with a ticket of an earlier generation does nothing.
 *
 * Only binaries built with threads contain this file.
 */
import { JobRecord } from '../build/assembly/optim-records';
import { OP_NONE } from '../src/memory-layout/constants';

/** The tasks and phases of a module's jobs. Never instantiated, like kernels. */
@unmanaged
export class Jobs {
  /** Does one task; `thread` is 0 for the caller, 1 and more for the workers. */
  run(op: i32, arg: usize, task: u32, thread: u32): void {}

  /** Runs once when all tasks of a phase are done. Returns the next phase's op, or OP_NONE. */
  advance(op: i32, arg: usize): i32 {
    return OP_NONE;
  }

  /** Returns the number of tasks of a phase, at least 1. */
  taskCount(op: i32, arg: usize): u32 {
    return 1;
  }
}

/** Tells the caller, awake or parked, that a phase began or the job ended. */
function signalCaller(job: JobRecord): void {
  atomic.add<i32>(job.eventAddress, 1);
  if (job.callerParked) atomic.notify(job.eventAddress, 1);
}

/** Opens a phase. Everything that its tasks read must have been written. */
function publish<J extends Jobs>(job: JobRecord, op: i32, arg: usize): void {
  const generation = <u32>job.generation + 1;
  const base = (<u64>generation) << 32;
  job.op = op;
  job.arg = arg;
  job.limit = base | <u64>changetype<J>(0).taskCount(op, arg);
  job.done = base;
  job.ticket = base;
  job.generation = <i32>generation;
  if (job.parked) atomic.notify(job.generationAddress, -1);
  signalCaller(job);
}

/** Begins a job. The previous one must have finished. */
export function begin<J extends Jobs>(control: usize, op: i32, arg: usize): void {
  const job = changetype<JobRecord>(control);
  job.finished = 0;
  publish<J>(job, op, arg);
}

/** Does up to `most` tasks of whatever is open. True: some may be left. */
export function help<J extends Jobs>(control: usize, most: u32, thread: u32): bool {
  const job = changetype<JobRecord>(control);
  while (most-- > 0) {
    const ticket = atomic.add<u64>(job.ticketAddress, 1);
    const limit = job.limit;
    if (ticket >> 32 !== limit >> 32 || <u32>ticket >= <u32>limit) return false;
    const op = job.op;
    const arg = job.arg;
    changetype<J>(0).run(op, arg, <u32>ticket, thread);
    if (atomic.add<u64>(job.doneAddress, 1) + 1 === limit) {
      const next = changetype<J>(0).advance(op, arg);
      if (next !== OP_NONE) {
        publish<J>(job, next, arg);
      } else {
        job.finished = 1;
        signalCaller(job);
        return false;
      }
    }
  }
  return true;
}

/**
 * Works on the job until it is finished (true), or until nothing is left to do and `timeout` ns
 * pass without an event.
 */
export function complete<J extends Jobs>(control: usize, spins: i32, timeout: i64): bool {
  const job = changetype<JobRecord>(control);
  while (true) {
    const event = job.event;
    help<J>(control, u32.MAX_VALUE, 0);
    if (job.finished) return true;
    let left = spins;
    while (left > 0 && job.event === event) left--;
    if (left === 0) {
      job.callerParked = 1;
      const outcome = atomic.wait<i32>(job.eventAddress, event, timeout);
      job.callerParked = 0;
      if (outcome === AtomicWaitResult.TIMED_OUT) return job.finished !== 0;
    }
  }
}

/**
 * The life of worker `thread`, 1 and up: works on every job until asked to stop; spins for a while
 * when there is none, then parks.
 */
export function serve<J extends Jobs>(control: usize, spins: i32, thread: u32): void {
  const job = changetype<JobRecord>(control);
  while (true) {
    const generation = job.generation;
    help<J>(control, u32.MAX_VALUE, thread);
    if (job.stop) return;
    let left = spins;
    while (left > 0 && job.generation === generation) left--;
    if (left === 0) {
      atomic.add<i32>(job.parkedAddress, 1);
      if (!job.stop) atomic.wait<i32>(job.generationAddress, generation, -1);
      atomic.sub<i32>(job.parkedAddress, 1);
    }
  }
}
