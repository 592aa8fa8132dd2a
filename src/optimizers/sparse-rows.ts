/**
 * The rows of a sparse parameter that a step touches: gathered into tensors of their own, which an
 * ordinary step updates, and written back.
 *
 * Invariant: rows that are not touched are neither read nor written; a refused step writes back
 * nothing.
 */

import { pow2 } from '../math/exponent';
import { STATUS_DONE, UNROLL } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { checkFloats, Parameter } from '../tensors/parameter';
import { Tensor } from '../tensors/tensor';
import { fail } from '../validate';
import { CompactTensor, type StateTensor } from './state-formats';
import { type Counters, StepTable, type TableEntry, type TableOptions } from './step-table';

/** Row indices: integers. */
export type RowIndices = ArrayLike<number>;

/** Rows that fit before the first growth. */
const FIRST_CAPACITY = 16;
/**
 * The largest exponent by which the scale of a row is raised: v' is raised by twice as much, and is
 * below 2^97. Only a row that was last touched when gradient norms were 64 times as large reaches
 * it; both of its moments then count as smaller, at the same ratio.
 */
const MAX_RISE = 12;

/** Room for rows, and the step table over it. */
interface Room {
  readonly capacity: number;
  /** Address of their indices, u32. */
  readonly indices: number;
  readonly parameter: Parameter;
  readonly states: readonly StateTensor[];
  readonly table: StepTable;
}

export class SparseRows {
  /** The exponent of every row's state, where the state is scaled; else null. */
  readonly exponents: Int16Array | null;
  readonly rowCount: number;
  /** Elements of a row. */
  readonly rowLength: number;
  readonly #runtime: Runtime;
  readonly #entry: TableEntry;
  /** Index of the scalar that scales the state; -1 where it is not scaled. */
  readonly #scale: number;
  readonly #options: TableOptions;
  #room: Room | null = null;
  #count = 0;

  /** @param scale index of the scalar that scales the state; -1 where it is not scaled */
  constructor(runtime: Runtime, entry: TableEntry, options: TableOptions, scale: number) {
    const { shape, length } = entry.parameter.value;
    this.#runtime = runtime;
    this.#entry = entry;
    this.#scale = scale;
    this.#options = options;
    this.rowCount = shape[0];
    this.rowLength = length / shape[0];
    this.exponents = scale >= 0 ? new Int16Array(this.rowCount) : null;
  }

