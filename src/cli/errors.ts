/** Error messages of the command line: one line, and a stack trace only for internal errors. */
import { constants } from 'node:buffer';
import { AdalError, ArgumentError } from '../index';
import { MissingBenchError } from './bench';

/** Exit codes; 0 is success. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;

/** An invalid value on the command line. */
export class UsageError extends Error {
  constructor(option: string, expected: string, got: string) {
    super(`${option} expected ${expected}, got ${got}`);
  }
}

/** Options of the library, and the command-line options that set them. */
const OPTION_OF: Readonly<Record<string, string>> = {
  threads: '--threads',
  backend: '--backend',
  testFraction: '--test-fraction',
  target: '--target',
  header: '--header',
  batchSize: '--batch-size',
  lr: '--lr',
};

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'expected a file, got a folder',
  ENOTDIR: 'not a folder',
  EEXIST: 'already exists',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many files are open',
  EIO: 'the device could not be read or written',
  EBUSY: 'in use',
};

/** Messages for errors of the engine about sizes. */
const LIMITS: Readonly<Record<string, string>> = {
  ERR_FS_FILE_TOO_LARGE: 'the file is larger than 2 GiB and cannot be read',
  ERR_STRING_TOO_LONG: `the text is longer than ${constants.MAX_STRING_LENGTH} characters`,
};
const NO_MEMORY =
  /^(Array buffer allocation failed|Invalid (typed )?array length|Invalid string length)/;

/** Returns the message and the exit code for an error. Only internal errors have several lines. */
export function explain(error: unknown): {
  message: string;
  exitCode: number;
  isInternal: boolean;
} {
  const expected = explainExpected(error);
  if (expected) return { ...expected, isInternal: false };
  const { stack } = (error ?? {}) as Error;
  return {
    message: `internal error, please report it: ${stack ?? error}`,
    exitCode: EXIT_FAILED,
    isInternal: true,
  };
}

function explainExpected(error: unknown): { message: string; exitCode: number } | null {
  if (error instanceof UsageError) return { message: error.message, exitCode: EXIT_USAGE };
  if (error instanceof ArgumentError) {
    const option = OPTION_OF[error.argument];
    if (option)
      return {
        message: error.message.replace(`"${error.argument}"`, option),
        exitCode: EXIT_USAGE,
      };
  }
  if (error instanceof MissingBenchError) return { message: error.message, exitCode: EXIT_FAILED };
  if (error instanceof AdalError) return { message: error.message, exitCode: EXIT_FAILED };
  const { code, path, syscall, message } = (error ?? {}) as NodeJS.ErrnoException;
  const known = typeof code === 'string' ? FILE_ERRORS[code] : undefined;
  if (typeof path === 'string')
    return { message: `${path}: ${known ?? message}`, exitCode: EXIT_FAILED };
  if (typeof syscall === 'string')
    return { message: `${syscall}: ${known ?? message}`, exitCode: EXIT_FAILED };
  if (typeof code === 'string' && LIMITS[code])
    return { message: LIMITS[code], exitCode: EXIT_FAILED };
  if (error instanceof RangeError && NO_MEMORY.test(message)) {
    return { message: `out of memory (${message})`, exitCode: EXIT_FAILED };
  }
  return null;
}

/** Returns the reason of a file error, without the path. */
export function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  return (typeof code === 'string' && FILE_ERRORS[code]) || message || String(error);
}
