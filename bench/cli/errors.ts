/** Turns errors into what the command line prints: one line, and a stack for our own bugs alone. */
import { AdalError } from 'adal-wasm';
import { printable } from '../toolkit/printable';

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'not a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
};

/** Returns the message for an error. Only an error that nobody expected has several lines. */
export function explain(error: unknown): string {
  if (error instanceof AdalError) return printable(error.message);
  const { code, path, syscall, message, stack } = (error ?? {}) as NodeJS.ErrnoException;
  const known = (code !== undefined && FILE_ERRORS[code]) || message;
  if (typeof path === 'string') return printable(`${path}: ${known}`);
  if (typeof syscall === 'string') return printable(`${syscall}: ${known}`);
  return `internal error, please report it: ${stack ?? error}`;
}
