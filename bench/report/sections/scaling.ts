/**
 * The gain of threads, the cost of a first step, and the cost of a training step on each runtime.
 */
import type { ThreadScaling } from '../../schema/result';
import { type Estimate, estimateMedian, median, pairedRatio } from '../../toolkit/statistics';
import { linesChart, type Point } from '../charts/lines';
import { legend } from '../charts/series';
import { formatCount, formatDuration, formatEstimate, formatRatio, NONE } from '../format';
import { firstBy, groupBy } from '../group';
import { type Html, html } from '../html';
import type { Part, Section } from '../section';
import type { Study } from '../study';
import type { Cell, Table } from '../table';

const familyOf = ({ environment, optimizer, n }: ThreadScaling): string =>
  `${optimizer}, n = ${formatCount(n)}, ${environment}`;

/** The row of one thread of each family. */
type Ones = ReadonlyMap<string, ThreadScaling>;

/** By how many times one thread's time is longer; null without one. */
function speedupOf(row: ThreadScaling, ones: Ones): Estimate | null {
  const one = ones.get(familyOf(row));
  if (!one || row.samples.length === 0 || one.samples.length !== row.samples.length) return null;
  return row.samples.every((sample) => sample > 0) ? pairedRatio(one.samples, row.samples) : null;
}

/** Points of one family: its speed-up over the number of threads. */
function speedups(family: readonly ThreadScaling[], ones: Ones): Point[] {
  const own = [...family].sort((a, b) => a.threads - b.threads);
  return own.flatMap((row) => {
    const speedup = speedupOf(row, ones);
    return speedup
      ? [
          {
            x: row.threads,
            y: speedup.value,
            low: speedup.interval?.[0],
            high: speedup.interval?.[1],
          },
        ]
      : [];
  });
}

function threadFigure(rows: readonly ThreadScaling[], ones: Ones): Html {
  const families = [...groupBy(rows, familyOf)];
  const lines = families.map(([label, family], index) => ({
    label,
    index,
    points: speedups(family, ones),
  }));
  const threads = [...new Set(rows.map((row) => row.threads))].sort((a, b) => a - b);
  const chart = linesChart({
    title: 'Speed-up by threads',
    x: { label: 'threads', ticks: threads },
    y: { label: 'times one thread', domain: [0, threads.at(-1)!] },
    lines: lines.filter(({ points }) => points.length > 0),
    dots: true,
  });
  return html`<div class="figures"><figure>
<figcaption>Speed-up by threads</figcaption>${chart}${legend(lines)}</figure></div>`;
}

function threadRow(row: ThreadScaling, ones: Ones): Cell[] {
  const { samples, stable, status, reason } = row;
  const speedup = speedupOf(row, ones);
  const time = samples.length ? median(samples) : null;
  return [
    { text: familyOf(row), heading: true },
    { text: String(row.threads), sort: row.threads },
    time === null
      ? { text: `${status}: ${reason ?? ''}`, sort: null, tone: 'absent' }
      : { text: formatDuration(time), sort: time, note: stable ? '' : 'unstable' },
    speedup ? { text: formatRatio(speedup), sort: speedup.value } : { text: NONE, sort: null },
  ];
}

function threadParts(rows: readonly ThreadScaling[]): Part[] {
  if (rows.length === 0) return [];
  const ones = firstBy(
    rows.filter(({ threads }) => threads === 1),
    familyOf,
  );
  const table: Table = {
    id: 'threads-table',
    caption:
      'Median step time by threads, and how many times one thread that is [95% interval of ' +
      'paired rounds]',
    columns: [
      { label: 'optimizer, size, runtime' },
      { label: 'threads', align: 'right' },
      { label: 'time a step', align: 'right' },
      { label: 'times one thread', align: 'right' },
    ],
    rows: rows.map((row) => threadRow(row, ones)),
  };
  return [threadFigure(rows, ones), table];
}

function milliseconds(samples: readonly number[]): Cell {
  if (samples.length === 0) return { text: NONE, sort: null };
  const estimate = estimateMedian(samples);
  return { text: formatEstimate(estimate), sort: estimate.value };
}

function coldStartTable({ result }: Study): Part[] {
  if (result.coldStart.length === 0) return [];
  return [
    {
      id: 'cold-start',
      caption: 'From nothing to the first step, milliseconds, median ± 95% interval',
      columns: [
        { label: 'runtime' },
        { label: 'backend' },
        { label: 'import', align: 'right' },
        { label: 'create', align: 'right' },
        { label: 'first step', align: 'right' },
      ],
      rows: result.coldStart.map(
        ({ environment, backend, status, reason, importMs, createMs, firstStepMs }) => [
          { text: environment, heading: true },
          { text: status === 'ok' ? backend : `${backend}: ${status}, ${reason ?? ''}` },
          milliseconds(importMs),
          milliseconds(createMs),
          milliseconds(firstStepMs),
        ],
      ),
    },
  ];
}

function trainingTable(study: Study): Part[] {
  const { speed } = study.result.training;
  if (speed.length === 0) return [];
  return [
    {
      id: 'training-speed',
      folded: true,
      caption:
        'A whole training step, measured alone on the machine: median ± 95% interval, microseconds',
      columns: [
        { label: 'runtime' },
        { label: 'workload' },
        { label: 'optimizer' },
        { label: 'µs/step', align: 'right' },
        { label: 'remarks' },
      ],
      rows: speed.map(
        ({ environment, workload, optimizer, status, reason, secondsPerStep, stable }) => {
          const estimate = secondsPerStep.length
            ? estimateMedian(secondsPerStep.map((seconds) => 1e6 * seconds))
            : null;
          return [
            { text: environment, heading: true },
            { text: workload },
            { text: study.label(optimizer) },
            estimate
              ? { text: formatEstimate(estimate), sort: estimate.value }
              : { text: NONE, sort: null },
            { text: status === 'ok' ? (stable ? '' : 'unstable') : `${status}: ${reason ?? ''}` },
          ];
        },
      ),
    },
  ];
}

export function scalingSection(study: Study): Section | null {
  const parts = [
    ...threadParts(study.result.threadScaling),
    ...coldStartTable(study),
    ...trainingTable(study),
  ];
  return parts.length
    ? { id: 'scaling', title: 'Threads, first steps, training steps', parts }
    : null;
}
