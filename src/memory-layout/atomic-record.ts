/** Accessors of records that several threads read and write. */
import { RecordCursor } from './record-cursor';

/** Byte offsets of a record's fields by name, by the view that each is read through. */
type Offsets = Readonly<
  Partial<Record<'i32' | 'u32' | 'u64' | 'array8' | 'array32', Readonly<Record<string, number>>>>
>;

/**
 * Creates the accessor class of a record whose fields are read and written atomically. Each field
 * has its index in its view as a property `<field>Index` as well, for waiting and notifying.
 * @param offsets of the fields; those of arrays, whose properties are the indices of their first
 * elements, are under `array8` and `array32`
 */
export function atomicRecordClass<Cursor extends { readonly memory: unknown }>({
  array8 = {},
  array32 = {},
  ...views
}: Offsets): new (
  memory: Cursor['memory'],
) => Cursor {
  const Class = class extends RecordCursor {};
  const define = (
    name: string,
    get: (cursor: RecordCursor) => unknown,
    set?: (cursor: RecordCursor, value: never) => void,
  ) =>
    Object.defineProperty(Class.prototype, name, {
      get(this: RecordCursor) {
        return get(this);
      },
      set(this: RecordCursor, value: never) {
        set?.(this, value);
      },
    });
  for (const [name, offset] of Object.entries(array8))
    define(name, ({ address }) => address + offset);
  for (const [name, offset] of Object.entries(array32))
    define(name, ({ address }) => (address + offset) >>> 2);
  for (const [view, fields] of Object.entries(views)) {
    const shift = view === 'u64' ? 3 : 2;
    const viewOf = ({ memory }: RecordCursor) => memory[view as 'i32'];
    for (const [name, offset] of Object.entries(fields)) {
      const indexOf = ({ address }: RecordCursor) => (address + offset) >>> shift;
      define(`${name}Index`, indexOf);
      define(
        name,
        (cursor) => Atomics.load(viewOf(cursor), indexOf(cursor)),
        (cursor, value) => Atomics.store(viewOf(cursor), indexOf(cursor), value),
      );
    }
  }
  return Class as unknown as new (
    memory: Cursor['memory'],
  ) => Cursor;
}
