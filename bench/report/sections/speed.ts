/**
 * The cost of a step by runtime and implementation: tables of every size, and throughput over
 * sizes.
 */
import type { Micro } from '../../schema/result';
import {
  type Estimate,
  estimateMedian,
  median,
  pairedRatio,
  verdictOf,
} from '../../toolkit/statistics';
import { linesChart } from '../charts/lines';
import { legend } from '../charts/series';
import { formatCount, formatDuration, formatNumber, formatRatio, NONE } from '../format';
import { firstBy, groupBy, keyOfNames } from '../group';
import { type Html, html } from '../html';
import type { Part, Section } from '../section';
import type { Study } from '../study';
import { type Cell, checkCells, type Table, type Tone } from '../table';

/** Ratios are to this row of the same block; "faster" needs more than the interval. */
const REFERENCE = 'wasm simd';
const RELEVANT = 0.03;

const BLOCK_FIELDS = ['environment', 'benchmark', 'n', 'layout', 'gradients', 'variant'] as const;

/** What was interleaved: rows whose i-th samples are of one round. */
const blockOf = (row: Micro): string =>
  keyOfNames(...BLOCK_FIELDS.map((field) => row[field]), row.shape?.join('×') ?? '');

const nameOf = ({ implementation, threads, native }: Micro): string =>
  `${implementation}${threads > 1 ? ` × ${threads}` : ''}${native ? ' (native)' : ''}`;

function sizeOf({ shape, n }: Micro): string {
  return shape ? shape.join('×') : formatCount(n);
}

/**
 * Time relative to the reference of the block: above 1 is slower. Null where there is none, or
 * rounds do not match.
 */
function ratioTo(reference: Micro | undefined, row: Micro): Estimate | null {
  if (
    !reference ||
    reference === row ||
    reference.status !== 'ok' ||
    row.samples.length !== reference.samples.length
  )
    return null;
  return reference.samples.every((sample) => sample > 0)
    ? pairedRatio(row.samples, reference.samples)
    : null;
}

function toneOfRatio(ratio: Estimate | null): Tone | undefined {
  if (!ratio) return undefined;
  const verdict = verdictOf(ratio, 1, RELEVANT);
  return verdict === 'undecided' ? 'undecided' : verdict === 'lower' ? 'better' : 'worse';
}

/** Rows of the triad, by where they were measured, size and threads. */
type Triads = ReadonlyMap<string, Micro>;

const placeOf = ({ environment, n, threads }: Micro): string => keyOfNames(environment, n, threads);

const triadsOf = (rows: readonly Micro[]): Triads =>
  firstBy(
    rows.filter(({ benchmark, status }) => benchmark === 'triad' && status === 'ok'),
    placeOf,
  );

/** Bandwidth of the triad at the same runtime and size, in GB/s. */
function bandwidthAt(triads: Triads, row: Micro): number | null {
  const triad = triads.get(placeOf(row));
  return triad ? bandwidthOf(triad) : null;
}

/** GB/s by the traffic model. */
function bandwidthOf({ bytesPerCall, samples }: Micro): number | null {
  return bytesPerCall === null || samples.length === 0 ? null : bytesPerCall / median(samples);
}

function microRow(row: Micro, reference: Micro | undefined, triads: Triads): Cell[] {
  const head: Cell[] = [
    { text: row.environment, heading: true },
    { text: sizeOf(row), sort: row.n },
    { text: nameOf(row), note: remarksOf(row) },
  ];
  if (row.status !== 'ok' || row.samples.length === 0) {
    const missing: Cell = { text: NONE, sort: null };
    return [
      ...head,
      { text: row.status, note: row.reason ?? 'no samples', sort: null, tone: 'absent' },
      missing,
      missing,
      missing,
      missing,
    ];
  }
  const time = estimateMedian(row.samples);
  const perUnit = time.value / row.workPerCall;
  const bandwidth = bandwidthOf(row);
  const triad = row.benchmark === 'triad' ? null : bandwidthAt(triads, row);
  const ratio = ratioTo(reference, row);
  const share = bandwidth !== null && triad !== null ? bandwidth / triad : null;
  return [
    ...head,
    { text: formatDuration(time.value), note: intervalOf(time), sort: time.value },
    { text: formatNumber(perUnit), sort: perUnit },
    { text: formatNumber(bandwidth, 1), sort: bandwidth },
    { text: share === null ? NONE : `${Math.round(100 * share)}%`, sort: share },
    {
      text: ratio ? formatRatio(ratio) : reference === row ? '×1' : NONE,
      sort: ratio?.value ?? (reference === row ? 1 : null),
      tone: toneOfRatio(ratio),
    },
  ];
}

function intervalOf({ value, interval }: Estimate): string {
  if (interval === null) return '';
  const half = Math.max(interval[1] - value, value - interval[0]);
  return `± ${formatNumber((100 * half) / value, 1)}%`;
}

