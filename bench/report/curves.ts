/**
 * Curves of the final runs: the median and the 10–90% band over the seeds, at each recorded step.
 */
import type { Curve, Run, Workload } from '../schema/result';
import { median, quantile } from '../toolkit/statistics';
import {
  type Band,
  CURVE_METRICS,
  type CurveChart,
  type CurveMetric,
  type CurveSeries,
} from './curve-data';
import { firstBy, keyOfNames } from './group';
import type { Condition, Study } from './study';

/** What a screen can show, and a file should hold. */
export const MOST_POINTS = 500;

/** At most `MOST_POINTS` indices of `count`, evenly spread, both ends among them. */
export function thin(count: number): number[] {
  if (count <= MOST_POINTS) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: MOST_POINTS }, (_, i) =>
    Math.round((i * (count - 1)) / (MOST_POINTS - 1)),
  );
}

const FIELDS: Record<CurveMetric, keyof Omit<Curve, 'steps'>> = {
  trainLoss: 'trainLoss',
  validationLoss: 'validationLoss',
  metric: 'validationMetric',
};

/** Loss after divergence is the worst there is; accuracy, the least. */
const FAILED: Record<CurveMetric, number> = {
  trainLoss: Infinity,
  validationLoss: Infinity,
  metric: -Infinity,
};

/** The values of one curve by step. */
function valuesByStep({ curve }: Run, metric: CurveMetric): Map<number, number> {
  const values = new Map<number, number>();
  for (const [i, step] of curve!.steps.entries()) {
    const value = curve![FIELDS[metric]]?.[i];
    if (value !== null && value !== undefined) values.set(step, value);
  }
  return values;
}

/** Significant digits of what is drawn: beyond a screen's resolution, and half the file. */
const DIGITS = 4;
const drawable = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : null;

/** Null when no run recorded the metric. */
function bandOf(runs: readonly Run[], steps: readonly number[], metric: CurveMetric): Band | null {
  const places = new Map(steps.map((step, place) => [step, place]));
  const columns = steps.map((): number[] => []);
  let found = false;
  for (const run of runs) {
    const values = valuesByStep(run, metric);
    found ||= values.size > 0;
    for (const [step, value] of values) {
      const place = places.get(step);
      if (place !== undefined) columns[place]!.push(value);
    }
    if (run.divergedStep === null) continue;
    for (const [place, step] of steps.entries()) {
      if (step >= run.divergedStep && !values.has(step)) columns[place]!.push(FAILED[metric]);
    }
  }
  if (!found) return null;
  const band: Band = { median: [], low: [], high: [] };
  for (const values of columns) {
    band.median.push(values.length ? drawable(median(values)) : null);
    band.low.push(values.length ? drawable(quantile(values, 0.1)) : null);
    band.high.push(values.length ? drawable(quantile(values, 0.9)) : null);
  }
  return band;
}

const speeds = new WeakMap<Study, Map<string, number>>();

/** Seconds a training step takes on the first runtime that measured it alone on its machine. */
export function secondsPerStep(study: Study, workload: string, optimizer: string): number | null {
  let known = speeds.get(study);
  if (!known) {
    const measured = study.result.training.speed.filter(
      ({ status, secondsPerStep: samples }) => status === 'ok' && samples.length > 0,
    );
    const firsts = firstBy(measured, (each) => keyOfNames(each.workload, each.optimizer));
    known = new Map([...firsts].map(([key, each]) => [key, median(each.secondsPerStep)]));
    speeds.set(study, known);
  }
  return known.get(keyOfNames(workload, optimizer)) ?? null;
}

function seriesOf(
  study: Study,
  workload: Workload,
  optimizer: string,
  condition: Condition,
): CurveSeries | null {
  const runs = study.runs(workload.id, optimizer, condition).filter(({ curve }) => curve !== null);
  const recorded = [...new Set(runs.flatMap(({ curve }) => curve!.steps))].sort((a, b) => a - b);
  const steps = thin(recorded.length).map((i) => recorded[i]!);
  const bands: CurveSeries['bands'] = {};
  for (const metric of CURVE_METRICS) {
    const band = bandOf(runs, steps, metric);
    if (band) bands[metric] = band;
  }
  if (Object.keys(bands).length === 0) return null;
  return {
    key: optimizer,
    label: study.label(optimizer),
    index: study.index(optimizer),
    steps,
    secondsPerStep: secondsPerStep(study, workload.id, optimizer),
    bands,
  };
}

/** The curves of one workload; null when none were kept. */
export function curveChart(
  study: Study,
  workload: Workload,
  condition: Condition,
): CurveChart | null {
  const series = study.result.optimizers
    .map(({ id }) => seriesOf(study, workload, id, condition))
    .filter((each) => each !== null);
  if (series.length === 0) return null;
  const labels = {
    trainLoss: 'train loss',
    validationLoss: 'validation loss',
    metric: 'validation metric',
  };
  return { id: `${workload.id} ${condition.track} ${condition.schedule}`, labels, series };
}
