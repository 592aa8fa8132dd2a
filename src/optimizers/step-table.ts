/**
 * The step table of one optimizer in linear memory (src/memory-layout/optim-records.js): what the
 * kernels read to do a whole step in one call.
 *
 *     StepRecord → TensorRecords → GroupRecords → BlockRecords → tasks → PartialRecords → scratch
 *     → MatrixWorkRecord → MatrixRecords → workspace, where matrices are orthogonalised
 *
 * Invariant: there is a TensorRecord for every tensor, frozen or not, in order of registration; the
 * block and task lists name the unfrozen ones alone. Writing a step's scalars allocates nothing.
 */
import {
  BLOCK_RECORD_SIZE,
  BlockRecord,
  GROUP_RECORD_SIZE,
  GROUP_RECORD_VALUES_COUNT,
  GroupRecord,
  PARTIAL_RECORD_SIZE,
  STEP_RECORD_SIZE,
  StepRecord,
  TENSOR_RECORD_SIZE,
  TensorRecord,
} from '../../build/optim-records';
import { ALIGNMENT, BLOCK, FORMAT_F32, SCRATCH_SIZE } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { Parameter } from '../tensors/parameter';
import type { Clipping } from './clipping';
import { type StateTensor, scalesOf } from './state-formats';
import type { StepScalars } from './step-scalars';

/** One tensor of the table. */
export interface TableEntry {
  readonly parameter: Parameter;
  /** State tensors in the order of the algorithm's state arrays. */
  readonly states: readonly StateTensor[];
  /** Id of the state format of the first two of them. */
  readonly format: number;
  /** Seed of the rounding of compact state. */
  readonly seed: number;
  /** Columns of the matrix that its update is orthogonalised as; 0 where it is not. */
  readonly columns: number;
  /** Index of its param group. */
  readonly group: number;
}

/** Everything of a tensor's state that is not an array. */
export interface Counters {
  /** Accepted steps of this tensor. */
  step: number;
  /** The algorithm's own scalars, in their order. */
  scalars: readonly number[];
}

/** Layout of the matrices of a table: see matrices.ts. */
export interface MatrixLayout {
  /** Returns the bytes of their records and workspace; 0 without matrices. */
  byteLength(entries: readonly TableEntry[]): number;
  /** Writes the records at `address`. */
  describe(
    memory: Runtime['memory'],
    address: number,
    entries: readonly TableEntry[],
    tensorAt: (index: number) => number,
  ): void;
  /** Returns what an element of a matrix costs, in elements of an ordinary update. */
  workOf(entry: TableEntry): number;
}

/** Settings that all steps of a table share. */
export interface TableOptions {
  /** The own scalars of a tensor before its first step. */
  readonly initialScalars: readonly number[];
  readonly clipping: Clipping;
  /** @default no matrices */
  readonly matrices?: MatrixLayout;
}

/**
 * Elements of a task: enough work to outweigh drawing a ticket, small enough to share a step of
 * MINIMUM_PARALLEL_ELEMENTS.
 */
const TASK_ELEMENTS = 2 * BLOCK;

export class StepTable {
  readonly #runtime: Runtime;
  readonly #options: TableOptions;
  readonly #step: StepRecord;
  /** Moved to whatever tensor and group are looked at. */
  readonly #tensor: TensorRecord;
  readonly #group: GroupRecord;
  /** The own values of a group, before they are written. */
  readonly #values = new Float64Array(GROUP_RECORD_VALUES_COUNT);
  #entries: readonly TableEntry[] = [];
  #address = 0;
  #tensors = 0;
  #groups = 0;
  #elementCount = 0;
  #groupCount = 0;

  constructor(runtime: Runtime, options: TableOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#step = new StepRecord(runtime.memory);
    this.#tensor = new TensorRecord(runtime.memory);
    this.#group = new GroupRecord(runtime.memory);
  }

  get address(): number {
    return this.#address;
  }

  /**
   * Elements of all unfrozen tensors, padding included. Those of a matrix that is orthogonalised
   * count for more, as its work is that of its smaller side.
   */
  get elementCount(): number {
    return this.#elementCount;
  }

