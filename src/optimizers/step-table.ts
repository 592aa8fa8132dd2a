/**
 * The step table of one optimizer in linear memory (abi/layout.ts): what the kernels read to do a
 * whole step in one call.
 *
 * Invariant: there is a descriptor for every tensor, frozen or not, in order of registration; the
 * block and task lists name the unfrozen ones alone. Writing a step's scalars allocates nothing.
 */
import * as L from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { Parameter } from '../tensors/parameter';
import type { Clipping } from './clipping';
import type { StateTensor } from './compact-tensor';

/** One tensor of the table. */
export interface TableEntry {
  readonly parameter: Parameter;
  /** State tensors in the order of the rule's slots. */
  readonly states: readonly StateTensor[];
  /** How the first two of them are kept: a FORMAT_… constant. */
  readonly format: number;
  /** Of the rounding of compact state. */
  readonly seed: number;
  /** Index of its param group. */
  readonly group: number;
}

/** A tensor's own counters: everything of a step's state that is not an array. */
export interface Counters {
  /** Accepted steps of this tensor. */
  step: number;
  /** e: m = m'·2^e, v = v'·2^(2e). */
  exponent: number;
  /**
   * The rule's own scalar: V of AdaL (the running mean of S⁴), Πμ of NAdam, Σlr² of Schedule-Free.
   */
  V: number;
  /** β1^step. */
  beta1Power: number;
  /** β2^step. */
  beta2Power: number;
  /** A, the running mean of S that AdaL's spike guard keeps; 0 without it. */
  normMean: number;
}

/** What all steps of a table have in common. */
export interface TableOptions {
  /** A RULE_… constant. */
  readonly rule: number;
  readonly globalNorm: boolean;
  /** V of a new tensor. */
  readonly initialScalar: number;
  readonly clipping: Clipping;
}

/**
 * The scalars of the coming step, of a group and of a tensor; one object serves all in turn. They
 * travel as fields, since numbers that are passed to a function which is not inlined are allocated.
 */
export class StepScalars {
  /** The group's learning rate. */
  lr = 0.5;
  /** The optimizer's step to come, 1-based. */
  optimizerStep = 0;
  /** A tensor of the group with Σ|g| at or above it refuses the step. */
  normLimit = 0.5;
  /** t: the tensor's step to come, 1-based. */
  step = 0;
  /** β1^t. */
  beta1Power = 0.5;
  /** β2^t. */
  beta2Power = 0.5;
  /** The rule's own scalar: as it is, and, once written, as it will be if the step is accepted. */
  scalar = 0.5;
  /** The rule's constants, rounded to float32 when they are written here. */
  readonly constants = new Float32Array(L.CONSTANT_COUNT);
}

/**
 * Elements a task: enough work to outweigh drawing a ticket, small enough to share a step of
 * MINIMUM_PARALLEL_ELEMENTS.
 */
const TASK_ELEMENTS = 2 * L.BLOCK;

const STATE_FIELDS = [L.TENSOR_STATE0, L.TENSOR_STATE1, L.TENSOR_STATE2];
const SCALE_FIELDS = [L.TENSOR_SCALES0, L.TENSOR_SCALES1];

export class StepTable {
  readonly #runtime: Runtime;
  readonly #options: TableOptions;
  #entries: readonly TableEntry[] = [];
  #address = 0;
  #tensors = 0;
  #groups = 0;
  #blocks = 0;
  #tasks = 0;
  #elementCount = 0;
  #groupCount = 0;

