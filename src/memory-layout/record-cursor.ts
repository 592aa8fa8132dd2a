/** A window onto one record in linear memory, moved from record to record. */

/** Typed views of the whole of a linear memory, replaced when it grows. */
export interface MemoryViews {
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u64: BigUint64Array;
}

/**
 * What the generated accessor classes share (scripts/generate/records.js). `View` names the views
 * that the fields of the record are read by.
 */
export abstract class RecordCursor<View extends keyof MemoryViews> {
  readonly memory: Pick<MemoryViews, View>;
  /** Byte address of the record. */
  address = 0;

  constructor(memory: Pick<MemoryViews, View>) {
    this.memory = memory;
  }

  /** Moves the cursor to another record; returns the cursor. */
  at(address: number): this {
    this.address = address;
    return this;
  }
}
