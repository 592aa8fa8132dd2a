/** Safetensors files made by hand, right or wrong as their header says. */

/** @param data the bytes after the header, or how many zeros */
export function assemble(header: string | Uint8Array, data: Uint8Array | number = 0): Uint8Array {
  const text = Buffer.from(header);
  const rest = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + rest.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(rest, 8 + text.length);
  return bytes;
}

/** The bytes of an array's elements. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
