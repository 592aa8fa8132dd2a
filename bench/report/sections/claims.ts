/**
 * The claims of the AdaL paper's abstract, each with our measurements under the conditions of the
 * comparisons listed beforehand. The claims are paraphrased: the body of the paper has not been
 * read, and the rule is the one restated elsewhere.
 */
import type { Curve, ListedComparison, Run, Stream, Workload } from '../../schema/result';
import { type Estimate, estimateMedian, median, verdictOf } from '../../toolkit/statistics';
import { linesChart } from '../charts/lines';
import { legend, MOST_FIGURES } from '../charts/series';
import { formatEstimate, formatExact, formatNumber, formatRatio, NONE } from '../format';
import { groupBy } from '../group';
import { type Html, html } from '../html';
import type { Part, Section } from '../section';
import { differenceOf, pairBySeed, ratioOf, type Study, toneOf } from '../study';
import type { Cell, Column, Tone } from '../table';
import { findingOf } from './comparisons';

/** Parts of a run that count as early and as late. */
const EARLY = 0.1;
const LATE = 0.8;

type Losses = { steps: readonly number[]; values: readonly number[] };

/** The recorded losses of a part of a run: train loss, which every workload has. */
function lossesWithin({ curve, steps }: Run, from: number, to: number): Losses {
  const found = { steps: [] as number[], values: [] as number[] };
  for (const [i, step] of (curve as Curve).steps.entries()) {
    const value = (curve as Curve).trainLoss?.[i];
    if (step < from * steps || step > to * steps || value === null || value === undefined) continue;
    found.steps.push(step);
    found.values.push(value);
  }
  return found;
}

/** The last train loss within the first tenth of the run. */
export function earlyLoss(run: Run): number | null {
  if (run.curve === null) return null;
  return lossesWithin(run, 0, EARLY).values.at(-1) ?? null;
}

/**
 * Median size of the change from one recorded train loss to the next in the last fifth: 0 is a
 * standstill.
 */
export function lateUnrest(run: Run): number | null {
  if (run.curve === null) return null;
  if (run.diverged) return Infinity;
  const { values } = lossesWithin(run, LATE, 1);
  if (values.length < 3) return null;
  return median(values.slice(1).map((value, i) => Math.abs(value - values[i]!)));
}

/** Test loss minus train loss at the end: what was learnt and does not hold elsewhere. */
export function generalisationGap({ final, diverged }: Run): number | null {
  if (diverged) return Infinity;
  return final.testLoss === null || final.trainLoss === null
    ? null
    : final.testLoss - final.trainLoss;
}

interface Pairing {
  listed: ListedComparison;
  workload: Workload;
  a: readonly Run[];
  b: readonly Run[];
}

function pairingsOf(study: Study): Pairing[] {
  return study.result.comparisons.flatMap((listed) => {
    const workloads = study.workloadsOf(listed);
    return workloads.map((workload) => {
      const [a, b] = [
        study.runs(workload.id, listed.a, listed),
        study.runs(workload.id, listed.b, listed),
      ];
      return { listed, workload, a, b };
    });
  });
}

const COLUMNS: Column[] = [
  { label: 'comparison' },
  { label: 'workload' },
  { label: 'first', align: 'right' },
  { label: 'second', align: 'right' },
  { label: 'first against second', align: 'right' },
  { label: 'seeds', align: 'right' },
  { label: 'the first is' },
];

interface Measure {
  figure: (run: Run, workload: Workload) => number | null;
  better: 'lower' | 'higher';
  /** How pairs are compared: by ratio, or by difference where a figure may be zero or negative. */
  by: 'ratio' | 'difference';
}

