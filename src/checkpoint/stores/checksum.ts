/** A 64-bit checksum that tells damaged and half-written content. No protection against forgery. */

/**
 * Two multiply-and-rotate chains over the little-endian words, of unlike constants, closed with the length.
 * @returns 16 hexadecimal digits
 */
export function checksum(bytes: Uint8Array): string {
  let a = 0x9e3779b9 | 0;
  let b = 0x7f4a7c15 | 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    const word = view.getInt32(at, true);
    a = Math.imul(rotate(a ^ word, 13), 0x85ebca6b);
    b = Math.imul(rotate(b + word, 17), 0xc2b2ae35) ^ a;
  }
  for (let at = whole; at < bytes.length; at++) {
    a = Math.imul(rotate(a ^ bytes[at]!, 13), 0x85ebca6b);
    b = Math.imul(rotate(b + bytes[at]!, 17), 0xc2b2ae35) ^ a;
  }
  a = finish(a ^ bytes.length);
  b = finish(b ^ Math.floor(bytes.length / 2 ** 32) ^ a);
  return hex(a) + hex(b);
}

/** The version of stored content: where it stands in the order of saves, and its checksum. */
export function versionOf(sequence: number, sum: string): string {
  return `${sequence}-${sum}`;
}

function rotate(x: number, count: number): number {
  return (x << count) | (x >>> (32 - count));
}

function finish(x: number): number {
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return x ^ (x >>> 15);
}

function hex(x: number): string {
  return (x >>> 0).toString(16).padStart(8, '0');
}
