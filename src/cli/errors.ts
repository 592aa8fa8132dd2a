/** What the command line says when something is wrong: one line, and a stack only for what nobody expected. */
import { AdalError, ArgumentError } from '../index';

/** Exit codes: 0 all well, 1 failed, 2 wrong use, 130 ended by Ctrl-C. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;

/** A value on the command line that makes no sense. */
export class UsageError extends Error {
  constructor(option: string, expected: string, got: string) {
    super(`${option} expected ${expected}, got ${got}`);
  }
}

/** Options of the library that come straight from an option of the command line. */
const OPTION_OF: Readonly<Record<string, string>> = {
  threads: '--threads',
  backend: '--backend',
  testFraction: '--test-fraction',
  target: '--target',
  batchSize: '--batch-size',
};

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'not a folder',
  EEXIST: 'exists already',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  ENAMETOOLONG: 'the name is too long',
};

/** The message for an error, and the exit code that goes with it. */
export function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof UsageError) return { message: error.message, exitCode: EXIT_USAGE };
  if (error instanceof ArgumentError) {
    const option = OPTION_OF[error.argument];
    if (option) return { message: error.message.replace(`"${error.argument}"`, option), exitCode: EXIT_USAGE };
  }
  if (error instanceof AdalError) return { message: error.message, exitCode: EXIT_FAILED };
  const { code, path, message, stack } = error as NodeJS.ErrnoException;
  if (typeof path === 'string') {
    return { message: `${path}: ${(code && FILE_ERRORS[code]) ?? message}`, exitCode: EXIT_FAILED };
  }
  return { message: `internal error, please report it: ${stack ?? error}`, exitCode: EXIT_FAILED };
}
