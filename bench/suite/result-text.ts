/** Result files on disk: read with a word on what is wrong with them, and replaced whole. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { ResultError } from './validate';

/** What a string of JavaScript holds, about. */
const MOST_BYTES = 512 * 2 ** 20 - 64;
const PIECE = 2 ** 20;

/**
 * A result file's text.
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
    return decode(path, readAll(path, descriptor));
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

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ResultError(`${path}: expected a result file, which is UTF-8 text, got other bytes`);
  }
}

/**
 * Replaces a file's text, whole or not at all: the text is written beside it, and takes its place
 * when it is on the disk. Links are followed, and the file keeps its mode. What is no regular file,
 * such as a pipe, is written to.
 * @throws the file system's error, which names `path`; the former text is left then
 */
export function replaceText(path: string, text: string): void {
  const present = existsSync(path);
  const target = present ? realpathSync(path) : path;
  if (present && !statSync(target).isFile()) {
    writeFileSync(target, text);
    return;
  }
  const temporary = `${target}.${process.pid}-${Math.random().toString(36).slice(2, 8)}.tmp`;
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (present) chmodSync(temporary, statSync(target).mode);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw Object.assign(error as Error, { path });
  }
}
