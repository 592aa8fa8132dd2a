/**
 * Copies of arguments that their owner, or another thread, could change between check and use.
 */

/** Deeper data is no state dict. */
const MAX_DEPTH = 12;

/**
 * A copy of plain data whose getters have run once, and whose arrays no other thread can write:
 * typed arrays over a SharedArrayBuffer are copied, others are kept, since only code of this thread
 * could change them.
 */
export function snapshot(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (ArrayBuffer.isView(value)) return isShared(value) ? (value as Float32Array).slice() : value;
  if (Array.isArray(value)) return Array.from(value, (item: unknown) => snapshot(item, depth + 1));
  // Own properties whatever their names, `__proto__` included.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, snapshot(item, depth + 1)]),
  );
}

function isShared({ buffer }: ArrayBufferView): boolean {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
}
