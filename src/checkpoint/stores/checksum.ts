/** A 64-bit checksum that detects damaged and incomplete contents. It does not prevent forgery. */

/** Bytes that are viewed as 32-bit words at a time. */
const PIECE_BYTES = 1 << 20;

/**
 * Computes the checksum: two multiply-and-rotate chains with different constants over the
 * little-endian words, finished with the length. Contents may be added in pieces and may exceed
 * 4 GiB.
 */
export class Checksum {
  #a = 0x9e3779b9 | 0;
  #b = 0x7f4a7c15 | 0;
  #length = 0;

  /** Adds bytes. @param bytes the next piece; all but the last have a multiple of 4 bytes */
  add(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#addPiece(bytes.subarray(at, at + PIECE_BYTES));
    }
    this.#length += bytes.length;
    return this;
  }

  /** Returns the checksum as 16 hexadecimal digits. */
  digest(): string {
    const a = finish(this.#a ^ this.#length);
    return hex(a) + hex(finish(this.#b ^ Math.floor(this.#length / 2 ** 32) ^ a));
  }

  #addPiece(piece: Uint8Array): void {
    const { buffer, byteOffset, length } =
      piece.byteOffset % 4 === 0 ? piece : new Uint8Array(piece);
    const words = new Int32Array(buffer, byteOffset, Math.floor(length / 4));
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      a = Math.imul(rotate(a ^ word, 13), 0x85ebca6b);
      b = Math.imul(rotate(b + word, 17), 0xc2b2ae35) ^ a;
    }
    for (let at = 4 * words.length; at < length; at++) {
      a = Math.imul(rotate(a ^ piece[at]!, 13), 0x85ebca6b);
      b = Math.imul(rotate(b + piece[at]!, 17), 0xc2b2ae35) ^ a;
    }
    this.#a = a;
    this.#b = b;
  }
}

/** Returns the checksum of bytes as 16 hexadecimal digits. */
export function checksum(bytes: Uint8Array): string {
  return new Checksum().add(bytes).digest();
}

/** Returns the version of stored bytes: the number of the save, and the checksum. */
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
