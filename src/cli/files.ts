/** Reading files that were named on the command line. */
import { readFileSync, statSync } from 'node:fs';
import { DataError } from '../index';

/**
 * A file's bytes. (Reading a folder fails without naming it.)
 * @param expected what it should be, for messages
 */
export function readBytes(path: string, expected: string): Uint8Array {
  if (statSync(path).isDirectory()) throw new DataError(`${path}: expected ${expected}, got a folder`);
  return readFileSync(path);
}
