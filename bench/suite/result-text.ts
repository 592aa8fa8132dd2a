/** Reads result files from disk; errors say what is wrong with them. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ResultError } from './validate';

/** What a string of JavaScript holds, about. */
const MOST_BYTES = 512 * 2 ** 20 - 64;
const PIECE = 2 ** 20;

/**
 * Returns a result file's text. A gzipped file is unpacked.
 * @throws ResultError for a folder, a device, more than 512 MB, or bytes that are not UTF-8; the
 * file system's error when it cannot be
 *   read
 */
export function readResultText(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new ResultError(`${path}: expected a result file, got a folder`);
    if (!stat.isFile() && !stat.isFIFO())
      throw new ResultError(`${path}: expected a result file, got a device`);
    if (stat.size > MOST_BYTES) throw tooLarge(path);
    return decode(path, unpack(path, readAll(path, descriptor)));
  } finally {
    closeSync(descriptor);
  }
}

const tooLarge = (path: string): ResultError =>
  new ResultError(`${path}: a result file may have at most 512 MB, this one has more`);

/** In pieces, because a pipe does not tell how much will come. */
function readAll(path: string, descriptor: number): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE);
    const count = readSync(descriptor, piece);
    if (count === 0) return Buffer.concat(pieces, length);
    length += count;
    if (length > MOST_BYTES) throw tooLarge(path);
    pieces.push(piece.subarray(0, count));
  }
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function unpack(path: string, bytes: Buffer): Buffer {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path);
    throw new ResultError(`${path}: a gzipped file that cannot be unpacked`);
  }
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ResultError(`${path}: expected a result file, which is UTF-8 text, got other bytes`);
  }
}
