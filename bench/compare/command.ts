/** `adal-bench compare a.json b.json`: what changed between two results, beyond their noise. */
import { ArgumentError } from 'adal-wasm';
import { printable } from '../toolkit/printable';
import { compareResults, readResult } from '.';
import { comparisonText } from './text';

/** Options as the command line has them. */
export interface CompareCommandOptions {
  /** Print the comparison as JSON. */
  readonly json?: boolean;
  /** List what did not change as well. */
  readonly all?: boolean;
  /** Return 1 when something changed. */
  readonly failOnChange?: boolean;
  /** Probability that intervals cover the true value, as text. @default '0.95' */
  readonly level?: string;
}

/** Notes for the command's help. */
export const COMPARE_NOTES = `
Both files are results of run, of any tier, or both of the same single
benchmark: step, optimizers, gemm, train or cold-start. They may be gzipped.

Training is compared seed by seed, with a bootstrap interval of the median
difference; the hashes of final weights show whether bits changed. Speeds are
compared by the ratio of medians. A change of speed counts if its interval
excludes 1 and it is larger than 3%, and larger than what plain JavaScript and
the other engines moved by, which shows what the machine did.

Exit codes: 0 compared, 1 failed or, with --fail-on-change, something changed or
is missing in the second file; 2 wrong use.`;

function levelOf(text: string | undefined): number {
  const level = Number(text ?? 0.95);
  if (!(level > 0 && level < 1)) throw new ArgumentError('level', 'a number in (0, 1)', `${text}`);
  return level;
}

/**
 * Compares two result files and prints what changed.
 * @returns the exit code
 * @throws ResultError for files that are no results, or of different benchmarks; ArgumentError for
 * a level out of range; the file system's error for files that cannot be read
 */
export function compare(pathA: string, pathB: string, options: CompareCommandOptions = {}): number {
  const level = levelOf(options.level);
  const comparison = compareResults(
    { name: pathA, result: readResult(pathA) },
    { name: pathB, result: readResult(pathB) },
    { level },
  );
  if (options.json) console.log(JSON.stringify(comparison, null, 2));
  else console.log(printable(comparisonText(comparison, options.all)));
  return options.failOnChange && comparison.changed ? 1 : 0;
}
