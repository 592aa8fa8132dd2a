/** What bench:train measured, as Markdown tables, and what is required of it. */
import { mad, median, pairedRatio } from '../harness/stats.js';
import { ADAL, ADAL_2, ADAL_TWICE, PLAIN, PYTORCH, SHARED, TF_CPU, TF_WASM } from './peers.js';

function table(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const aligned = Object.values(columns).map((side) => (side === 'right' ? '---:' : '---'));
  return [line(Object.keys(columns)), line(aligned), ...rows.map(line)].join('\n');
}

const significant = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(0);

/** What a workload's time is shown as: samples a second, GFLOP/s, milliseconds. */
const SHOWN = {
  step: { heading: 'samples/s', of: ({ batch }, ns) => (batch * 1e9) / ns },
  gemm: { heading: 'GFLOP/s', of: ({ m, n, k }, ns) => (2 * m * n * k) / ns },
  fit: { heading: 'ms a fit', of: (_workload, ns) => ns / 1e6 },
};

/** Times of a call by round: the CPU time of one thread, the clock's of several. */
export const timesOf = ({ label, ns, cpu }) => (SHARED.includes(label) ? ns : cpu);

/**
 * How many times as long as adal-wasm a contender takes, with its 95% interval; null if either did
 * not run.
 */
export function timesAsLong({ results }, label, reference = ADAL) {
  const clock = SHARED.includes(label) || SHARED.includes(reference) ? 'ns' : 'cpu';
  const [mine, theirs] = [reference, label].map(
    (name) => results.find((result) => result.label === name)?.[clock],
  );
  if (!mine || !theirs) return null;
  // Slow ones are timed in fewer rounds.
  const rounds = Math.min(mine.length, theirs.length);
  return pairedRatio(theirs.slice(0, rounds), mine.slice(0, rounds));
}

function rowOf(entry, result) {
  const { workload } = entry;
  const { label, unsupported, ns, cpu, bytes } = result;
  if (unsupported) return [workload.title, label, 'unsupported', '', `(${unsupported})`, '', ''];
  const times = timesOf(result);
  const middle = median(times);
  const value = significant(SHOWN[workload.kind].of(workload, middle));
  const ratio = timesAsLong(entry, label);
  const [low, high] = ratio.interval;
  const share = SHARED.includes(label)
    ? ''
    : median(ns.map((wall, round) => wall / cpu[round])).toFixed(2);
  const compared =
    label === ADAL
      ? '1'
      : `${ratio.median.toPrecision(3)} [${low.toPrecision(3)}, ${high.toPrecision(3)}]`;
  return [
    workload.title,
    label,
    value,
    `${((100 * mad(times)) / middle).toFixed(1)}%`,
    compared,
    share,
    megabytes(bytes),
  ];
}

function section(title, kind, measured) {
  const entries = measured.filter(({ workload }) => workload.kind === kind);
  if (entries.length === 0) return '';
  const columns = {
    workload: 'left',
    engine: 'left',
    [SHOWN[kind].heading]: 'right',
    '± MAD': 'right',
    'time / adal-wasm [95%]': 'right',
    'wall / CPU': 'right',
    'peak MB': 'right',
  };
  const rows = entries.flatMap((entry) => entry.results.map((result) => rowOf(entry, result)));
  return `## ${title}\n\n${table(columns, rows)}\n`;
}

/**
 * [workload, whom to compare with, at least so many times as long as we]. Large dense layers have
 * no limit beside PyTorch: its BLAS has vectors four times as wide, and fuses.
 */
const REQUIRED = [
  ['mlp-32', TF_WASM, 8],
  ['mlp-128', TF_WASM, 6],
  ['mlp-32', PYTORCH, 0.7],
  ['cnn-32', TF_CPU, 300],
  ['cnn-32', PYTORCH, 0.9],
  ['cnn-128', PYTORCH, 0.9],
  ...['64x128x784', '64x256x784', '256x256x256', '512x512x512', '1x512x512', '128x10x128'].map(
    (s) => [`gemm-${s}`, TF_WASM, 1],
  ),
  ['e1', TF_WASM, 50],
  ['e2', TF_WASM, 8],
  ['e1', PLAIN, 3],
  ['e2', PLAIN, 3],
];
/** [workload, how many times as fast two threads are at least] */
const THREADS = [
  ['gemm-512x512x512', 1.7],
  ['cnn-32', 1.5],
  ['cnn-128', 1.5],
];

function claimsOf(measured) {
  const entryOf = (name) => measured.find(({ workload }) => workload.name === name);
  const claims = [];
  const claim = (name, text, limit, label, reference, ceiling) => {
    const entry = entryOf(name);
    const ratio = entry && timesAsLong(entry, label, reference);
    if (!ratio) return;
    const { median: value, interval } = ratio;
    const most = ceiling && timesAsLong(entry, label, ceiling)?.median;
    claims.push({
      text,
      limit,
      value,
      interval,
      holds: value >= limit,
      ...(most && { ceiling: most }),
    });
  };
  for (const [name, label, limit] of REQUIRED)
    claim(name, `${name}: speed over ${label}`, limit, label);
  for (const [name, limit] of THREADS)
    claim(name, `${name}: two threads over one`, limit, ADAL, ADAL_2, ADAL_TWICE);
  return claims;
}

/** What the vectors of this core can do, in a sentence; empty where it was not measured. */
function peakText(peaks) {
  if (!peaks) return '';
  const [narrow, wide] = [peaks.narrow, peaks.wide].map(significant);
  return `Multiplying and adding independent vectors, one core does ${narrow} GFLOP/s with 128 bits and without fusing, which is all that WebAssembly has, and ${wide} GFLOP/s with its widest.\n`;
}

/** @param peaks {narrow, wide} in GFLOP/s, or null */
export function reportOf(env, measured, rounds, peaks) {
  const claims = claimsOf(measured);
  const versions = new Map(
    measured.flatMap(({ results }) => results.map(({ label, version }) => [label, version])),
  );
  const engines = [...versions]
    .filter(([, version]) => version)
    .map(([label, version]) => `${label} ${version}`);
  const apart = Math.max(...measured.map((entry) => entry.apart ?? 0));
  const rows = claims.map(({ text, limit, value, holds, ceiling }) => [
    text,
    `≥ ${limit}`,
    value.toPrecision(3),
    `${holds ? 'holds' : 'MISSED'}${ceiling ? `; two processes that share nothing: ${ceiling.toPrecision(3)}` : ''}`,
  ]);
  const markdown = [
    `# Training: ${env.runtime} (${env.engine}), ${env.cpu}, ${env.date}\n`,
    `${rounds} interleaved rounds, one thread unless said; medians of CPU time, which counts all threads of a process; two threads and two processes by the clock. Engines: ${engines.join('; ')}.`,
    `The C program is compiled with \`${env.compiled.narrow}\`, and with \`${env.compiled.wide}\`.`,
    peakText(peaks),
    `From the same first weights all engines' losses were within ${apart.toExponential(1)} of each other, relatively.`,
    'Peak memory is that of the whole process. adal-wasm, plain JS copy batches in from arrays; the others have them in place.\n',
    section('Steps of training', 'step', measured),
    section('Products', 'gemm', measured),
    section('Whole fits, from arrays to weights', 'fit', measured),
    rows.length
      ? `## Required\n\n${table({ required: 'left', limit: 'right', measured: 'right', '': 'left' }, rows)}`
      : '',
  ].join('\n');
  return { markdown, claims };
}
