/** What `adal-bench compare` finds out about two results, A and B. Plain JSON. */
import type { Track } from '../schema/result';
import type { Estimate } from '../toolkit/statistics';

/** One of the two results. */
export interface Side {
  /** File name. */
  readonly name: string;
  /** `suite`, or the name of the single benchmark. */
  readonly benchmark: string;
  readonly date: string;
  /** Version of the library; null where the result does not have it. */
  readonly version: string | null;
  readonly commit: string | null;
}

/** A pair of environments whose figures are compared. */
export interface EnvironmentPair {
  readonly a: string;
  readonly b: string;
  /** Fields that differ. */
  readonly differences: readonly FieldDifference[];
}

export interface FieldDifference {
  readonly field: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** A cell of the study: what is compared seed by seed. */
export interface Cell {
  readonly workload: string;
  readonly optimizer: string;
  readonly track: Track;
  /** Empty on track T0, where each optimizer has its own. */
  readonly schedule: string;
}

/**
 * What a cell's figures allow to be said. `same`: equal for every seed. `undecided`: they differ,
 * but the interval of the difference includes zero, or there are too few seeds for one.
 */
export type StudyVerdict = 'same' | 'better' | 'worse' | 'undecided';

export interface StudyComparison {
  readonly cell: Cell;
  /** Name of the workload's metric. */
  readonly metric: string;
  readonly direction: 'lower' | 'higher';
  /** Seeds that both results have. */
  readonly seeds: number;
  /** Median of the metric over these seeds; null where the runs diverged. */
  readonly a: number | null;
  readonly b: number | null;
  /** Median of the differences B - A by seed. An infinite one stands for a run that diverged. */
  readonly difference: Estimate;
  readonly verdict: StudyVerdict;
  /** Final weights: seeds for which both results have a hash, and those whose hashes differ. */
  readonly hashes: { readonly compared: number; readonly changed: number };
  /** Learning rate, where it differs. */
  readonly lr: { readonly a: number; readonly b: number } | null;
}

/** A fingerprint, or the values of a stream, that differ. */
export interface BitChange {
  readonly label: string;
  readonly a: string;
  readonly b: string;
}

/**
 * What the samples of a speed allow to be said. `within noise`: the interval of the ratio includes
 * 1, or the ratio is within the margin. `unstable`: the machine's own speed changed meanwhile.
 */
export type SpeedVerdict = 'faster' | 'slower' | 'within noise' | 'unstable' | 'too few samples';

export interface SpeedComparison {
  /** Environment in A. */
  readonly environment: string;
  readonly label: string;
  /** Medians, in ns. */
  readonly a: number;
  readonly b: number;
  /** Time in B relative to A: above 1 is slower. */
  readonly ratio: Estimate;
  readonly verdict: SpeedVerdict;
  /** Whether the row does not run the library, and so shows what the machine did. */
  readonly anchor: boolean;
}

/** How far a ratio must be from 1 in an environment, to be more than noise. */
export interface Margin {
  readonly environment: string;
  readonly margin: number;
  /** Median ratio of the rows that do not run the library; null with fewer than three of them. */
  readonly anchors: number | null;
}

export interface Comparison {
  readonly a: Side;
  readonly b: Side;
  /** Probability that an interval covers the true value. */
  readonly level: number;
  /** What a reader must know before the figures. */
  readonly warnings: readonly string[];
  readonly environments: readonly EnvironmentPair[];
  readonly studies: readonly StudyComparison[];
  readonly bits: {
    /** Fingerprints and streams that both results have. */
    readonly compared: number;
    readonly changes: readonly BitChange[];
  };
  readonly margins: readonly Margin[];
  readonly speeds: readonly SpeedComparison[];
  /** What only one of the results has, in words. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  /**
   * Whether a figure, a speed or bits differ beyond noise, or B lacks something that A has.
   * Differences of environments alone are no change.
   */
  readonly changed: boolean;
}
