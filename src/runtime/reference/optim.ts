/**
 * The optim module in plain TypeScript: what the kernels must match bit for bit, and the fallback
 * where there is no WASM SIMD. Math.fround after every operation makes f64 arithmetic round as f32
 * does (double rounding of + - × ÷ √ from f64 to f32 is harmless), so the only thing to check by
 * eye is the order of operations.
 *
 * The optimizers' kernels are in optimizers/, one file for each of assembly/optimizers; what
 * encodes compact state is in state/, one file for each of assembly/state.
 */
import {
  BLOCK_RECORD_SIZE,
  BlockRecord,
  GroupRecord,
  MATRIX_RECORD_SIZE,
  MATRIX_WORK_RECORD_SIZE,
  MatrixRecord,
  MatrixWorkRecord,
  PARTIAL_RECORD_SIZE,
  PartialRecord,
  StepRecord,
  TENSOR_RECORD_SCALARS_COUNT,
  TENSOR_RECORD_SIZE,
  TensorRecord,
} from '../../../build/optim-records';
import { REFERENCE_ENCODERS, REFERENCE_KERNELS } from '../../../build/reference-kernels';
import { roundingKey } from '../../math/rounding';
import {
  CLIP_L2,
  CLIP_MAX,
  CLIP_NONE,
  FLUSH_INTERVAL,
  FORMAT_F32,
  OP_MOVE,
  OP_NONE,
  OP_NORM,
  OP_UPDATE,
  STATUS_DONE,
  STATUS_NON_FINITE,
  STATUS_OVERFLOW,
} from '../../memory-layout/constants';
import type { CodedMoment, KernelArrays, OptimKernels, StateDecoder } from '../kernels-optim';
import type { LinearMemory } from '../memory';
import { moveAlongOrthogonalized } from './orthogonalize';

const f = Math.fround;

/** The kernels over one memory. */
export function createReferenceOptim(memory: LinearMemory): OptimKernels {
  const steps = new ReferenceSteps(memory);
  return {
    step: (table) => steps.step(table),
    stepTasks: (op, table, from, to) => steps.tasks(op, table, from, to),
    stepAdvance: (op, table) => steps.advance(op, table),
    defineDecoder: (id, decoder) => steps.decoders.set(id, decoder),
    combine: (out, x, y, n, a, b) =>
      combine(memory.floats(out, n), memory.floats(x, n), memory.floats(y, n), f(a), f(b)),
    gatherRows: (out, table, rows, count, bytes) =>
      eachRow(memory, rows, count, bytes, (from, to, u8) =>
        u8.copyWithin(out + to, table + from, table + from + bytes),
      ),
    scatterRows: (table, x, rows, count, bytes) =>
      eachRow(memory, rows, count, bytes, (to, from, u8) =>
        u8.copyWithin(table + to, x + from, x + from + bytes),
      ),
    halve: (x) => f(x * 0.5),
  };
}

/** out = x - b·(a·x - y). Padding is zero and stays so. */
function combine(out: Float32Array, x: Float32Array, y: Float32Array, a: number, b: number): void {
  for (let i = 0; i < out.length; i++) {
    const v = x[i];
    out[i] = v - f(b * f(f(a * v) - y[i]));
  }
}

/**
 * Calls `copy` with the byte offsets of every listed row, in its table and among those gathered.
 */
function eachRow(
  memory: LinearMemory,
  rows: number,
  count: number,
  bytes: number,
  copy: (inTable: number, gathered: number, u8: Uint8Array) => void,
): void {
  const u8 = new Uint8Array(memory.buffer);
  const indices = memory.words(rows, count);
  for (let i = 0; i < count; i++) copy(indices[i] * bytes, i * bytes, u8);
}

/** What assembly/optimizers/step.ts, norms.ts and update.ts do. */
class ReferenceSteps {
  /** Decoders of state formats by id. */
  readonly decoders = new Map<number, StateDecoder>();
  readonly #memory: LinearMemory;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  step(table: number): void {
    const step = this.#step(table);
    for (let op: number = OP_NORM; op !== OP_NONE; op = this.advance(op, table)) {
      this.tasks(op, table, 0, this.#taskCount(op, step));
    }
  }