function remarksOf({ layout, gradients, variant, stable }: Micro): string {
  const remarks = [
    layout === '100' && '100 tensors',
    gradients === 'zero' && 'gradients all zero',
    gradients === 'denormal' && 'denormal gradients',
    variant === 'copies' && 'with copies in and out',
    !stable && 'unstable: the machine drifted by more than 5%',
  ];
  return remarks.filter(Boolean).join('; ');
}

/** Every row with all its figures. */
function detailTable(benchmark: string, rows: readonly Micro[], triads: Triads): Table {
  const references = referencesOf(rows);
  return {
    id: `micro-${benchmark}`,
    caption: `${benchmark}: all rows, median ± 95% interval a call`,
    columns: [
      { label: 'runtime' },
      { label: rows[0]!.shape ? 'm×n×k' : 'n', align: 'right' },
      { label: 'implementation' },
      { label: 'time a call', align: 'right' },
      { label: rows[0]!.shape ? 'ns/flop' : 'ns/param', align: 'right' },
      { label: 'GB/s', align: 'right' },
      { label: 'of triad', align: 'right' },
      { label: 'ratio', align: 'right' },
    ],
    rows: rows.map((row) => microRow(row, references.get(blockOf(row)), triads)),
    folded: true,
  };
}

/** The reference row of each block. */
function referencesOf(rows: readonly Micro[]): Map<string, Micro> {
  return new Map(
    rows
      .filter(({ implementation }) => implementation === REFERENCE)
      .map((row) => [blockOf(row), row]),
  );
}

/** Without 100 tensors, odd gradients and copies, which the details have. */
const isPlain = ({ layout, gradients, variant }: Micro): boolean =>
  layout !== '100' && gradients !== 'zero' && gradients !== 'denormal' && variant === 'resident';

function overviewCell(row: Micro | undefined, reference: Micro | undefined): Cell {
  if (!row) return { text: NONE, sort: null, tone: 'absent' };
  if (row.status !== 'ok' || row.samples.length === 0)
    return { text: row.status, sort: null, tone: 'absent' };
  const time = median(row.samples);
  const ratio = ratioTo(reference, row);
  const notes = [ratio ? formatRatio(ratio) : '', row.stable ? '' : 'unstable'].filter(Boolean);
  return {
    text: formatDuration(time),
    sort: time,
    note: notes.join('; '),
    tone: toneOfRatio(ratio),
  };
}

/** Runtime × implementation: a column a size. */
function overviewTable(benchmark: string, rows: readonly Micro[]): Table {
  const references = referencesOf(rows);
  const plain = rows.filter(isPlain);
  const sizes = [
    ...new Map([...plain].sort((a, b) => a.n - b.n).map((row) => [sizeOf(row), row])).keys(),
  ];
  const contenders = [
    ...new Map(plain.map((row) => [keyOfNames(row.environment, nameOf(row)), row])).values(),
  ];
  const found = firstBy(plain, (row) => keyOfNames(row.environment, nameOf(row), sizeOf(row)));
  checkCells(benchmark, contenders.length * sizes.length, plain.length);
  return {
    id: `overview-${benchmark}`,
    caption:
      `${benchmark}: time a call by ${rows[0]!.shape ? 'm×n×k' : 'n'}, and its ratio to ` +
      `${REFERENCE} of the same rounds [95% interval]; above 1 is slower`,
    columns: [
      { label: 'runtime' },
      { label: 'implementation' },
      ...sizes.map((label) => ({ label, align: 'right' as const })),
    ],
    rows: contenders.map((contender) => [
      { text: contender.environment, heading: true },
      { text: nameOf(contender) },
      ...sizes.map((size) => {
        const row = found.get(keyOfNames(contender.environment, nameOf(contender), size));
        return overviewCell(row, row && references.get(blockOf(row)));
      }),
    ]),
  };
}

/**
 * Where time per element first rises by this much above the least so far, data have outgrown a
 * cache.
 */
const KNEE = 1.25;

function kneesOf(points: readonly { x: number; perUnit: number }[]): number[] {
  const knees: number[] = [];
  let least = Infinity;
  for (const { x, perUnit } of points) {
    if (perUnit > KNEE * least) {
      knees.push(x);
      least = perUnit;
    }
    least = Math.min(least, perUnit);
  }
  return knees;
}

/** Throughput over n of one benchmark on one runtime: a line an implementation. */
function throughputFigure(
  environment: string,
  benchmark: string,
  rows: readonly Micro[],
): Html | null {
  const plain = rows.filter(
    (row) =>
      isPlain(row) &&
      row.status === 'ok' &&
      row.samples.length > 0 &&
      row.bytesPerCall !== null &&
      row.shape === null,
  );
  const byName = groupBy(plain, nameOf);
  for (const own of byName.values()) own.sort((a, b) => a.n - b.n);
  const lines = [...byName].map(([label, own], index) => ({
    label,
    index,
    points: own.map((row) => ({ x: row.n, y: bandwidthOf(row)! })),
  }));
  if (!lines.some(({ points }) => points.length > 1)) return null;
  const reference = byName.get(REFERENCE) ?? [];
  const marks = kneesOf(
    reference.map((row) => ({ x: row.n, perUnit: median(row.samples) / row.workPerCall })),
  ).map((at) => ({
    at,
    label: 'beyond a cache',
  }));
  const title = `${benchmark} on ${environment}`;
  const chart = linesChart({
    title: `Throughput of ${title}`,
    x: { label: 'n', log: true },
    y: { label: 'GB/s', log: true },
    lines,
    marks,
    dots: true,
  });
  return html`<figure><figcaption>${title}</figcaption>${chart}${legend(lines)}</figure>`;
}