function compareBy(
  a: readonly number[],
  b: readonly number[],
  { by, better }: Measure,
): { estimate: Estimate; text: string; tone: Tone } {
  if (by === 'difference') {
    const estimate = estimateMedian(a.map((value, i) => differenceOf(value, b[i]!)));
    return { estimate, text: formatEstimate(estimate), tone: toneOf(estimate, better) };
  }
  const estimate = estimateMedian(a.map((value, i) => ratioOf(value, b[i]!)));
  const verdict = verdictOf(estimate, 1);
  const tone = verdict === 'undecided' ? 'undecided' : verdict === better ? 'better' : 'worse';
  return { estimate, text: formatRatio(estimate), tone };
}

function rowsOf(study: Study, pairings: readonly Pairing[], measure: Measure): Cell[][] {
  return pairings.flatMap(({ listed, workload, a, b }) => {
    const pairs = pairBySeed(a, b, (run) => measure.figure(run, workload));
    if (pairs.seeds.length === 0) return [];
    const { estimate, text, tone } = compareBy(pairs.a, pairs.b, measure);
    const [first, second] = [median(pairs.a), median(pairs.b)];
    return [
      [
        { text: `${study.label(listed.a)} against ${study.label(listed.b)}`, heading: true },
        { text: workload.id, note: study.nameOf(listed) },
        { text: formatNumber(first), sort: finite(first) },
        { text: formatNumber(second), sort: finite(second) },
        { text, sort: finite(estimate.value) },
        { text: String(pairs.seeds.length), sort: pairs.seeds.length },
        { text: findingOf(tone, estimate), tone },
      ],
    ];
  });
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function claimTable(study: Study, id: string, caption: string, measure: Measure): Part {
  const rows = rowsOf(study, pairingsOf(study), measure);
  return rows.length
    ? { id, caption, columns: COLUMNS, rows }
    : `${caption}: not measured in this run.`;
}

const isExpected = ({ expected }: Stream): boolean =>
  expected.low !== null || expected.high !== null;

/** One stream, a line an optimizer; what is expected of one of them is shaded. */
function streamFigure(study: Study, streams: readonly Stream[]): Html {
  const [{ id, title, figure }] = streams as [Stream];
  const optimum =
    streams.find(({ expected }) => expected.optimum !== null)?.expected.optimum ?? null;
  const bound = streams.find(isExpected);
  const lines = streams.map(({ optimizer, steps, values }) => ({
    label: study.label(optimizer),
    index: Math.max(0, study.index(optimizer)),
    points: steps.map((x, i) => ({ x, y: values[i] ?? NaN })),
  }));
  const chart = linesChart({
    title: `Stream ${id}`,
    x: { label: 'steps', log: true },
    y: { label: FIGURES[figure] },
    levels: optimum === null ? [] : [{ at: optimum, label: 'where a method that converges goes' }],
    range: bound && { ...bound.expected, label: `expected of ${study.label(bound.optimizer)}` },
    lines,
  });
  return html`<figure><figcaption>${id}: ${title}</figcaption>${chart}${legend(lines)}</figure>`;
}

const FIGURES: Record<Stream['figure'], string> = {
  'average-regret': 'average regret R/T',
  'regret-over-root': 'R/√T',
  iterate: 'x',
};

function streamRow(study: Study, stream: Stream): Cell[] {
  const { id, title, optimizer, figure, steps, values, expected } = stream;
  const last = values.at(-1) ?? null;
  const { low, high, optimum } = expected;
  const within = last !== null && (low === null || last >= low) && (high === null || last <= high);
  const range =
    low === null
      ? `up to ${formatExact(high)}`
      : high === null
        ? `from ${formatExact(low)}`
        : `${formatExact(low)} to ${formatExact(high)}`;
  const verdict: Cell = within
    ? { text: 'as expected' }
    : { text: 'NOT as expected', tone: 'worse' };
  return [
    { text: `${id}: ${title}`, heading: true },
    { text: study.label(optimizer) },
    { text: `${FIGURES[figure]} after ${formatNumber(steps.at(-1) ?? null, 0)}` },
    { text: formatNumber(last), sort: last },
    { text: isExpected(stream) ? range : NONE },
    { text: formatExact(optimum), sort: optimum },
    isExpected(stream) ? verdict : { text: NONE },
  ];
}

function convergence(study: Study): Part[] {
  const { streams } = study.result;
  if (streams.length === 0) return ['The streams were not run.'];
  const groups = [...groupBy(streams, ({ id }) => id).values()];
  return [
    'Four problems of one parameter. C and D have skewed noise, E and F symmetric noise. Under ' +
      'skewed noise the rule as restated drives E[‖g‖₁·g] to zero, not E[g], and settles ' +
      'beside the optimum; that is expected here, and shown. This does not refute the ' +
      'theorem of the paper, whose assumptions have not been read; it bounds what may be ' +
      'promised.',
    html`<div class="figures">${groups
      .slice(0, MOST_FIGURES)
      .map((group) => streamFigure(study, group))}</div>`,
    {
      id: 'streams',
      caption: 'The last value of each stream',
      columns: [
        { label: 'stream' },
        { label: 'optimizer' },
        { label: 'figure' },
        { label: 'value', align: 'right' },
        { label: 'expected', align: 'right' },
        { label: 'if converging', align: 'right' },
        { label: 'so' },
      ],
      rows: streams.map((stream) => streamRow(study, stream)),
    },
  ];
}

const MEASURES = {
  early: { figure: earlyLoss, better: 'lower', by: 'ratio' },
  late: { figure: lateUnrest, better: 'lower', by: 'ratio' },
  test: { figure: (run) => run.final.testMetric, better: 'higher', by: 'difference' },
  gap: { figure: generalisationGap, better: 'lower', by: 'difference' },
  target: {
    figure: (run, workload) => (workload.target ? (run.stepsToTarget ?? Infinity) : null),
    better: 'lower',
    by: 'ratio',
  },
} satisfies Record<string, Measure>;

/** What the claims are paraphrased from. */
const ABSTRACT = 'arXiv 2107.01525';

export function claimSections(study: Study): Section[] {
  if (study.result.comparisons.length === 0 && study.result.streams.length === 0) return [];
  const conditions =
    'Workloads, schedules and tracks are those of the comparisons listed beforehand; under ' +
    '1/√t AdaL is the rule as restated, under other schedules that rule without its own ' +
    'decay. 95% intervals are per row, without correction.';
  return [
    {
      id: 'claim-early',
      title: 'Claim 1: faster early',
      parts: [
        `The abstract (${ABSTRACT}) says that amplifying the gradient speeds up the beginning ` +
          `of training. ${conditions}`,
        claimTable(
          study,
          'early-loss',
          `Train loss after ${100 * EARLY}% of the steps`,
          MEASURES.early,
        ),
        claimTable(study, 'early-target', 'Steps to the target', MEASURES.target),
      ],
    },
    {
      id: 'claim-late',
      title: 'Claim 2: steadier late',
      parts: [
        'It says that shrinking the gradient later damps oscillation near the optimum. Unrest ' +
          'is the median change from one recorded train loss to the next in the last fifth of ' +
          'the run; a schedule that ends at zero brings it to zero for every optimizer.',
        claimTable(study, 'late-unrest', 'Unrest in the last fifth', MEASURES.late),
      ],
    },
    {
      id: 'claim-generalisation',
      title: 'Claim 3: better generalisation',
      parts: [
        'It says that models trained so generalise better. The test part is touched once, at ' +
          'the end. A smaller gap alone is no merit: an optimizer that learns little has ' +
          'little to lose.',
        claimTable(study, 'test-metric', 'Test metric at the end', MEASURES.test),
        claimTable(
          study,
          'generalisation-gap',
          'Test loss minus train loss at the end',
          MEASURES.gap,
        ),
      ],
    },
    { id: 'claim-convergence', title: 'Claim 4: convergence', parts: convergence(study) },
  ];
}
