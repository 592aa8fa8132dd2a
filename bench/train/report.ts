/** The result of bench:train as Markdown, and the requirements that it is checked against. */
import { markdownTable } from '../toolkit/markdown-table';
import { environmentLine } from '../toolkit/single-result';
import { mad, median } from '../toolkit/statistics';
import {
  ADAL,
  ADAL_2,
  ADAL_GRAPH,
  ADAL_TWICE,
  PEAK,
  PLAIN,
  PYTORCH,
  SHARED,
  TF_CPU,
  TF_WASM,
} from './labels';
import {
  type Measured,
  type MeasuredWorkload,
  type Peaks,
  relativeTime,
  type TrainResult,
  timesOf,
  type Unsupported,
} from './result';
import { operationsOf, WORKLOADS, type Workload } from './workloads';

const significant = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

/** Headings of the times' columns, by kind of workload. */
const HEADINGS = { step: 'samples/s', gemm: 'GFLOP/s', fit: 'ms per fit' } as const;

/** Returns the figure that a time is shown as. */
function figureOf(workload: Workload, ns: number): number {
  if (workload.kind === 'gemm') return operationsOf(workload) / ns;
  return workload.kind === 'fit' ? ns / 1e6 : (workload.batch * 1e9) / ns;
}

function rowOf(entry: MeasuredWorkload, result: Measured | Unsupported): string[] {
  const { workload } = entry;
  const { label } = result;
  if (result.unsupported !== undefined)
    return [workload.title, label, 'unsupported', '', `(${result.unsupported})`, '', ''];
  const times = timesOf(result);
  const middle = median(times);
  const ratio = relativeTime(entry, label)!;
  const interval = ratio.interval?.map((end) => end.toPrecision(3)).join(', ');
  const compared = `${ratio.value.toPrecision(3)}${interval === undefined ? '' : ` [${interval}]`}`;
  const share = median(result.ns.map((wall, round) => wall / result.cpu[round]!));
  return [
    workload.title,
    label,
    significant(figureOf(workload, middle)),
    times.length > 1 ? `${((100 * mad(times)) / middle).toFixed(1)}%` : '–',
    label === ADAL ? '1' : compared,
    SHARED.includes(label) ? '' : share.toFixed(2),
    megabytes(result.bytes),
  ];
}

function section(
  title: string,
  kind: Workload['kind'],
  measured: readonly MeasuredWorkload[],
): string {
  const entries = measured.filter(({ workload }) => workload.kind === kind);
  if (entries.length === 0) return '';
  const table = markdownTable(
    [
      ['workload', 'left'],
      ['engine', 'left'],
      [HEADINGS[kind], 'right'],
      ['± MAD', 'right'],
      ['time / adal-wasm [95%]', 'right'],
      ['wall / CPU', 'right'],
      ['peak MB', 'right'],
    ],
    entries.flatMap((entry) => entry.results.map((result) => rowOf(entry, result))),
  );
  return `## ${title}\n\n${table}`;
}

/**
 * Requirements: workload, contender, and the least time of the contender relative to ours. Large
 * dense layers have none beside PyTorch, whose BLAS has vectors four times as wide, and fuses.
 */
const REQUIRED: readonly (readonly [workload: string, label: string, limit: number])[] = [
  ['mlp-32', TF_WASM, 8],
  ['mlp-128', TF_WASM, 6],
  ['mlp-32', PYTORCH, 0.7],
  ['cnn-32', TF_CPU, 300],
  ['cnn-32', PYTORCH, 0.9],
  ['cnn-128', PYTORCH, 0.9],
  ['gemm-64x128x784', TF_WASM, 1],
  ['gemm-64x256x784', TF_WASM, 1],
  ['gemm-256x256x256', TF_WASM, 1],
  ['gemm-512x512x512', TF_WASM, 1],
  ['gemm-1x512x512', TF_WASM, 1],
  ['gemm-128x10x128', TF_WASM, 1],
  ['transformer-16', TF_WASM, 8],
  ['transformer-16', PYTORCH, 0.6],
  ['lstm-32', TF_WASM, 8],
  ['lstm-32', PYTORCH, 0.6],
  ['gru-sensor', TF_WASM, 8],
  ['gru-sensor', PYTORCH, 0.6],
  ['conv1d-keywords', TF_CPU, 30],
  ['conv1d-keywords', PYTORCH, 0.6],
  ['depthwise-96', TF_CPU, 30],
  ['depthwise-96', PYTORCH, 0.6],
  ['e1', TF_WASM, 50],
  ['e2', TF_WASM, 8],
  ['e1', PLAIN, 3],
  ['e2', PLAIN, 3],
];
/** Requirements: workload, and the least speed of two threads relative to one. */
const THREADS: readonly (readonly [workload: string, limit: number])[] = [
  ['gemm-512x512x512', 1.7],
  ['cnn-32', 1.5],
  ['cnn-128', 1.5],
];