  /** Bytes of linear memory that gathering takes. */
  get byteLength(): number {
    if (!this.#room) return 0;
    const { capacity, parameter, states, table } = this.#room;
    const tensors = [parameter.value, parameter.grad, ...states];
    return tensors.reduce(
      (sum, { byteLength }) => sum + byteLength,
      4 * capacity + table.byteLength,
    );
  }

  /** The table of the step over the gathered rows; its one group has index 0. */
  get table(): StepTable {
    return this.#room!.table;
  }

  /** The gradient of the gathered rows. */
  get gradient(): Float32Array {
    return this.#room!.parameter.grad.data.subarray(0, this.#count * this.rowLength);
  }

  /**
   * Reads every index once, and checks indices and gradients.
   * @returns a copy of the indices in their order
   * @throws ArgumentError
   */
  checkArguments(rowIndices: RowIndices, grads: Float32Array): Uint32Array {
    const count: unknown =
      typeof rowIndices === 'object' && rowIndices !== null ? rowIndices.length : 0;
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) {
      fail('rowIndices', 'an array of at least one row index', rowIndices);
    }
    checkFloats('grads', grads, this.#runtime, count * this.rowLength);
    return this.#copyIndices(rowIndices, count);
  }

  /**
   * Gathers rows, sums their gradients, and makes the table ready for a step.
   * @param rowIndices indices that were checked
   * @param grads one row of gradients for every index; rows of the same index are added in their
   * order
   * @throws ArgumentError, OutOfMemoryError; nothing has changed then
   */
  gather(rowIndices: Uint32Array, grads: Float32Array, counters: Counters): void {
    // Once more: a callback that ran since may have resized or transferred their buffer.
    checkFloats('grads', grads, this.#runtime, rowIndices.length * this.rowLength);
    const rows = uniqueRows(rowIndices);
    this.#reserve(rows.length);
    this.#count = rows.length;
    const { indices, parameter, states, table } = this.#room!;
    const { memory, kernels } = this.#runtime;
    memory.words(indices, rows.length).set(rows);
    for (const [from, to, bytes] of this.#pairs(parameter, states)) {
      kernels.gatherRows(to, from, indices, rows.length, bytes);
      new Uint8Array(
        memory.buffer,
        to + rows.length * bytes,
        this.#padding * (bytes / this.rowLength),
      ).fill(0);
    }
    this.#sumGradients(rowIndices, grads, rows);
    if (this.#scale >= 0) this.#rescale(rows, counters.scalars[this.#scale]);
    table.setCounters(0, counters);
    table.select(nothingFrozen, rows.length * this.rowLength + this.#padding);
  }

  /** Writes the rows back, if the step was accepted. */
  scatter(): void {
    const { indices, parameter, states, table } = this.#room!;
    if (table.status !== STATUS_DONE) return;
    const { memory, kernels } = this.#runtime;
    for (const [to, from, bytes] of this.#pairs(parameter, states)) {
      kernels.scatterRows(to, from, indices, this.#count, bytes);
    }
    if (!this.exponents) return;
    const exponent = table.counters(0).scalars[this.#scale];
    for (const row of memory.words(indices, this.#count)) this.exponents[row] = exponent;
  }

  dispose(): void {
    if (this.#room) release(this.#runtime, this.#room);
    this.#room = null;
  }

  /** Elements between the gathered rows' end and the end of the kernels' last turn. */
  get #padding(): number {
    return -(this.#count * this.rowLength) & (UNROLL - 1);
  }

  /**
   * Lists the parameter and its states: address, address of the gathered rows, bytes of a row.
   */
  #pairs(
    parameter: Parameter,
    states: readonly StateTensor[],
  ): [own: number, gathered: number, rowBytes: number][] {
    const pairs: [number, number, number][] = [
      [this.#entry.parameter.value.address, parameter.value.address, 4 * this.rowLength],
    ];
    for (const [index, state] of states.entries()) {
      const size = state instanceof CompactTensor ? state.codec.codeBytes(1) : 4;
      pairs.push([this.#entry.states[index].address, state.address, size * this.rowLength]);
    }
    return pairs;
  }

  /** Checks indices and copies them, so that later changes by the caller have no effect. */
  #copyIndices(rowIndices: RowIndices, count: number): Uint32Array {
    const indices = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const row: unknown = rowIndices[i];
      if (typeof row !== 'number' || !Number.isInteger(row) || row < 0 || row >= this.rowCount) {
        fail(`rowIndices[${i}]`, `an integer in [0, ${this.rowCount - 1}]`, row);
      }
      indices[i] = row;
    }
    return indices;
  }

  /** Makes room for `count` rows. */
  #reserve(count: number): void {
    const known = this.#room?.capacity ?? 0;
    if (count <= known) return;
    const room = this.#makeRoom(
      Math.min(this.rowCount, Math.max(FIRST_CAPACITY, 2 ** (32 - Math.clz32(count - 1)))),
    );
    if (this.#room) release(this.#runtime, this.#room);
    this.#room = room;
  }

  #makeRoom(capacity: number): Room {
    const runtime = this.#runtime;
    const { format, seed } = this.#entry;
    const shape = [capacity * this.rowLength];
    const made: { dispose(): void }[] = [];
    const keep = <T extends { dispose(): void }>(item: T): T => {
      made.push(item);
      return item;
    };
    try {
      const parameter = keep(new Parameter(runtime, shape));
      const states = this.#entry.states.map((state) =>
        keep(
          state instanceof CompactTensor
            ? new CompactTensor(runtime, state.codec.layout.name, shape[0])
            : new Tensor(runtime, shape),
        ),
      );
      const table = keep(new StepTable(runtime, this.#options));
      table.describe([{ parameter, states, format, seed, columns: 0, group: 0 }], 1);
      return { capacity, indices: runtime.arena.allocate(4 * capacity), parameter, states, table };
    } catch (error) {
      for (const item of made) item.dispose();
      throw error;
    }
  }

  #sumGradients(rowIndices: Uint32Array, grads: Float32Array, rows: Uint32Array): void {
    const { rowLength } = this;
    const length = rows.length * rowLength;
    const { address } = this.#room!.parameter.grad;
    const sums = this.#runtime.memory.floats(address, length + this.#padding);
    // -0 + x has the bits of x for every x; 0 + -0 would be 0.
    sums.fill(-0, 0, length).fill(0, length);
    for (let i = 0; i < rowIndices.length; i++) {
      const to = indexOf(rows, rowIndices[i]) * rowLength;
      const from = i * rowLength;
      for (let k = 0; k < rowLength; k++) sums[to + k] += grads[from + k];
    }
  }

  /** Scales the gathered moments to the tensor's exponent, by exact powers of two. */
  #rescale(rows: Uint32Array, exponent: number): void {
    if (!this.exponents) return;
    const { states } = this.#room!;
    for (let i = 0; i < rows.length; i++) {
      const rise = Math.min(this.exponents[rows[i]] - exponent, MAX_RISE);
      if (rise === 0) continue;
      for (let k = 0; k < 2; k++)
        scale(states[k], i * this.rowLength, this.rowLength, pow2(Math.max((k + 1) * rise, -300)));
    }
  }
}

const nothingFrozen = () => false;

function release(runtime: Runtime, { indices, parameter, states, table }: Room): void {
  runtime.arena.release(indices);
  parameter.dispose();
  for (const state of states) state.dispose();
  table.dispose();
}

/** Returns the distinct rows in ascending order. */
function uniqueRows(rowIndices: Uint32Array): Uint32Array {
  const rows = rowIndices.slice().sort();
  let count = 1;
  for (let i = 1; i < rows.length; i++) if (rows[i] !== rows[i - 1]) rows[count++] = rows[i];
  return rows.subarray(0, count);
}

/** Returns the index of `row` among ascending `rows`, which contain it. */
function indexOf(rows: Uint32Array, row: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Multiplies elements of a moment by a power of two. */
function scale(state: StateTensor, first: number, count: number, factor: number): void {
  if (state instanceof CompactTensor) {
    state.codec.scale?.(state.data, first, count, factor);
    return;
  }
  const { data } = state;
  for (let i = first; i < first + count; i++) data[i] *= factor;
}
