/**
 * Writes the README's table of optimizers from a result of `npm run bench:optimizers -- --out
 * bench/results`.
 *   node scripts/readme-optimizers.js bench/results/optimizers-2026-11-23-node20.json
 */
import { readFileSync } from 'node:fs';
import { median } from '../bench/harness/stats.js';
import { markdownTable, replaceSection } from './readme-section.js';

/** Compact state costs all of the family the same. */
const COMPACT_SHOWN = /^(adal|adam) (bf16|8bit)$/;

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node scripts/readme-optimizers.js <result.json>');
const { environment, rounds, optimizers } = JSON.parse(readFileSync(file, 'utf8'));

const rows = optimizers
  .filter(({ label }) => !/ (bf16|8bit)$/.test(label) || COMPACT_SHOWN.test(label))
  .map(({ label, stateBytes, times }) => {
    const bytes = 16 + 2 * stateBytes['at 1e7'];
    const [near, far] = [median(times['in cache']), median(times['at 1e7'])];
    const cells = [stateBytes['at 1e7'].toFixed(2), (bytes / 4).toFixed(1)].map((text) =>
      String(Number(text)),
    );
    return [
      `\`${label.replace(' ', '`, ')}${label.includes(' ') ? '' : '`'}`,
      ...cells,
      near.toFixed(2),
      far.toFixed(2),
      (bytes / far).toFixed(0),
    ];
  });
const head = [
  'optimizer',
  'bytes of state a parameter',
  'passes over a float32 array',
  'ns a parameter in cache',
  'at 1e7',
  'GB/s',
];
const table = markdownTable(head, rows);
const { runtime, cpu, date } = environment;
const note = `${runtime}, ${cpu}, one thread, ${date}; medians of ${rounds} interleaved rounds. Gradients are read twice: the first pass decides whether the step is accepted.`;

replaceSection('optimizers', `${table}\n\n${note}`);
