/**
 * FNV-1a, 64 bits, of float32 arrays' little-endian bytes: a fingerprint that needs nothing of its
 * platform.
 */

/** FNV's prime is 2^40 + 0x1b3: products of the state's two halves stay below 2^53. */
const PRIME_LOW = 0x1b3;
const TWO_32 = 2 ** 32;

/** 16 hexadecimal digits over the arrays in order of their names. */
export function hashArrays(arrays: Readonly<Record<string, Float32Array>>): string {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  for (const name of Object.keys(arrays).sort()) {
    const { buffer, byteOffset, byteLength } = arrays[name];
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) {
      low = (low ^ byte) >>> 0;
      const product = low * PRIME_LOW;
      high = (high * PRIME_LOW + Math.floor(product / TWO_32) + low * 256) % TWO_32;
      low = product % TWO_32;
    }
  }
  return [high, low].map((word) => word.toString(16).padStart(8, '0')).join('');
}
