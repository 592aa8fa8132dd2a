/** Reading of files named on the command line, with a bound on their size. */
import { constants } from 'node:buffer';
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { DataError } from '../index';
import { formatBytes } from './format';

/** Bytes per call; Node reads less than 2 GiB at once. */
const PIECE_BYTES = 2 ** 28;
/** The longest string of the engine; a UTF-8 character has at least one byte. */
export const MAX_TEXT_BYTES = constants.MAX_STRING_LENGTH;

/**
 * Reads a file of any size that fits into memory.
 *
 * @param expected what the file should be, for messages
 * @param mostBytes the largest size to accept; checked before reading
 * @throws DataError for a folder and for a file that is too large; file errors with the path
 */
export function readBytes(
  path: string,
  expected: string,
  mostBytes = constants.MAX_LENGTH,
): Uint8Array<ArrayBuffer> {
  const stats = statOf(path, expected);
  const most = Math.min(mostBytes, constants.MAX_LENGTH);
  if (stats.isFile() && stats.size > most)
    throw tooLarge(path, expected, most, formatBytes(stats.size));
  return withFile(path, (file) => {
    // The size of a pipe or a device is not known.
    let bytes = new Uint8Array(stats.isFile() ? stats.size : 2 ** 16);
    let used = 0;
    for (;;) {
      if (used === bytes.length) {
        const extra = new Uint8Array(2 ** 16);
        const count = readSync(file, extra, 0, extra.length, null);
        if (count === 0) return bytes;
        if (used + count > most) throw tooLarge(path, expected, most, 'more');
        const larger = new Uint8Array(Math.min(most, Math.max(used + count, 2 * used)));
        larger.set(bytes);
        larger.set(extra.subarray(0, count), used);
        [bytes, used] = [larger, used + count];
      }
      const count = readSync(file, bytes, used, Math.min(PIECE_BYTES, bytes.length - used), null);
      if (count === 0) return bytes.subarray(0, used);
      used += count;
    }
  });
}

/**
 * Reads a file as UTF-8 text.
 *
 * @param expected what the file should be, for messages
 * @param mostBytes see `readBytes`
 */
export function readText(path: string, expected: string, mostBytes = MAX_TEXT_BYTES): string {
  const bytes = readBytes(path, expected, Math.min(mostBytes, MAX_TEXT_BYTES));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: expected ${expected} in UTF-8, got other bytes`, { cause });
  }
}

/** Calls `body` with the descriptor of an open file, and adds the path to its errors. */
export function withFile<T>(path: string, body: (file: number) => T): T {
  const file = openSync(path, 'r');
  try {
    return body(file);
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    if (typeof failure?.syscall === 'string' && failure.path === undefined) failure.path = path;
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Returns the stats of a file. @throws DataError for a folder, naming it */
export function statOf(path: string, expected: string): Stats {
  const stats = statSync(path);
  if (stats.isDirectory()) throw new DataError(`${path}: expected ${expected}, got a folder`);
  return stats;
}

function tooLarge(path: string, expected: string, most: number, got: string): DataError {
  return new DataError(`${path}: expected ${expected} (at most ${formatBytes(most)}), got ${got}`);
}
