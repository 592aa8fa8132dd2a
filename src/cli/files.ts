/** Reading files that were named on the command line. */
import { readFileSync, statSync } from 'node:fs';
import { DataError } from '../index';

/**
 * A file's bytes. (Reading a folder fails without naming it.)
 * @param expected what it should be, for messages
 */
export function readBytes(path: string, expected: string): Uint8Array<ArrayBuffer> {
  if (statSync(path).isDirectory()) throw new DataError(`${path}: expected ${expected}, got a folder`);
  return readFileSync(path);
}

/** A file's text, which must be UTF-8. @param expected what it should be, for messages */
export function readText(path: string, expected: string): string {
  const bytes = readBytes(path, expected);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: expected UTF-8 text of at most 512 MB, got something else`, { cause });
  }
}
