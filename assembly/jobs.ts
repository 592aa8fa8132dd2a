/**
 * The job protocol: how threads share work. One job at a time; a job is a chain of phases; a phase
 * is a number of tasks that any thread may do in any order. Whoever finishes a phase's last task
 * runs `advance`, which opens the next phase or ends the job; so nobody ever waits for a particular
 * thread.
 *
 * Invariant: ticket, limit and done carry the generation in their upper half. A ticket is good only
 * while the limit has the same generation, and a generation cannot end before all its good tickets
 * are done. So a thread that holds a good ticket may read op and arg, and a late thread, holding a
 * ticket of an ended generation, does nothing.
 *
 * Only binaries built with threads contain this file.
 */
import {
  JOB_ARG,
  JOB_CALLER_PARKED,
  JOB_DONE,
  JOB_EVENT,
  JOB_FINISHED,
  JOB_GENERATION,
  JOB_LIMIT,
  JOB_OP,
  JOB_PARKED,
  JOB_STOP,
  JOB_TICKET,
  OP_NONE,
} from './layout';

/** What a module's jobs consist of. Never instantiated, as rules are not. */
@unmanaged
export class Jobs {
  /** Does one task; `thread` is 0 for the caller, 1 and more for the workers. */
  run(op: i32, arg: usize, task: u32, thread: u32): void {}

  /** Called once, when all tasks of a phase are done: the next phase's op, or OP_NONE. */
  advance(op: i32, arg: usize): i32 {
    return OP_NONE;
  }

  /** How many tasks a phase has; at least 1. */
  taskCount(op: i32, arg: usize): u32 {
    return 1;
  }
}

/** Tells the caller, awake or parked, that a phase began or the job ended. */
function signalCaller(control: usize): void {
  atomic.add<i32>(control + JOB_EVENT, 1);
  if (atomic.load<i32>(control + JOB_CALLER_PARKED)) atomic.notify(control + JOB_EVENT, 1);
}

/** Opens a phase: whatever its tasks read must be written before. */
function publish<J extends Jobs>(control: usize, op: i32, arg: usize): void {
  const generation = <u32>atomic.load<i32>(control + JOB_GENERATION) + 1;
  const base = (<u64>generation) << 32;
  store<i32>(control, op, JOB_OP);
  store<u32>(control, <u32>arg, JOB_ARG);
  atomic.store<u64>(control + JOB_LIMIT, base | <u64>changetype<J>(0).taskCount(op, arg));
  atomic.store<u64>(control + JOB_DONE, base);
  atomic.store<u64>(control + JOB_TICKET, base);
  atomic.store<i32>(control + JOB_GENERATION, <i32>generation);
  if (atomic.load<i32>(control + JOB_PARKED)) atomic.notify(control + JOB_GENERATION, -1);
  signalCaller(control);
}

/** Begins a job. The one before must have finished. */
export function begin<J extends Jobs>(control: usize, op: i32, arg: usize): void {
  atomic.store<i32>(control + JOB_FINISHED, 0);
  publish<J>(control, op, arg);
}

/** Does up to `most` tasks of whatever is open. True: some may be left. */
export function help<J extends Jobs>(control: usize, most: u32, thread: u32): bool {
  while (most-- > 0) {
    const ticket = atomic.add<u64>(control + JOB_TICKET, 1);
    const limit = atomic.load<u64>(control + JOB_LIMIT);
    if (ticket >> 32 !== limit >> 32 || <u32>ticket >= <u32>limit) return false;
    const op = load<i32>(control, JOB_OP);
    const arg: usize = load<u32>(control, JOB_ARG);
    changetype<J>(0).run(op, arg, <u32>ticket, thread);
    if (atomic.add<u64>(control + JOB_DONE, 1) + 1 === limit) {
      const next = changetype<J>(0).advance(op, arg);
      if (next !== OP_NONE) {
        publish<J>(control, next, arg);
      } else {
        atomic.store<i32>(control + JOB_FINISHED, 1);
        signalCaller(control);
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
  while (true) {
    const event = atomic.load<i32>(control + JOB_EVENT);
    help<J>(control, u32.MAX_VALUE, 0);
    if (atomic.load<i32>(control + JOB_FINISHED)) return true;
    let left = spins;
    while (left > 0 && atomic.load<i32>(control + JOB_EVENT) === event) left--;
    if (left === 0) {
      atomic.store<i32>(control + JOB_CALLER_PARKED, 1);
      const outcome = atomic.wait<i32>(control + JOB_EVENT, event, timeout);
      atomic.store<i32>(control + JOB_CALLER_PARKED, 0);
      if (outcome === AtomicWaitResult.TIMED_OUT)
        return atomic.load<i32>(control + JOB_FINISHED) !== 0;
    }
  }
}

/**
 * The life of worker `thread`, 1 and up: works on every job until asked to stop; spins for a while
 * when there is none, then parks.
 */
export function serve<J extends Jobs>(control: usize, spins: i32, thread: u32): void {
  while (true) {
    const generation = atomic.load<i32>(control + JOB_GENERATION);
    help<J>(control, u32.MAX_VALUE, thread);
    if (atomic.load<i32>(control + JOB_STOP)) return;
    let left = spins;
    while (left > 0 && atomic.load<i32>(control + JOB_GENERATION) === generation) left--;
    if (left === 0) {
      atomic.add<i32>(control + JOB_PARKED, 1);
      if (!atomic.load<i32>(control + JOB_STOP))
        atomic.wait<i32>(control + JOB_GENERATION, generation, -1);
      atomic.sub<i32>(control + JOB_PARKED, 1);
    }
  }
}
