/**
 * The native yardstick: the scaled rule's inner loop as a C program, where a compiler and its
 * source are present. It shows how far WebAssembly is from the machine, and is not part of the
 * package.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { benchPath } from '../toolkit/bench-folder';
import { createCFolder } from '../toolkit/c-program';

const SOURCE = '../../shared/native/adal.c';
const FLAGS = ['-O3', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=off'];
/** Flags of the widest vectors of this CPU, and of the 128 bits that WebAssembly has. */
const WIDTHS = { native: '-march=native', native128: '-msse4.2' };

/** Times of one size, ns per parameter. */
export interface NativeRow {
  readonly n: number;
  readonly norm: number;
  readonly update: number;
  readonly step: number;
  readonly triad: number;
}

export interface NativeStep {
  /** Functions that run the program in each width; missing where it cannot be compiled. */
  readonly runs?: Readonly<Record<string, () => NativeRow[]>>;
  /** Reason why there are no programs. */
  readonly reason?: string;
  /** Deletes the programs. */
  remove(): void;
}

/** Compiles the yardstick in both widths. */
export function compileNativeStep(): NativeStep {
  const source = benchPath(SOURCE);
  if (!existsSync(source))
    return { reason: 'its source is not beside the project', remove: () => {} };
  const { compile, remove } = createCFolder();
  const runs: Record<string, () => NativeRow[]> = {};
  for (const [name, flag] of Object.entries(WIDTHS)) {
    const { program, reason } = compile(source, name, [...FLAGS, flag]);
    if (program === undefined) return { reason, remove };
    runs[name] = () =>
      execFileSync(program, { encoding: 'utf8' })
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as NativeRow);
  }
  return { runs, remove };
}