  tasks(op: number, table: number, from: number, to: number): void {
    const step = this.#step(table);
    if (op === OP_MOVE) {
      for (let i = from; i < to; i++) this.#moveMatrix(step, i);
      return;
    }
    const block = new BlockRecord(this.#memory);
    const partial = new PartialRecord(this.#memory);
    const tasks = this.#memory.words(step.tasks, to + 1);
    const [start, end] = [tasks[from], tasks[to]];
    for (let i = start; i < end; i++) {
      block.at(step.blocks + i * BLOCK_RECORD_SIZE);
      const tensor = this.#tensor(block.tensor);
      const { first, length } = block;
      if (op === OP_NORM) {
        partial.at(step.partials + i * PARTIAL_RECORD_SIZE);
        this.#measureBlock(step, tensor, first, length, partial);
      } else {
        this.#updateBlock(step, tensor, first, length);
      }
    }
  }

  advance(op: number, table: number): number {
    const step = this.#step(table);
    if (op === OP_NORM) return this.#settle(step) ? OP_UPDATE : OP_NONE;
    if (op !== OP_UPDATE || step.matrices === 0) return OP_NONE;
    step.matrixTaskCount = new MatrixWorkRecord(this.#memory).at(step.matrices).count;
    return OP_MOVE;
  }

  /** The tasks of a phase. */
  #taskCount(op: number, { taskCount, matrixTaskCount }: StepRecord): number {
    return op > OP_UPDATE ? matrixTaskCount : taskCount;
  }

  /** Completes the update of one matrix. */
  #moveMatrix({ matrices }: StepRecord, index: number): void {
    const address = matrices + MATRIX_WORK_RECORD_SIZE + index * MATRIX_RECORD_SIZE;
    const { tensor: at, rows, columns } = new MatrixRecord(this.#memory).at(address);
    const tensor = this.#tensor(at);
    if (tensor.blockCount === 0) return; // frozen
    const direction = this.#floats(tensor.state1, 0, rows * columns);
    const { names } = REFERENCE_KERNELS[this.#group(tensor).kernel];
    moveAlongOrthogonalized({
      rows,
      columns,
      weights: this.#floats(tensor.param, 0, rows * columns),
      direction,
      squares: sumBlock(direction, 0, direction.length, (x) => x * x),
      rate: this.#memory.f32[tensor.constants + names.indexOf('rate')],
    });
  }

  #step(address: number): StepRecord {
    return new StepRecord(this.#memory).at(address);
  }

  #tensor(address: number): TensorRecord {
    return new TensorRecord(this.#memory).at(address);
  }

  #group({ group }: TensorRecord): GroupRecord {
    return new GroupRecord(this.#memory).at(group);
  }

  /** Elements [first, first + length) of an f32 array. */
  #floats(address: number, first: number, length: number): Float32Array {
    return this.#memory.floats(address + 4 * first, length);
  }

  /** A copy of a block's gradient, clamped where the table says so. */
  #gradient(
    { clipValue }: StepRecord,
    { grad }: TensorRecord,
    first: number,
    length: number,
  ): Float32Array {
    const g = this.#floats(grad, first, length).slice();
    if (clipValue === 0) return g;
    return g.map((x) => (x > clipValue ? clipValue : x < -clipValue ? -clipValue : x));
  }

  #measureBlock(
    step: StepRecord,
    tensor: TensorRecord,
    first: number,
    length: number,
    partial: PartialRecord,
  ): void {
    const g = this.#gradient(step, tensor, first, length);
    const { clipNorm } = step;
    partial.sum = absSumBlock(this.#floats(tensor.grad, first, length), 0, length);
    partial.clamped = absSumBlock(g, 0, length);
    partial.clip = partial.clamped;
    if (clipNorm === CLIP_L2) partial.clip = sumBlock(g, 0, length, (x) => x * x);
    else if (clipNorm === CLIP_MAX)
      partial.clip = g.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  }

  /**
   * One block's update: decoded, updated and encoded as a whole, since the order of elements does
   * not matter.
   */
  #updateBlock(step: StepRecord, tensor: TensorRecord, first: number, length: number): void {
    const p = this.#floats(tensor.param, first, length);
    const g = this.#gradient(step, tensor, first, length);
    const s2 = this.#floats(tensor.state2, first, length);
    if (tensor.format === FORMAT_F32) {
      const s0 = this.#floats(tensor.state0, first, length);
      const s1 = this.#floats(tensor.state1, first, length);
      this.#apply(tensor, { p, g, s0, s1, s2 });
      return;
    }
    const decoder = this.decoders.get(tensor.format)!;
    const { buffer } = this.#memory;
    const moments: CodedMoment[] = [
      { buffer, second: false, codes: tensor.state0, scales: tensor.scales0 },
      { buffer, second: true, codes: tensor.state1, scales: tensor.scales1 },
    ];
    const [s0, s1] = moments.map((moment) => {
      const { codes, scales, second } = moment;
      const read = decoder.reader(decoder.view(buffer, codes, scales, first + length), second);
      return Float32Array.from({ length }, (_, i) => read(first + i));
    });
    this.#apply(tensor, { p, g, s0, s1, s2 });
    const encode = REFERENCE_ENCODERS[tensor.format];
    const key = roundingKey(tensor.seed, tensor.step);
    for (const [index, values] of [s0, s1].entries()) {
      // What a kernel leaves in the padding must not count in the last block's scale.
      values.fill(0, Math.max(0, tensor.length - first));
      encode(moments[index], first, values, key);
    }
  }

