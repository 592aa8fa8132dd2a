/**
 * The JSON document from which the page's script draws curves: the only module that the report and
 * its page share.
 */

/** The quantities that curves are drawn of. */
export const CURVE_METRICS = ['trainLoss', 'validationLoss', 'metric'] as const;
export type CurveMetric = (typeof CURVE_METRICS)[number];

/**
 * Over the seeds, at each step: null where half of them or more had diverged, or nothing was
 * recorded.
 */
export interface Band {
  median: (number | null)[];
  /** 10th and 90th percentile. */
  low: (number | null)[];
  high: (number | null)[];
}

export interface CurveSeries {
  /** Of the legend's checkbox that shows and hides it. */
  key: string;
  label: string;
  /** Of colour and dashes. */
  index: number;
  steps: number[];
  /** Null where the speed was not measured. */
  secondsPerStep: number | null;
  bands: Partial<Record<CurveMetric, Band>>;
}

export interface CurveChart {
  /** Of the element that it is drawn in. */
  id: string;
  labels: Partial<Record<CurveMetric, string>>;
  series: CurveSeries[];
}
