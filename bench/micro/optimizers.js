/**
 * npm run bench:optimizers — what a step of every optimizer costs, in cache and beyond it: bytes of
 * state, passes over memory, ns a parameter, GB/s; compact state beside f32; and steps of 64 rows
 * of 100,000 beside dense ones.
 *
 *   node bench/micro/optimizers.js [--rounds 9] [--out folder]
 *
 * One runtime a contender, made anew each round, so that no more than one of the large ones is in
 * memory.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRuntime, emptyResult } from '../../dist/index.js';
import { createOptimizer, optimizerNames } from '../../dist/registry.js';
import { replaceFile } from '../../scripts/replace-file.js';
import { environment } from '../harness/environment.js';
import { mad, median, pairedRatio } from '../harness/stats.js';
import { createTable } from '../harness/table.js';
import { timeOnce } from '../harness/timing.js';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, out: { type: 'string' } },
});
const ROUNDS = Number(options.rounds);
/** 16,384 parameters with Adam's state: 256 KiB, in the second cache. */
const SIZES = { 'in cache': 16_384, 'at 1e7': 10_000_000 };
const COMPACT = ['adal', 'adam', 'adamw', 'amsgrad', 'nadam', 'radam', 'adabelief', 'adabound'];
/** Contenders: an optimizer and how it keeps its state. */
const CONTENDERS = optimizerNames().flatMap((name) => {
  const others = COMPACT.includes(name)
    ? ['bf16', '8bit'].map((state) => ({ name, options: { state } }))
    : [];
  const momentum = name === 'sgd' ? [{ name, options: { momentum: 0.9 } }] : [];
  return [{ name, options: {} }, ...momentum, ...others];
});

const labelOf = ({ name, options }) =>
  [name, ...Object.entries(options).map(([key, value]) => (key === 'state' ? value : key))].join(
    ' ',
  );

/** Smooth test data without zeros: a pattern of 4,096 elements, repeated. */
function fill(array, scale) {
  const pattern = Math.min(4096, array.length);
  for (let i = 0; i < pattern; i++) array[i] = scale * Math.sin(7 * i + 1);
  for (let done = pattern; done < array.length; done *= 2) array.copyWithin(done, 0, done);
}

/**
 * Bytes a parameter that a step moves: g twice (norm, update); weights and state read and written.
 */
const traffic = (stateBytes) => 8 + 8 + 2 * stateBytes;

async function measure({ name, options }, size) {
  const runtime = await createRuntime({ backend: 'simd' });
  const optimizer = await createOptimizer(name, { w: { shape: [size] } }, { runtime, ...options });
  fill(optimizer.params.w, 1);
  fill(optimizer.grads.w, 1e-3);
  const result = emptyResult();
  const step = () => optimizer.stepInto(result).gradNorm;
  for (let i = 0; i < 3; i++) step();
  const stateBytes = optimizer.memory().state / size;
  const time = timeOnce(labelOf({ name, options }), step);
  runtime.dispose();
  return { stateBytes, time };
}

/** A step of 64 rows, and of all: weights of 100,000 × 64. */
async function measureRows() {
  const [ROWS, LENGTH] = [100_000, 64];
  const runtime = await createRuntime({ backend: 'simd' });
  const dense = await createOptimizer('adal', { w: { shape: [ROWS, LENGTH] } }, { runtime });
  const sparse = await createOptimizer(
    'adal',
    { w: { shape: [ROWS, LENGTH], sparse: true } },
    { runtime },
  );
  fill(dense.grads.w, 1e-3);
  const rows = Int32Array.from({ length: 64 }, (_, i) => (i * 7919) % ROWS);
  const grads = new Float32Array(64 * LENGTH);
  fill(grads, 1e-3);
  const result = emptyResult();
  const times = { dense: [], rows: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.dense.push(timeOnce('dense', () => dense.stepInto(result).gradNorm));
    times.rows.push(timeOnce('rows', () => sparse.stepRows('w', rows, grads).gradNorm));
  }
  runtime.dispose();
  return times;
}

const results = CONTENDERS.map((contender) => ({
  label: labelOf(contender),
  stateBytes: {},
  times: {},
}));
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`\rround ${round + 1}/${ROUNDS} `);
  for (const [where, size] of Object.entries(SIZES)) {
    for (const [index, contender] of CONTENDERS.entries()) {
      const { stateBytes, time } = await measure(contender, size);
      results[index].stateBytes[where] = stateBytes;
      results[index].times[where] ??= [];
      results[index].times[where].push(time / size);
    }
  }
}
process.stderr.write('\r');
const rows = await measureRows();

const env = environment();
console.log(
  `${env.runtime} (${env.engine}), ${env.cpu}, ${env.date}; medians of ${ROUNDS} interleaved rounds`,
);
const table = createTable({
  optimizer: 'left',
  'state B/param': 'right',
  'B/param a step': 'right',
  'ns/param in cache': 'right',
  '±': 'right',
  'ns/param at 1e7': 'right',
  ' ±': 'right',
  'GB/s at 1e7': 'right',
});
for (const { label, stateBytes, times } of results) {
  const bytes = traffic(stateBytes['at 1e7']);
  const [near, far] = Object.keys(SIZES).map((where) => times[where]);
  const far50 = median(far);
  const cells = [stateBytes['at 1e7'], bytes].map((value) => String(Number(value.toFixed(2))));
  table.push([
    label,
    ...cells,
    median(near).toFixed(2),
    mad(near).toFixed(2),
    far50.toFixed(2),
    mad(far).toFixed(2),
    (bytes / far50).toFixed(1),
  ]);
}
console.log(table.toString());
const of = (label) => results.find((result) => result.label === label).times;
for (const name of ['adal', 'adam']) {
  const ratio = (state, where) =>
    pairedRatio(of(`${name} ${state}`)[where], of(name)[where]).median.toFixed(2);
  console.log(
    `${name}: bf16 / f32 ${ratio('bf16', 'in cache')} in cache, ${ratio('bf16', 'at 1e7')} at 1e7`,
  );
  console.log(
    `${name}: 8-bit / f32 ${ratio('8bit', 'in cache')} in cache, ${ratio('8bit', 'at 1e7')} at 1e7`,
  );
}
const ratio = pairedRatio(rows.dense, rows.rows).median;
console.log(
  `64 of 100,000 rows of 64: ${(median(rows.rows) / 1e3).toFixed(1)} µs, ${ratio.toFixed(0)} times less than dense`,
);

if (options.out) {
  mkdirSync(options.out, { recursive: true });
  const file = join(
    options.out,
    `optimizers-${env.date}-node${process.versions.node.split('.')[0]}.json`,
  );
  const raw = {
    version: 1,
    environment: env,
    rounds: ROUNDS,
    unit: 'ns a parameter',
    sizes: SIZES,
    optimizers: results,
    rows,
  };
  replaceFile(file, `${JSON.stringify(raw)}\n`);
  console.log(`raw samples: ${file}`);
}
