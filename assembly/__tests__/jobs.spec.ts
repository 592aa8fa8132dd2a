import { JOB_RECORD_SIZE, JobRecord } from '../../build/assembly/optim-records';
import { OP_NONE } from '../../src/memory-layout/constants';
import { begin, help, Jobs } from '../jobs';

/** Two phases of three tasks; task t of phase p adds 1 to word 4p + t. */
@unmanaged
class Count extends Jobs {
  run(op: i32, arg: usize, task: u32, thread: u32): void {
    const word = arg + ((4 * op + <i32>task) << 2);
    store<i32>(word, load<i32>(word) + 1);
  }

  advance(op: i32, arg: usize): i32 {
    return op === 1 ? 2 : OP_NONE;
  }

  taskCount(op: i32, arg: usize): u32 {
    return 3;
  }
}

/** One task, during which the caller gives the job up, as WorkerPool.close in pool.ts does. */
@unmanaged
class GivenUp extends Jobs {
  run(op: i32, arg: usize, task: u32, thread: u32): void {
    const job = changetype<JobRecord>(arg - JOB_RECORD_SIZE);
    const word = arg + ((4 * op + <i32>task) << 2);
    store<i32>(word, load<i32>(word) + 1);
    const ended = (<u64>(job.generation + 1)) << 32;
    job.limit = ended;
    job.done = ended;
    job.generation += 1;
  }

  advance(op: i32, arg: usize): i32 {
    return OP_NONE;
  }

  taskCount(op: i32, arg: usize): u32 {
    return 1;
  }
}

function createControl(): usize {
  const control = (heap.alloc(JOB_RECORD_SIZE + 128 + 64) + 63) & ~63;
  memory.fill(control, 0, JOB_RECORD_SIZE + 128);
  return control;
}

/** How often each task was done: [phase 1: 4…6, phase 2: 8…10]. */
function timesDone(arg: usize, op: i32, task: i32): i32 {
  return load<i32>(arg + ((4 * op + task) << 2));
}

describe('the job protocol, on one thread', () => {
  it('does every task of every phase once', () => {
    const control = createControl();
    const arg = control + JOB_RECORD_SIZE;
    begin<Count>(control, 1, arg);
    while (help<Count>(control, 1, 0)) {}
    expect(changetype<JobRecord>(control).finished).toBe(1);
    for (let op = 1; op <= 2; op++)
      for (let task = 0; task < 3; task++) expect(timesDone(arg, op, task)).toBe(1);
  });

  it('does at most as much as it is asked to', () => {
    const control = createControl();
    const arg = control + JOB_RECORD_SIZE;
    begin<Count>(control, 1, arg);
    expect(help<Count>(control, 2, 0)).toBe(true);
    expect(timesDone(arg, 1, 1)).toBe(1);
    expect(timesDone(arg, 1, 2)).toBe(0);
    expect(changetype<JobRecord>(control).finished).toBe(0);
  });

  it('does nothing with a ticket that is past the end, or of an ended generation', () => {
    const control = createControl();
    const arg = control + JOB_RECORD_SIZE;
    begin<Count>(control, 1, arg);
    while (help<Count>(control, 1, 0)) {}
    expect(help<Count>(control, 1, 0)).toBe(false);
    // As a late thread sees it: the limit of a new generation, the ticket still of the old.
    changetype<JobRecord>(control).limit = ((<u64>99) << 32) | 3;
    changetype<JobRecord>(control).ticket = (<u64>98) << 32;
    expect(help<Count>(control, 1, 0)).toBe(false);
    for (let op = 1; op <= 2; op++)
      for (let task = 0; task < 3; task++) expect(timesDone(arg, op, task)).toBe(1);
  });

  it('counts a task that ends after its job was given up to no other job', () => {
    const control = createControl();
    const arg = control + JOB_RECORD_SIZE;
    const job = changetype<JobRecord>(control);
    begin<GivenUp>(control, 1, arg);
    const generation = <u64>job.generation;
    help<GivenUp>(control, 1, 1);
    // The job's only task ran, and its end neither advances the job nor finishes it.
    expect(timesDone(arg, 1, 0)).toBe(1);
    expect(job.finished).toBe(0);
    expect(job.limit).toBe((generation + 1) << 32);
    expect(help<GivenUp>(control, 1, 1)).toBe(false);
    expect(timesDone(arg, 1, 0)).toBe(1);
    // The next job still does every task once, and counts only those.
    begin<Count>(control, 2, arg);
    expect(job.done).toBe((generation + 2) << 32);
    while (help<Count>(control, 1, 0)) {}
    expect(job.finished).toBe(1);
    expect(job.done).toBe(((generation + 2) << 32) | 3);
    for (let task = 0; task < 3; task++) expect(timesDone(arg, 2, task)).toBe(1);
  });
});
