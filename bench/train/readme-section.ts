/** The README's table of training speeds. */
import { markdownTable } from '../toolkit/markdown-table';
import { median } from '../toolkit/statistics';
import { ADAL, C_128, C_WIDE, JAX, PLAIN, PYTORCH, TF_CPU, TF_WASM } from './labels';
import {
  type MeasuredWorkload,
  productSpeed,
  relativeTime,
  resultOf,
  type TrainResult,
  timesOf,
} from './result';

const SHOWN = [C_128, C_WIDE, PYTORCH, TF_WASM, TF_CPU, JAX, PLAIN];
const VERSIONED = [PYTORCH, TF_WASM, JAX, C_128, C_WIDE];
/** The product whose speed is compared with the most that the CPU can do. */
const LARGEST = 'gemm-512x512x512';

const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);

function rowOf(entry: MeasuredWorkload): string[] {
  const { workload } = entry;
  const ns = median(timesOf(resultOf(entry, ADAL)!));
  const own =
    workload.kind === 'step'
      ? `${figure((workload.batch * 1e9) / ns)} samples/s`
      : `${figure(ns / 1e6)} ms per fit`;
  const others = SHOWN.map((label) => {
    const ratio = relativeTime(entry, label);
    return ratio ? `${figure(ratio.value)}×` : '–';
  });
  return [workload.title, own, ...others];
}

function versionOf(label: string, measured: readonly MeasuredWorkload[]): string {
  for (const entry of measured) {
    const result = resultOf(entry, label);
    if (result) return `${label} ${result.version}`;
  }
  return `${label} was not present`;
}

/** Returns a sentence on the CPU's limits; empty where they were not measured. */
function ceilingText({ peaks, measured }: TrainResult): string {
  if (!peaks) return '';
  const entry = measured.find(({ workload }) => workload.name === LARGEST);
  const speeds = [ADAL, C_128, PYTORCH].flatMap((label) => {
    const speed = entry ? productSpeed(entry, label) : null;
    return speed === null ? [] : [`${label} does ${figure(speed)}`];
  });
  return [
    ' WebAssembly has vectors of 128 bits and no fused multiply-add: with these, one core of this',
    `machine does at most ${figure(peaks.narrow)} GFLOP/s; with its widest vectors,`,
    `${figure(peaks.wide)}. In a product of 512 × 512 matrices ${speeds.join(', ')}.`,
  ].join(' ');
}

/** Returns the README's section of training speeds. */
export function trainSection(result: TrainResult): string {
  const { environment, rounds, measured } = result;
  const table = markdownTable(
    [['trained', 'left'], ...[ADAL, ...SHOWN].map((label) => [label, 'right'] as const)],
    measured.filter(({ workload }) => workload.kind !== 'gemm').map(rowOf),
  );
  const versions = VERSIONED.map((label) => versionOf(label, measured)).join('; ');
  const { runtime, cpu, date } = environment;
  const note = [
    'Times relative to adal-wasm (CPU time; below 1× is faster than adal-wasm).',
    `${runtime}, ${cpu}, one thread, ${date}; medians of ${rounds} interleaved rounds;`,
    `${versions}.`,
    `–: unsupported, or not run.${ceilingText(result)}`,
  ];
  return `${table}\n\n${note.join(' ')}`;
}
