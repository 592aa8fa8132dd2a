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

/**
 * The property of a field at a byte offset, by view. Written out for each view, since engines
 * inline `memory.f64` and not `memory[view]`.
 */
const PROPERTIES = {
  i32: (offset: number): Property => ({
    get() {
      return this.memory.i32[(this.address + offset) >>> 2];
    },
    set(value) {
      this.memory.i32[(this.address + offset) >>> 2] = value;
    },
  }),
  u32: (offset: number): Property => ({
    get() {
      return this.memory.u32[(this.address + offset) >>> 2];
    },
    set(value) {
      this.memory.u32[(this.address + offset) >>> 2] = value;
    },
  }),
  f32: (offset: number): Property => ({
    get() {
      return this.memory.f32[(this.address + offset) >>> 2];
    },
    set(value) {
      this.memory.f32[(this.address + offset) >>> 2] = value;
    },
  }),
  f64: (offset: number): Property => ({
    get() {
      return this.memory.f64[(this.address + offset) >>> 3];
    },
    set(value) {
      this.memory.f64[(this.address + offset) >>> 3] = value;
    },
  }),
  /** An array: its address. */
  array: (offset: number): Property => ({
    get() {
      return this.address + offset;
    },
    set() {},
  }),
};

/** Byte offsets of a record's fields by name, by the view that each is read through. */
type Offsets<View extends string> = Readonly<
  Partial<Record<View, Readonly<Record<string, number>>>>
>;

/**
 * Creates the accessor class of a record: its properties read and write memory at the cursor.
 * @param offsets of the fields; those of arrays, whose properties are addresses, are under `array`
 */
export function recordClass<Cursor extends { readonly memory: unknown }>(
  offsets: Offsets<keyof typeof PROPERTIES>,
): new (
  memory: Cursor['memory'],
) => Cursor {
  const Class = class extends RecordCursor {};
  for (const view in offsets) {
    const fields = offsets[view as keyof typeof PROPERTIES] ?? {};
    for (const name in fields) {
      const property = PROPERTIES[view as keyof typeof PROPERTIES](fields[name]);
      Object.defineProperty(Class.prototype, name, property);
    }
  }
  return Class as unknown as new (
    memory: Cursor['memory'],
  ) => Cursor;
}