  /** Runs the kernel over all elements of a block. */
  #apply(tensor: TensorRecord, x: KernelArrays): void {
    const { kernel, names } = REFERENCE_KERNELS[this.#group(tensor).kernel];
    const { f32 } = this.#memory;
    const valueAt = (index: number) => f32[tensor.constants + index];
    const constants = Object.fromEntries(names.map((name, index) => [name, valueAt(index)]));
    const flushes = tensor.flush === 1 && kernel.flush !== undefined;
    for (let i = 0; i < x.p.length; i++) {
      kernel.update(x, i, constants);
      if (flushes) kernel.flush?.(x, i, constants);
    }
  }

  /** Accepts the whole step (true), or none of it. */
  #settle(step: StepRecord): boolean {
    const active: TensorRecord[] = [];
    for (let j = 0; j < step.tensorCount; j++) {
      const tensor = this.#tensor(step.tensors + j * TENSOR_RECORD_SIZE);
      if (tensor.blockCount > 0) active.push(tensor);
    }
    step.gradNorm = this.#sumNorms(step, active);
    if (!Number.isFinite(step.gradNorm)) {
      step.status = STATUS_NON_FINITE;
      return false;
    }
    const total = clipNorms(step, active);
    for (const tensor of active) {
      if (this.#prepare(tensor, tensor.clip * tensor.norm, total)) continue;
      step.status = STATUS_OVERFLOW;
      step.offender = tensor.address;
      return false;
    }
    for (const tensor of active) this.#accept(tensor);
    step.status = STATUS_DONE;
    return true;
  }

  /** The norms of each tensor in block order; returns Σ|g| of all in tensor order. */
  #sumNorms(step: StepRecord, active: readonly TensorRecord[]): number {
    const largest = step.clipNorm === CLIP_MAX;
    const partial = new PartialRecord(this.#memory).at(step.partials);
    let total = 0;
    for (const tensor of active) {
      let sum = 0;
      let clamped = 0;
      let clip = 0;
      for (let left = tensor.blockCount; left > 0; left--) {
        sum += partial.sum;
        clamped += partial.clamped;
        clip = largest ? Math.max(clip, partial.clip) : clip + partial.clip;
        partial.at(partial.address + PARTIAL_RECORD_SIZE);
      }
      tensor.norm = clamped;
      tensor.clip = clip;
      total += sum;
    }
    return total;
  }

  /** Completes a tensor's constants; false refuses the step. */
  #prepare(tensor: TensorRecord, own: number, total: number): boolean {
    const group = this.#group(tensor);
    const { kernel } = REFERENCE_KERNELS[group.kernel];
    if (kernel.prepare) return kernel.prepare(tensor, group, own, total);
    this.#memory.f32[tensor.constants] = tensor.clip;
    return own < group.normLimit;
  }

  /** Advances the tensor's counters to the step that was prepared. */
  #accept(tensor: TensorRecord): void {
    tensor.step++;
    tensor.flush = tensor.step % FLUSH_INTERVAL === 0 ? 1 : 0;
    const { scalars, nextScalars } = tensor;
    const end = nextScalars + TENSOR_RECORD_SCALARS_COUNT;
    this.#memory.f64.copyWithin(scalars, nextScalars, end);
  }
}

/** Replaces each tensor's norm to clip by by the factor r; returns Σ r·S. */
function clipNorms(step: StepRecord, active: readonly TensorRecord[]): number {
  const { clipNorm, clipGlobal, clipLimit } = step;
  const norms = active.map(({ clip }) => clip);
  const all = norms.reduce((a, b) => (clipNorm === CLIP_MAX ? Math.max(a, b) : a + b), 0);
  let total = 0;
  for (const [index, tensor] of active.entries()) {
    const own = clipGlobal === 1 ? all : norms[index];
    const norm = clipNorm === CLIP_L2 ? Math.sqrt(own) : own;
    tensor.clip = clipNorm !== CLIP_NONE && norm > clipLimit ? clipLimit / norm : 1;
    total += tensor.clip * tensor.norm;
  }
  return total;
}

/** Σ|x|. */
export function absSumBlock(x: Float32Array, first: number, length: number): number {
  return sumBlock(x, first, length, Math.abs);
}

/**
 * A sum of terms: that of element i goes to accumulator i mod 16; then the fixed fold of
 * assembly/math/reduce.ts.
 */
function sumBlock(
  x: Float32Array,
  first: number,
  length: number,
  term: (x: number) => number,
): number {
  const a = new Float64Array(16);
  for (let i = 0; i < length; i++) a[i & 15] += term(x[first + i]);
  return foldSixteen(a);
}

/** The sixteen accumulators as eight pairs, added pairwise; then lane 0 + lane 1. */
function foldSixteen(a: Float64Array): number {
  const lane = (j: number) =>
    a[j] + a[j + 2] + (a[j + 4] + a[j + 6]) + (a[j + 8] + a[j + 10] + (a[j + 12] + a[j + 14]));
  return lane(0) + lane(1);
}