  constructor(runtime: Runtime, options: TableOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  get address(): number {
    return this.#address;
  }

  /** Elements of all unfrozen tensors, padding included. */
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
    this.#blocks = address + size.blocks;
    this.#tasks = address + size.tasks;
    const { u32 } = this.#runtime.memory;
    const header = address >>> 2;
    u32[header + (L.STEP_RULE >>> 2)] = this.#options.rule;
    u32[header + (L.STEP_TENSORS >>> 2)] = this.#tensors;
    u32[header + (L.STEP_TENSOR_COUNT >>> 2)] = entries.length;
    u32[header + (L.STEP_BLOCKS >>> 2)] = this.#blocks;
    u32[header + (L.STEP_TASKS >>> 2)] = this.#tasks;
    u32[header + (L.STEP_PARTIALS >>> 2)] = address + size.partials;
    u32[header + (L.STEP_GLOBAL_NORM >>> 2)] = this.#options.globalNorm ? 1 : 0;
    u32[header + (L.STEP_SCRATCH >>> 2)] = address + size.scratch;
    this.#describeClipping();
    for (const [index, { parameter, states, format, seed, group }] of entries.entries()) {
      const tensor = this.#tensor(index) >>> 2;
      u32[tensor + (L.TENSOR_PARAM >>> 2)] = parameter.value.address;
      u32[tensor + (L.TENSOR_GRAD >>> 2)] = parameter.sparse ? 0 : parameter.grad.address;
      for (const [slot, state] of states.entries()) {
        u32[tensor + (STATE_FIELDS[slot] >>> 2)] = state.address;
        if ('scalesAddress' in state)
          u32[tensor + (SCALE_FIELDS[slot] >>> 2)] = state.scalesAddress;
      }
      u32[tensor + (L.TENSOR_LENGTH >>> 2)] = parameter.value.length;
      u32[tensor + (L.TENSOR_FORMAT >>> 2)] = format;
      u32[tensor + (L.TENSOR_SEED >>> 2)] = seed;
      u32[tensor + (L.TENSOR_GROUP >>> 2)] = this.#group(group);
      this.setCounters(
        index,
        kept[index] ?? {
          step: 0,
          exponent: 0,
          V: this.#options.initialScalar,
          beta1Power: 1,
          beta2Power: 1,
          normMean: 0,
        },
      );
    }
  }

