/**
 * Writes the README's table of training speeds from a result of `npm run bench:train -- --out
 * bench/results`.
 *   node scripts/readme-train.js bench/results/train-2026-11-23-node24.json
 */
import { readFileSync } from 'node:fs';
import { median } from '../bench/harness/stats.js';
import { ADAL, C_128, C_WIDE, JAX, PLAIN, PYTORCH, TF_CPU, TF_WASM } from '../bench/train/peers.js';
import { timesAsLong, timesOf } from '../bench/train/report.js';
import { markdownTable, replaceSection } from './readme-section.js';

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node scripts/readme-train.js <result.json>');
const {
  version: format,
  environment,
  rounds,
  peaks,
  measured,
} = JSON.parse(readFileSync(file, 'utf8'));
if (format !== 2)
  throw new Error(`${file}: expected a result of version 2, got ${format}: measure again`);

const figure = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);

function shownTimes(entry, label) {
  const ratio = timesAsLong(entry, label);
  return ratio ? `${figure(ratio.median)}×` : '–';
}

const SHOWN = [C_128, C_WIDE, PYTORCH, TF_WASM, TF_CPU, JAX, PLAIN];

const rows = measured
  .filter(({ workload }) => workload.kind !== 'gemm')
  .map((entry) => {
    const { kind, title, batch } = entry.workload;
    const ns = median(timesOf(entry.results.find(({ label }) => label === ADAL)));
    const own =
      kind === 'step' ? `${figure((batch * 1e9) / ns)} samples/s` : `${figure(ns / 1e6)} ms a fit`;
    return [title, own, ...SHOWN.map((label) => shownTimes(entry, label))];
  });
const table = markdownTable(['trained', 'adal-wasm', ...SHOWN], rows);
const versions = [PYTORCH, TF_WASM, JAX, C_128, C_WIDE].map((label) => {
  const { version } =
    measured
      .flatMap(({ results }) => results)
      .find((result) => result.label === label && result.version) ?? {};
  return version ? `${label} ${version}` : `${label} was not there`;
});
const { runtime, cpu, date } = environment;

/** GFLOP/s of the largest square product; null where it was not measured. */
function productOf(label) {
  const entry = measured.find(({ workload }) => workload.name === 'gemm-512x512x512');
  const result = entry?.results.find((each) => each.label === label && !each.unsupported);
  return result ? figure((2 * 512 ** 3) / median(timesOf(result))) : null;
}

const products = [
  [ADAL, productOf(ADAL)],
  [C_128, productOf(C_128)],
  [PYTORCH, productOf(PYTORCH)],
].filter(([, value]) => value !== null);
const ceiling = peaks
  ? ` WebAssembly has vectors of 128 bits and no fused multiply-add: so one core of this machine does at most ${figure(peaks.narrow)} GFLOP/s, and ${figure(peaks.wide)} with its widest. In a product of 512 × 512 matrices ${products.map(([label, value]) => `${label} does ${value}`).join(', ')}.`
  : '';
const note = `Others in times as long (CPU time; below 1× they are faster). ${runtime}, ${cpu}, one thread, ${date}; medians of ${rounds} interleaved rounds; ${versions.join('; ')}. –: it cannot, or was not run.${ceiling}`;
replaceSection('train', `${table}\n\n${note}`);
