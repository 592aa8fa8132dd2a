/**
 * The records in linear memory that the optim module reads: each declared here once, with its
 * fields in order. The build derives the byte offsets and writes an accessor class of every record
 * for AssemblyScript (build/assembly/optim-records.ts) and one for TypeScript
 * (build/optim-records.ts); see scripts/generate/records.js.
 *
 * A field is [type, what it holds, options?]. Pointers are byte addresses (u32); fields are aligned
 * to their size. Options: `count` makes the field an array, of which accessors give the address;
 * `align` is a stricter alignment.
 */
export default {
  StepRecord: {
    doc: 'The step table: all that one step of one optimizer reads, and where it reports to.',
    fields: {
      tensors: ['pointer', 'the first TensorRecord'],
      tensorCount: ['u32', 'tensors, frozen ones included'],
      blocks: ['pointer', 'the first BlockRecord'],
      blockCount: ['u32', 'blocks of all unfrozen tensors'],
      tasks: ['pointer', 'the task list: taskCount + 1 indices of blocks, u32'],
      taskCount: ['u32', 'tasks that threads share'],
      partials: ['pointer', 'one PartialRecord for every block'],
      scratch: ['pointer', 'SCRATCH_SIZE bytes for every thread; 0 when nothing is staged'],
      status: ['i32', 'out: one of STATUS_…'],
      offender: ['pointer', 'out: the TensorRecord that caused STATUS_OVERFLOW'],
      gradNorm: ['f64', 'out: Σ|g| over all tensors of the table'],
      clipLimit: ['f64', 'the largest norm that passes unchanged'],
      clipNorm: ['i32', 'one of CLIP_…: which norm of the gradient is bounded'],
      clipGlobal: ['i32', 'whether that is one norm over all tensors (1) or one for each (0)'],
      clipValue: ['f32', 'gradients count as clamped to ± this; 0: as they are'],
      matrices: ['pointer', 'a MatrixWorkRecord and its MatrixRecords; 0 without matrices'],
      matrixTaskCount: ['u32', 'tasks of each phase over the current matrix'],
    },
  },
  MatrixWorkRecord: {
    doc: 'The workspace in which matrices are orthogonalised one after another, and its progress.',
    fields: {
      count: ['u32', 'MatrixRecords, which follow this record'],
      matrix: ['pointer', 'the MatrixRecord at work'],
      iteration: ['i32', 'iterations done'],
      scale: ['f64', '1/(‖u‖ + ε)'],
      x: ['pointer', 'X, with the smaller side as rows'],
      next: ['pointer', 'X of the next iteration; the two take turns'],
      transposed: ['pointer', 'Xᵀ'],
      square: ['pointer', 'A = X·Xᵀ'],
      polynomial: ['pointer', 'B = b·A + c·A·A'],
    },
  },
  MatrixRecord: {
    doc: 'A tensor whose update is orthogonalised as a matrix.',
    fields: {
      tensor: ['pointer', 'its TensorRecord; state1 holds the direction'],
      rows: ['u32', 'the first size of its shape'],
      columns: ['u32', 'the product of the others'],
    },
  },
  TensorRecord: {
    doc: "One tensor of a step table: where it lies, its counters, its next update's constants.",
    fields: {
      param: ['pointer', 'f32 values'],
      grad: ['pointer', 'f32 gradient; 0 for a sparse parameter'],
      state0: ['pointer', 'the first state array, f32 or codes'],
      state1: ['pointer', 'the second'],
      state2: ['pointer', 'the third, always f32'],
      group: ['pointer', 'the GroupRecord of its param group'],
      blockCount: ['u32', 'how many consecutive entries of the block list are its; 0 when frozen'],
      step: ['i32', 'accepted steps of this tensor, t'],
      flush: ['i32', 'whether this update is followed by the flush of dying moments'],
      length: ['u32', 'elements, without padding'],
      format: ['i32', 'how the first two state arrays are kept: the id of a state format'],
      seed: ['u32', 'seed of the random numbers that round its compact state'],
      scales0: ['pointer', 'one f32 for every SCALE_BLOCK codes of state0, where it has scales'],
      scales1: ['pointer', 'the same for state1'],
      norm: ['f64', 'out: Σ|g| of this tensor, of the clamped gradient where it is clamped'],
      clip: ['f64', 'out: the norm to clip by, then the factor that the gradient is multiplied by'],
      scalars: [
        'f64',
        "the optimizer's own scalars, as the last accepted step left them",
        { count: 5 },
      ],
      nextScalars: ['f64', 'the same, not yet accepted', { count: 5 }],
      constants: ['f32', "the kernel's constants, in the order of its parameters", { count: 12 }],
    },
  },
  GroupRecord: {
    doc: 'One param group: which kernel updates its tensors, and what that needs to know.',
    fields: {
      kernel: ['i32', 'id of the kernel, as the build numbers them'],
      normLimit: ['f64', 'a tensor with Σ|g| at or above it refuses the step'],
      values: [
        'f64',
        "the optimizer's own hyperparameters, in the order of its kernel",
        { count: 8 },
      ],
    },
  },
  BlockRecord: {
    doc: 'A run of at most BLOCK elements of one tensor.',
    fields: {
      tensor: ['pointer', 'its TensorRecord'],
      first: ['u32', 'index of the first element'],
      length: ['u32', 'elements, a multiple of UNROLL'],
    },
  },
  PartialRecord: {
    doc: "The norms of one block's gradient.",
    fields: {
      sum: ['f64', 'Σ|g|'],
      clamped: ['f64', 'the same of the clamped gradient'],
      clip: ['f64', 'Σg² or max|g| of it, as clipNorm asks'],
    },
  },
  JobRecord: {
    doc: 'The control block of the job protocol (assembly/jobs.ts), by cache lines.',
    atomic: true,
    size: 1024,
    fields: {
      generation: ['i32', 'counts phases; idle workers wait on this word'],
      parked: ['i32', 'workers that wait now'],
      stop: ['i32', '1 asks the workers to return'],
      ticket: ['u64', 'generation << 32 | next task', { align: 64 }],
      limit: ['u64', 'generation << 32 | task count', { align: 64 }],
      op: ['i32', 'which phase a task belongs to'],
      arg: ['pointer', 'the record that the phase works on'],
      done: ['u64', 'generation << 32 | tasks done', { align: 64 }],
      event: [
        'i32',
        'counts phases begun and jobs finished; the caller waits on this word',
        { align: 64 },
      ],
      callerParked: ['i32', '1 while the caller waits'],
      finished: ['i32', '1 when the job is complete'],
      workers: ['i32', 'the state of every worker, one of WORKER_…', { align: 64, count: 64 }],
      errorLength: ['i32', "bytes of the first failing worker's message"],
      errorText: ['u8', 'the message, UTF-8', { count: 444 }],
    },
  },
};
