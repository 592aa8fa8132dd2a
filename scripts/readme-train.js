/**
 * Writes the README's table of training speeds from a result of `npm run bench:train -- --out bench/results`.
 *   node scripts/readme-train.js bench/results/train-2026-11-23-node24.json
 */
import { readFileSync } from 'node:fs';
import { median } from '../bench/harness/stats.js';
import { ADAL, PLAIN, PYTORCH, TF_CPU, TF_WASM } from '../bench/train/peers.js';
import { timesAsLong } from '../bench/train/report.js';
import { markdownTable, replaceSection } from './readme-section.js';

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node scripts/readme-train.js <result.json>');
const { environment, rounds, measured } = JSON.parse(readFileSync(file, 'utf8'));

const figure = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2));

function timesOf(entry, label) {
  const ratio = timesAsLong(entry, label);
  return ratio ? `${figure(ratio.median)}×` : '–';
}

const rows = measured
  .filter(({ workload }) => workload.kind !== 'gemm')
  .map((entry) => {
    const { kind, title, batch } = entry.workload;
    const ns = median(entry.results.find(({ label }) => label === ADAL).ns);
    const own = kind === 'step' ? `${figure((batch * 1e9) / ns)} samples/s` : `${figure(ns / 1e6)} ms a fit`;
    return [title, own, ...[TF_WASM, TF_CPU, PLAIN, PYTORCH].map((label) => timesOf(entry, label))];
  });
const table = markdownTable(['trained', 'adal-wasm', TF_WASM, TF_CPU, PLAIN, PYTORCH], rows);
const versions = [TF_WASM, PYTORCH].map((label) => {
  const { version } = measured.flatMap(({ results }) => results).find((result) => result.label === label && result.version) ?? {};
  return version ? `${label} ${version}` : `${label}: not there`;
});
const { runtime, cpu, date } = environment;
const note = `Others in times as long. ${runtime}, ${cpu}, one thread, ${date}; medians of ${rounds} interleaved rounds; ${versions.join(', ')}. –: it cannot, or was not run.`;
replaceSection('train', `${table}\n\n${note}`);
