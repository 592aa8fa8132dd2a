/** The result of bench:train, and the figures that tables are made of. */
import type { SingleEnvironment } from '../toolkit/single-result';
import { type Estimate, median, pairedRatio } from '../toolkit/statistics';
import { ADAL, SHARED } from './labels';
import { operationsOf, type Workload } from './workloads';

/** What one contender did on one workload. */
export interface Measured {
  readonly label: string;
  readonly version: string;
  readonly blas?: object;
  /** Losses of the first steps, by which engines are checked. */
  readonly first: readonly number[];
  /** Wall time per call, ns, by round. */
  readonly ns: number[];
  /** CPU time per call, ns, by round. */
  readonly cpu: number[];
  /** Peak memory of the process. */
  readonly bytes: number;
  readonly unsupported?: undefined;
}

/** A contender that cannot run, with its reason. */
export interface Unsupported {
  readonly label: string;
  readonly unsupported: string;
}

export interface MeasuredWorkload {
  readonly workload: Workload;
  /** Largest relative difference of the engines' first losses; null where they are not compared. */
  readonly apart: number | null;
  readonly results: readonly (Measured | Unsupported)[];
}

/** Multiplications and additions per second of one core, GFLOP/s. */
export interface Peaks {
  readonly narrow: number;
  readonly wide: number;
}

export interface TrainEnvironment extends SingleEnvironment {
  readonly pytorch: string;
  /** Flags of the C programs, or the reason why there are none. */
  readonly compiled: { readonly narrow: string; readonly wide: string };
}

export interface TrainResult {
  readonly environment: TrainEnvironment;
  readonly rounds: number;
  readonly peaks: Peaks | null;
  readonly measured: readonly MeasuredWorkload[];
}

/** Returns what a contender did; undefined where it did not run. */
export const resultOf = ({ results }: MeasuredWorkload, label: string): Measured | undefined =>
  results.find((each): each is Measured => each.label === label && each.unsupported === undefined);

/** Returns the times per call, ns, by round: CPU time of one thread, wall time of several. */
export const timesOf = ({ label, ns, cpu }: Measured): readonly number[] =>
  SHARED.includes(label) ? ns : cpu;

/**
 * Returns the time of a contender relative to a reference, with its 95% interval; null if either
 * did not run.
 */
export function relativeTime(
  entry: MeasuredWorkload,
  label: string,
  reference: string = ADAL,
): Estimate | null {
  const clock = SHARED.includes(label) || SHARED.includes(reference) ? 'ns' : 'cpu';
  const [own, other] = [reference, label].map((name) => resultOf(entry, name)?.[clock]);
  if (!own || !other) return null;
  // Slow ones are timed in fewer rounds.
  const rounds = Math.min(own.length, other.length);
  return pairedRatio(other.slice(0, rounds), own.slice(0, rounds));
}

/** Returns the speed of a contender in GFLOP/s on a product; null where it did not run. */
export function productSpeed(entry: MeasuredWorkload, label: string): number | null {
  const result = resultOf(entry, label);
  if (entry.workload.kind !== 'gemm' || !result) return null;
  return operationsOf(entry.workload) / median(timesOf(result));
}
