/** Writes IDX files for tests: an encoder independent of the reader. */

/** The bytes of an IDX file; every element takes `byteCount` bytes, written by `put`. */
export function idxFile(
  type: number,
  shape: number[],
  byteCount: number,
  put: (view: DataView, offset: number) => void,
): Uint8Array {
  const offset = 4 + 4 * shape.length;
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(offset + count * byteCount);
  const view = new DataView(bytes.buffer);
  view.setUint8(2, type);
  view.setUint8(3, shape.length);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  put(view, offset);
  return bytes;
}

/** An IDX file of unsigned bytes. */
export function idxBytes(shape: number[], elements: ArrayLike<number>): Uint8Array {
  return idxFile(8, shape, 1, (view, offset) => {
    for (let i = 0; i < elements.length; i++) view.setUint8(offset + i, elements[i]!);
  });
}

/** Only a header: for sizes that no file could hold. */
export function idxHeader(type: number, shape: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(2, type);
  view.setUint8(3, shape.length);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  return bytes;
}