/** The least speed of a graph relative to the same chain: equal, but for noise. */
const GRAPH_SPEED = 0.97;
/** The least share of the register peak in products of recurrent and attention layers. */
const PEAK_SHARE = 0.7;

/** A requirement with its measurement. */
export interface Claim {
  readonly text: string;
  readonly limit: number;
  readonly value: number;
  readonly interval: readonly [number, number] | null;
  readonly holds: boolean;
  /** The most that the machine has to give. */
  readonly ceiling?: number;
}

export function claimsOf(measured: readonly MeasuredWorkload[]): Claim[] {
  const entryOf = (name: string) => measured.find(({ workload }) => workload.name === name);
  const claims: Claim[] = [];
  const claim = (
    name: string,
    text: string,
    limit: number,
    [label, reference]: readonly [label: string, reference: string],
    ceiling?: string,
  ) => {
    const entry = entryOf(name);
    const ratio = entry && relativeTime(entry, label, reference);
    if (!ratio) return;
    const { value, interval } = ratio;
    const most = ceiling === undefined ? undefined : relativeTime(entry, label, ceiling)?.value;
    const rest = most === undefined ? {} : { ceiling: most };
    claims.push({ text, limit, value, interval, holds: value >= limit, ...rest });
  };
  for (const [name, label, limit] of REQUIRED)
    claim(name, `${name}: speed over ${label}`, limit, [label, ADAL]);
  for (const name of ['mlp-32', 'e1'])
    claim(name, `${name}: speed as a graph over a chain`, GRAPH_SPEED, [ADAL, ADAL_GRAPH]);
  for (const workload of WORKLOADS) {
    if (workload.kind !== 'gemm' || !workload.ofLayer) continue;
    const { name, title } = workload;
    claim(name, `${title}: share of the register peak`, PEAK_SHARE, [PEAK, ADAL]);
  }
  for (const [name, limit] of THREADS)
    claim(name, `${name}: two threads over one`, limit, [ADAL, ADAL_2], ADAL_TWICE);
  return claims;
}

function claimTable(claims: readonly Claim[]): string {
  if (claims.length === 0) return '';
  const rows = claims.map(({ text, limit, value, interval, holds, ceiling }) => {
    const most = ceiling ? `; two processes that share nothing: ${ceiling.toPrecision(3)}` : '';
    const ends = interval ? ` [${interval.map((end) => end.toPrecision(3)).join(', ')}]` : '';
    const measured = `${value.toPrecision(3)}${ends}`;
    return [text, `≥ ${limit}`, measured, `${holds ? 'holds' : 'MISSED'}${most}`];
  });
  const table = markdownTable(
    [
      ['required', 'left'],
      ['limit', 'right'],
      ['measured [95%]', 'right'],
      ['', 'left'],
    ],
    rows,
  );
  return `## Required\n\n${table}`;
}

function peakText(peaks: Peaks | null): string {
  if (!peaks) return '';
  const [narrow, wide] = [significant(peaks.narrow), significant(peaks.wide)];
  return [
    `Multiplying and adding independent vectors, one core does ${narrow} GFLOP/s with 128 bits and`,
    `without fusing, which is all that WebAssembly has, and ${wide} GFLOP/s with its widest.`,
  ].join(' ');
}

/** Returns the result as Markdown. */
export function trainMarkdown({ environment, rounds, peaks, measured }: TrainResult): string {
  const versions = new Map(
    measured.flatMap(({ results }) =>
      results.flatMap((each) =>
        each.unsupported === undefined ? [[each.label, each.version] as const] : [],
      ),
    ),
  );
  // adal-wasm with threads and as two processes is the same engine.
  for (const label of versions.keys())
    if (label.startsWith(`${ADAL},`) || label === PEAK) versions.delete(label);
  const engines = [...versions].map(([label, version]) => `${label} ${version}`).join('; ');
  const apart = measured.flatMap((entry) => entry.apart ?? []);
  const { narrow, wide } = environment.compiled;
  const paragraphs = [
    `# Training: ${environmentLine(environment)}`,
    [
      `${rounds} interleaved round${rounds === 1 ? '' : 's'}, one thread unless stated; medians of`,
      'CPU time, which counts all threads of a process; two threads and two processes by wall',
      'time.',
      `Engines: ${engines}.`,
    ].join(' '),
    `The C program is compiled with \`${narrow}\`, and with \`${wide}\`.`,
    peakText(peaks),
    apart.length > 0 &&
      [
        'From the same first weights, the losses of all engines were within',
        `${Math.max(...apart).toExponential(1)} of each other, relatively.`,
      ].join(' '),
    [
      'Peak memory is that of the whole process. adal-wasm and plain JS copy batches in from',
      'arrays; the others have them in place.',
    ].join(' '),
    section('Steps of training', 'step', measured),
    section('Products', 'gemm', measured),
    section('Whole fits, from arrays to weights', 'fit', measured),
    claimTable(claimsOf(measured)),
  ];
  return paragraphs.filter(Boolean).join('\n\n');
}