  #describeClipping(): void {
    const { f32, f64, u32 } = this.#runtime.memory;
    const { clipping } = this.#options;
    f32[(this.#address + L.STEP_CLIP_VALUE) >>> 2] = clipping.value;
    u32[(this.#address + L.STEP_CLIP_NORM) >>> 2] = clipping.norm;
    u32[(this.#address + L.STEP_CLIP_GLOBAL) >>> 2] = clipping.global ? 1 : 0;
    f64[(this.#address + L.STEP_CLIP_LIMIT) >>> 3] = clipping.limit;
    f64[(this.#address + L.STEP_NORM_RATIO) >>> 3] = clipping.normRatio;
  }

  /**
   * Lists the blocks of all tensors but sparse ones and those of frozen groups, and gathers them
   * into tasks.
   * @param most elements of every tensor to list, a multiple of UNROLL
   */
  select(isFrozen: (group: number) => boolean, most = Infinity): void {
    const { u32 } = this.#runtime.memory;
    let blockCount = 0;
    let taskCount = 0;
    let inTask = TASK_ELEMENTS;
    this.#elementCount = 0;
    for (const [index, { parameter, group }] of this.#entries.entries()) {
      const tensor = this.#tensor(index);
      const end = parameter.sparse ? 0 : Math.min(most, parameter.value.paddedLength);
      const before = blockCount;
      for (let first = 0; first < end && !isFrozen(group); first += L.BLOCK) {
        const length = Math.min(L.BLOCK, end - first);
        if (inTask + length > TASK_ELEMENTS) {
          u32[(this.#tasks >>> 2) + taskCount++] = blockCount;
          inTask = 0;
        }
        const block = (this.#blocks + L.BLOCK_SIZE * blockCount++) >>> 2;
        u32[block + (L.BLOCK_TENSOR >>> 2)] = tensor;
        u32[block + (L.BLOCK_FIRST >>> 2)] = first;
        u32[block + (L.BLOCK_LENGTH >>> 2)] = length;
        inTask += length;
        this.#elementCount += length;
      }
      u32[(tensor + L.TENSOR_BLOCK_COUNT) >>> 2] = blockCount - before;
    }
    u32[(this.#tasks >>> 2) + taskCount] = blockCount;
    u32[(this.#address + L.STEP_BLOCK_COUNT) >>> 2] = blockCount;
    u32[(this.#address + L.STEP_TASK_COUNT) >>> 2] = taskCount;
  }

  /** Sets one hyperparameter (a GROUP_… field) of a group for the next step. */
  setGroup(group: number, field: number, value: number): void {
    this.#runtime.memory.f64[(this.#group(group) + field) >>> 3] = value;
  }

  /** The group's limit on Σ|g| as the last step had it. */
  normLimit(group: number): number {
    return this.#runtime.memory.f64[(this.#group(group) + L.GROUP_NORM_LIMIT) >>> 3];
  }

  /** What a rule needs to know of a tensor to prepare its next step. */
  readScalars(index: number, scalars: StepScalars): void {
    const { i32, f64 } = this.#runtime.memory;
    const tensor = this.#tensor(index);
    const group = this.#group(this.#entries[index].group);
    scalars.step = i32[(tensor + L.TENSOR_STEP) >>> 2] + 1;
    scalars.beta1Power =
      f64[(tensor + L.TENSOR_BETA1_POWER) >>> 3] * f64[(group + L.GROUP_BETA1) >>> 3];
    scalars.beta2Power =
      f64[(tensor + L.TENSOR_BETA2_POWER) >>> 3] * f64[(group + L.GROUP_BETA2) >>> 3];
    scalars.scalar = f64[(tensor + L.TENSOR_V) >>> 3];
  }

  /** Its constants for that step, and its own scalar after it. */
  writeScalars(index: number, scalars: StepScalars): void {
    const { f32, f64 } = this.#runtime.memory;
    const tensor = this.#tensor(index);
    f32.set(scalars.constants, (tensor + L.TENSOR_CONSTANTS) >>> 2);
    f64[(tensor + L.TENSOR_NEXT_V) >>> 3] = scalars.scalar;
  }

  get status(): number {
    return this.#runtime.memory.i32[(this.#address + L.STEP_STATUS) >>> 2];
  }

  /** Σ|g| over all unfrozen tensors of the last step. */
  get gradNorm(): number {
    return this.#runtime.memory.f64[(this.#address + L.STEP_GRAD_NORM) >>> 3];
  }

  /** Index of the tensor because of which the last step was refused as overflowing. */
  get offender(): number {
    const tensor = this.#runtime.memory.u32[(this.#address + L.STEP_OFFENDER) >>> 2];
    return (tensor - this.#tensors) / L.TENSOR_SIZE;
  }

  counters(index: number): Counters {
    const { i32, f64 } = this.#runtime.memory;
    const tensor = this.#tensor(index);
    return {
      step: i32[(tensor + L.TENSOR_STEP) >>> 2],
      exponent: i32[(tensor + L.TENSOR_EXPONENT) >>> 2],
      V: f64[(tensor + L.TENSOR_V) >>> 3],
      beta1Power: f64[(tensor + L.TENSOR_BETA1_POWER) >>> 3],
      beta2Power: f64[(tensor + L.TENSOR_BETA2_POWER) >>> 3],
      normMean: f64[(tensor + L.TENSOR_NORM_MEAN) >>> 3],
    };
  }

  setCounters(index: number, counters: Counters): void {
    const { i32, f64 } = this.#runtime.memory;
    const tensor = this.#tensor(index);
    i32[(tensor + L.TENSOR_STEP) >>> 2] = counters.step;
    i32[(tensor + L.TENSOR_EXPONENT) >>> 2] = counters.exponent;
    f64[(tensor + L.TENSOR_V) >>> 3] = counters.V;
    f64[(tensor + L.TENSOR_BETA1_POWER) >>> 3] = counters.beta1Power;
    f64[(tensor + L.TENSOR_BETA2_POWER) >>> 3] = counters.beta2Power;
    f64[(tensor + L.TENSOR_NORM_MEAN) >>> 3] = counters.normMean;
  }

  dispose(): void {
    if (this.#address) this.#runtime.arena.release(this.#address);
    this.#address = 0;
  }

  #tensor(index: number): number {
    return this.#tensors + L.TENSOR_SIZE * index;
  }

  #group(index: number): number {
    return this.#groups + L.GROUP_SIZE * index;
  }

  /** Byte offsets of the table's parts, all 64-byte aligned where several threads write. */
  #layout(entries: readonly TableEntry[], groupCount: number) {
    let blockCount = 0;
    for (const { parameter } of entries) {
      if (!parameter.sparse) blockCount += Math.ceil(parameter.value.paddedLength / L.BLOCK);
    }
    const align = (bytes: number) => Math.ceil(bytes / L.ALIGNMENT) * L.ALIGNMENT;
    const tensors = align(L.STEP_SIZE);
    const groups = tensors + L.TENSOR_SIZE * entries.length;
    const blocks = groups + L.GROUP_SIZE * groupCount;
    const tasks = align(blocks + L.BLOCK_SIZE * blockCount);
    const partials = align(tasks + 4 * (blockCount + 1));
    const scratch = align(partials + L.PARTIAL_SIZE * blockCount);
    const staged =
      this.#options.clipping.value > 0 || entries.some(({ format }) => format !== L.FORMAT_F32);
    const end = scratch + (staged ? L.SCRATCH_SIZE * this.#runtime.info.threads : 0);
    return { tensors, groups, blocks, tasks, partials, scratch, end };
  }
}
