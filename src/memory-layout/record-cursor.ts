/** Windows onto records in linear memory, moved from record to record. */

/** Typed views of the whole of a linear memory, replaced when it grows. */
export interface MemoryViews {
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly u64: BigUint64Array;
}

/**
 * Base of the accessor classes of all records (scripts/generate/records.js). `View` names the
 * views that the fields of the record are read through.
 */
export class RecordCursor<View extends keyof MemoryViews = keyof MemoryViews> {
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

/** A property of a cursor. */
interface Property {
  get(this: RecordCursor): unknown;
  set(this: RecordCursor, value: never): void;
}

// The property of a field at a byte offset, by the view that it is read through. They are written
// out, since engines inline `memory.f64` and not `memory[view]`; a bundle has those that it uses.

export const i32 = (offset: number): Property => ({
  get() {
    return this.memory.i32[(this.address + offset) >>> 2];
  },
  set(value) {
    this.memory.i32[(this.address + offset) >>> 2] = value;
  },
});

export const u32 = (offset: number): Property => ({
  get() {
    return this.memory.u32[(this.address + offset) >>> 2];
  },
  set(value) {
    this.memory.u32[(this.address + offset) >>> 2] = value;
  },
});

export const f32 = (offset: number): Property => ({
  get() {
    return this.memory.f32[(this.address + offset) >>> 2];
  },
  set(value) {
    this.memory.f32[(this.address + offset) >>> 2] = value;
  },
});

export const f64 = (offset: number): Property => ({
  get() {
    return this.memory.f64[(this.address + offset) >>> 3];
  },
  set(value) {
    this.memory.f64[(this.address + offset) >>> 3] = value;
  },
});

// An array: the index of its first element in the view of its type.

export const array32 = (offset: number): Property => ({
  get() {
    return (this.address + offset) >>> 2;
  },
  set() {},
});

export const array64 = (offset: number): Property => ({
  get() {
    return (this.address + offset) >>> 3;
  },
  set() {},
});

/** Creates the accessor class of a record: its properties read and write memory at the cursor. */
export function recordClass<Cursor extends { readonly memory: unknown }>(
  properties: Readonly<Record<string, Property>>,
): new (
  memory: Cursor['memory'],
) => Cursor {
  const Class = class extends RecordCursor {};
  Object.defineProperties(Class.prototype, properties);
  return Class as unknown as new (
    memory: Cursor['memory'],
  ) => Cursor;
}