  /** Bytes of the table, scratch included. */
  get byteLength(): number {
    return this.#layout(this.#entries, this.#groupCount).end;
  }

  /**
   * Describes these tensors; those already in the table keep their counters. Everything is unfrozen
   * until `select`.
   * @throws OutOfMemoryError; the table is as before then
   */
  describe(entries: readonly TableEntry[], groupCount: number): void {
    const { arena } = this.#runtime;
    const size = this.#layout(entries, groupCount);
    const address = arena.allocate(size.end);
    const kept = this.#entries.map((_, index) => this.counters(index));
    if (this.#address) arena.release(this.#address);
    this.#entries = entries;
    this.#groupCount = groupCount;
    this.#address = address;
    this.#tensors = address + size.tensors;
    this.#groups = address + size.groups;
    const step = this.#step.at(address);
    step.tensors = this.#tensors;
    step.tensorCount = entries.length;
    step.blocks = address + size.blocks;
    step.tasks = address + size.tasks;
    step.partials = address + size.partials;
    step.scratch = address + size.scratch;
    const { clipping } = this.#options;
    step.clipValue = clipping.value;
    step.clipNorm = clipping.norm;
    step.clipGlobal = clipping.global ? 1 : 0;
    step.clipLimit = clipping.limit;
    step.matrices = size.matrices === size.end ? 0 : address + size.matrices;
    if (step.matrices) {
      const tensorAt = (index: number) => this.#tensorAt(index).address;
      this.#options.matrices?.describe(this.#runtime.memory, step.matrices, entries, tensorAt);
    }
    for (const [index, entry] of entries.entries()) {
      this.#describeTensor(index, entry);
      this.setCounters(index, kept[index] ?? { step: 0, scalars: this.#options.initialScalars });
    }
  }

  #describeTensor(index: number, { parameter, states, format, seed, group }: TableEntry): void {
    const tensor = this.#tensorAt(index);
    tensor.param = parameter.value.address;
    tensor.grad = parameter.sparse ? 0 : parameter.grad.address;
    tensor.state0 = states[0]?.address ?? 0;
    tensor.state1 = states[1]?.address ?? 0;
    tensor.state2 = states[2]?.address ?? 0;
    tensor.scales0 = scalesOf(states[0]);
    tensor.scales1 = scalesOf(states[1]);
    tensor.length = parameter.value.length;
    tensor.format = format;
    tensor.seed = seed;
    tensor.group = this.#groups + GROUP_RECORD_SIZE * group;
  }

  /**
   * Lists the blocks of all tensors but sparse ones and those of frozen groups, and gathers them
   * into tasks.
   * @param most elements of every tensor to list, a multiple of UNROLL
   */
  select(isFrozen: (group: number) => boolean, most = Infinity): void {
    const { memory } = this.#runtime;
    const { matrices } = this.#options;
    const step = this.#step.at(this.#address);
    const tasks = memory.words(step.tasks, (step.partials - step.tasks) / 4);
    const block = new BlockRecord(memory);
    let blockCount = 0;
    let taskCount = 0;
    let inTask = TASK_ELEMENTS;
    this.#elementCount = 0;
    for (const [index, entry] of this.#entries.entries()) {
      const { parameter, columns, group } = entry;
      const tensor = this.#tensorAt(index);
      const work = columns > 0 ? (matrices?.workOf(entry) ?? 1) : 1;
      const end = parameter.sparse ? 0 : Math.min(most, parameter.value.paddedLength);
      const before = blockCount;
      for (let first = 0; first < end && !isFrozen(group); first += BLOCK) {
        const length = Math.min(BLOCK, end - first);
        if (inTask + length > TASK_ELEMENTS) {
          tasks[taskCount++] = blockCount;
          inTask = 0;
        }
        block.at(step.blocks + BLOCK_RECORD_SIZE * blockCount++);
        block.tensor = tensor.address;
        block.first = first;
        block.length = length;
        inTask += length;
        this.#elementCount += length * work;
      }
      tensor.blockCount = blockCount - before;
    }
    tasks[taskCount] = blockCount;
    step.blockCount = blockCount;
    step.taskCount = taskCount;
  }

  /** Sets the kernel of a group for the next step. */
  setKernel(group: number, id: number): void {
    this.#groupAt(group).kernel = id;
  }

  /** Sets the limit on Σ|g| of a group's tensors. */
  setNormLimit(group: number, { normLimit }: StepScalars): void {
    this.#groupAt(group).normLimit = normLimit;
  }

  /** Room for a group's own values, which `setValues` copies into the table. */
  get values(): Float64Array {
    return this.#values;
  }

  setValues(group: number): void {
    const { f64 } = this.#runtime.memory;
    const first = this.#groupAt(group).values;
    for (let i = 0; i < this.#values.length; i++) f64[first + i] = this.#values[i];
  }

  /** Reads what an algorithm needs to know of a tensor to prepare its next step. */
  readScalars(index: number, scalars: StepScalars): void {
    const tensor = this.#tensorAt(index);
    const { f64 } = this.#runtime.memory;
    const first = tensor.scalars;
    scalars.step = tensor.step + 1;
    for (let i = 0; i < scalars.own.length; i++) scalars.own[i] = f64[first + i];
  }

  /** Writes a tensor's constants for that step, and its own scalars after it. */
  writeScalars(index: number, scalars: StepScalars): void {
    const tensor = this.#tensorAt(index);
    const { f32, f64 } = this.#runtime.memory;
    f32.set(scalars.constants, tensor.constants);
    const first = tensor.nextScalars;
    for (let i = 0; i < scalars.own.length; i++) f64[first + i] = scalars.own[i];
  }

  get status(): number {
    return this.#step.status;
  }

  /** Σ|g| over all unfrozen tensors of the last step. */
  get gradNorm(): number {
    return this.#step.gradNorm;
  }

  /** Index of the tensor because of which the last step was refused as overflowing. */
  get offender(): number {
    return (this.#step.offender - this.#tensors) / TENSOR_RECORD_SIZE;
  }

  /** The limit on Σ|g| of that tensor. */
  get offenderLimit(): number {
    return this.#group.at(this.#tensorAt(this.offender).group).normLimit;
  }

  counters(index: number): Counters {
    const tensor = this.#tensorAt(index);
    const first = tensor.scalars;
    const { length } = this.#options.initialScalars;
    return {
      step: tensor.step,
      scalars: Array.from(this.#runtime.memory.f64.subarray(first, first + length)),
    };
  }

  setCounters(index: number, { step, scalars }: Counters): void {
    const tensor = this.#tensorAt(index);
    tensor.step = step;
    this.#runtime.memory.f64.set(scalars, tensor.scalars);
    this.#runtime.memory.f64.set(scalars, tensor.nextScalars);
  }

  dispose(): void {
    if (this.#address) this.#runtime.arena.release(this.#address);
    this.#address = 0;
  }

  #tensorAt(index: number): TensorRecord {
    return this.#tensor.at(this.#tensors + TENSOR_RECORD_SIZE * index);
  }

  #groupAt(index: number): GroupRecord {
    return this.#group.at(this.#groups + GROUP_RECORD_SIZE * index);
  }

  /** Byte offsets of the table's parts, 64-byte aligned where several threads write. */
  #layout(entries: readonly TableEntry[], groupCount: number) {
    let blockCount = 0;
    for (const { parameter } of entries) {
      if (!parameter.sparse) blockCount += Math.ceil(parameter.value.paddedLength / BLOCK);
    }
    const tensors = align(STEP_RECORD_SIZE);
    const groups = tensors + TENSOR_RECORD_SIZE * entries.length;
    const blocks = groups + GROUP_RECORD_SIZE * groupCount;
    const tasks = align(blocks + BLOCK_RECORD_SIZE * blockCount);
    const partials = align(tasks + 4 * (blockCount + 1));
    const scratch = align(partials + PARTIAL_RECORD_SIZE * blockCount);
    const staged =
      this.#options.clipping.value > 0 || entries.some(({ format }) => format !== FORMAT_F32);
    const matrices = scratch + (staged ? SCRATCH_SIZE * this.#runtime.info.threads : 0);
    const end = matrices + (this.#options.matrices?.byteLength(entries) ?? 0);
    return { tensors, groups, blocks, tasks, partials, scratch, matrices, end };
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
