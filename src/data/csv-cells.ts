/** The numbers of a CSV file while it is read, and statistics of its columns. */

/** Cells per block of rows; wider rows have blocks of one row. */
const BLOCK_CELLS = 65536;

/**
 * A growing list of rows of doubles, which never copies the rows it has. One row may be put before
 * all others at the end: the first record, once it is clear that it is not a header.
 */
export class CsvCells {
  /** Numbers per row. */
  readonly width: number;
  readonly #blocks: Float64Array[] = [];
  #blockRows = 0;
  /** Number of rows in the last block. */
  #lastRows = 0;
  #first: Float64Array | undefined;
  #rowCount = 0;

  constructor(width: number) {
    this.width = width;
  }

  /** Number of rows, without the one put before them. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Adds a row. */
  add(row: Float64Array): void {
    let block = this.#blocks.at(-1);
    if (!block || this.#lastRows === this.#blockRows) {
      const cells = Math.min(BLOCK_CELLS, Math.max(1024, this.#rowCount * this.width));
      this.#blockRows = Math.max(1, Math.floor(cells / Math.max(1, this.width)));
      block = new Float64Array(this.#blockRows * this.width);
      this.#blocks.push(block);
      this.#lastRows = 0;
    }
    block.set(row, this.#lastRows * this.width);
    this.#lastRows++;
    this.#rowCount++;
  }

  /** Puts a row before all others. */
  putFirst(row: Float64Array): void {
    this.#first = row;
  }

  /** Calls `visit` with each value of a column, from the first row to the last. */
  visit(column: number, visit: (x: number, row: number) => void): void {
    let row = 0;
    if (this.#first) visit(this.#first[column]!, row++);
    for (const block of this.#blocks) {
      const rows = block === this.#blocks.at(-1) ? this.#lastRows : block.length / this.width;
      for (let i = 0; i < rows; i++) visit(block[i * this.width + column]!, row++);
    }
  }

  /** Returns the first `columns` columns, rounded to float32, row-major. */
  toFloat32(columns: number): Float32Array<ArrayBuffer> {
    const { width } = this;
    const values = new Float32Array((this.#rowCount + (this.#first ? 1 : 0)) * columns);
    let to = 0;
    const copy = (rows: Float64Array, count: number) => {
      for (let i = 0; i < count; i++)
        for (let j = 0; j < columns; j++) values[to++] = rows[i * width + j]!;
    };
    if (this.#first) copy(this.#first, 1);
    for (const block of this.#blocks)
      copy(block, block === this.#blocks.at(-1) ? this.#lastRows : block.length / width);
    return values;
  }
}

/** Effect of float32 rounding on a column. */
export interface Rounding {
  /** Smallest value. */
  readonly low: number;
  /** Largest value. */
  readonly high: number;
  /** Largest rounding error of a value. */
  readonly error: number;
  /** Number of rows whose value differs from that of the row before. */
  readonly changes: number;
  /** Number of those rows whose value no longer differs in float32. */
  readonly vanished: number;
}

/** Values whose relative difference is below this differ only by earlier rounding. */
const NOISE = 2 ** -48;
/** float32 is too coarse if rounding moves a value by more than this part of the range. */
const BLURRED = 2 ** -20;

/** Measures the effect of float32 rounding on a column. */
export function roundingOf(cells: CsvCells, column: number): Rounding {
  let [low, high, error, changes, vanished, before] = [Infinity, -Infinity, 0, 0, 0, Number.NaN];
  cells.visit(column, (x, row) => {
    const rounded = Math.fround(x);
    if (x < low) low = x;
    if (x > high) high = x;
    error = Math.max(error, Math.abs(rounded - x));
    if (row > 0 && Math.abs(x - before) > NOISE * Math.max(Math.abs(x), Math.abs(before))) {
      changes++;
      if (rounded === Math.fround(before)) vanished++;
    }
    before = x;
  });
  return { low, high, error, changes, vanished };
}

/** Tells whether float32 is too coarse for a column, so that it must be kept in float64. */
export function isBlurred({ low, high, error, changes, vanished }: Rounding): boolean {
  const range = high - low;
  if (range <= NOISE * Math.max(Math.abs(low), Math.abs(high))) return false;
  return error > BLURRED * range || 2 * vanished > changes;
}