export function speedSection(study: Study): Section | null {
  const { micro, environments } = study.result;
  if (micro.length === 0) return null;
  const triads = triadsOf(micro);
  const places = new Map(environments.map(({ id }, place) => [id, place]));
  const parts = [...groupBy(micro, ({ benchmark }) => benchmark)].flatMap(
    ([benchmark, rows]): Part[] => {
      const byEnvironment = [...groupBy(rows, ({ environment }) => environment)];
      byEnvironment.sort(([a], [b]) => places.get(a)! - places.get(b)!);
      const figures = byEnvironment.map(([environment, own]) =>
        throughputFigure(environment, benchmark, own),
      );
      return [
        html`<div class="figures">${figures}</div>`,
        overviewTable(benchmark, rows),
        detailTable(benchmark, rows, triads),
      ];
    },
  );
  return {
    id: 'speed',
    title: 'Speed',
    parts: [
      `Contenders were timed in turns, so sample i of each is of the same round and ratios are ` +
        `of rounds. ▲ and ▼ appear only where the interval of the ratio excludes 1 and the ` +
        `difference is at least ${100 * RELEVANT}%. GB/s counts the bytes that the rule must ` +
        `move; “of triad” compares with a loop that only moves them, on the same runtime ` +
        `in the same run. A dotted line marks where time per element first rises by a ` +
        `quarter: the data have outgrown a cache.`,
      ...parts,
    ],
  };
}

/** The size of the headline, and one that shows what a call costs. */
const HEADLINE_SIZES = [1_000, 1_000_000];

const RULE = 'step-';

/**
 * AdaL's step on one thread beside every contender: a row a contender and size, a column a runtime.
 * Null without any.
 */
export function headlineTable({ result }: Study): Table | null {
  const plain = result.micro.filter(
    (row) => row.benchmark.startsWith(RULE) && HEADLINE_SIZES.includes(row.n) && isPlain(row),
  );
  const contenders = [
    ...new Map(plain.map((row) => [`${row.benchmark}, ${nameOf(row)}, ${row.n}`, row])).values(),
  ];
  if (contenders.length === 0) return null;
  const timed = plain.filter(({ samples }) => samples.length > 0);
  const adal = timed.filter(
    (row) => row.benchmark === 'step-adal' && row.implementation === REFERENCE,
  );
  const table = {
    rows: firstBy(plain, contenderOf),
    adal: firstBy(adal, ({ environment, n }) => keyOfNames(environment, n)),
  };
  const measured = new Set(plain.map(({ environment }) => environment));
  const environments = result.environments.filter(({ id }) => measured.has(id));
  checkCells('steps', contenders.length * environments.length, plain.length);
  return {
    id: 'headline',
    caption: `Median time of one optimizer step, and its ratio to that of AdaL on ${REFERENCE}`,
    columns: [
      { label: 'step' },
      { label: 'parameters', align: 'right' },
      ...environments.map(({ runtime, version }) => ({
        label: `${runtime} ${version}`,
        align: 'right' as const,
      })),
    ],
    rows: contenders.map((contender) => [
      { text: `${contender.benchmark.slice(RULE.length)}, ${nameOf(contender)}`, heading: true },
      { text: formatCount(contender.n), sort: contender.n },
      ...environments.map(({ id }) => headlineCell(table, id, contender)),
    ]),
  };
}

const contenderOf = (row: Micro): string =>
  keyOfNames(row.environment, row.n, row.benchmark, nameOf(row));

interface HeadlineRows {
  readonly rows: ReadonlyMap<string, Micro>;
  /** AdaL's own, by runtime and size. */
  readonly adal: ReadonlyMap<string, Micro>;
}

function headlineCell({ rows, adal }: HeadlineRows, environment: string, contender: Micro): Cell {
  const row = rows.get(contenderOf({ ...contender, environment }));
  if (!row || row.samples.length === 0)
    return { text: row?.status ?? NONE, sort: null, tone: 'absent' };
  const own = adal.get(keyOfNames(environment, contender.n));
  const time = median(row.samples);
  const times = own && own !== row ? `×${formatNumber(time / median(own.samples), 1)}` : '';
  return {
    text: formatDuration(time),
    sort: time,
    note: [times, row.stable ? '' : 'unstable'].filter(Boolean).join('; '),
  };
}
