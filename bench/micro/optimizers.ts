/**
 * npm run bench:optimizers -- [--rounds 9] [--out folder] [--readme]
 *
 * Measures a step of every optimizer in cache and beyond it: bytes of state, passes over memory, ns
 * per parameter and GB/s; compact state beside f32; and steps of 64 rows of 100,000 beside dense
 * ones. `--readme` writes the README's table from the result.
 *
 * Each contender gets a new runtime every round, so that only one of the large ones is in memory.
 */
import { createOptimizer, createRuntime, emptyResult, optimizerNames } from 'adal-wasm';
import { README, sectionsOf } from '../readme/sections';
import { fill } from '../suite/micro/contenders';
import { parseCommandOptions, runBenchmark } from '../toolkit/command-options';
import { timerTick } from '../toolkit/environment';
import { writeSections } from '../toolkit/readme-sections';
import {
  describeSingleEnvironment,
  environmentLine,
  type SingleResult,
  saveSingleResult,
} from '../toolkit/single-result';
import { mad, median, pairedRatio } from '../toolkit/statistics';
import { textTable } from '../toolkit/text-table';
import { createTimer, type TimeOnce } from '../toolkit/timing';
import {
  bytesPerStep,
  type OptimizerRow,
  type OptimizersResult,
  type Place,
} from './optimizers-result';

const TIMER = { samples: 3, timingMs: 150 };
/** 16,384 parameters with Adam's state take 256 KiB, which the second-level cache holds. */
const SIZES: Readonly<Record<Place, number>> = { 'in cache': 16_384, 'at 1e7': 10_000_000 };
const PLACES = Object.keys(SIZES) as Place[];
const COMPACT = [
  ...['adal', 'adam', 'adamw', 'amsgrad', 'nadam', 'radam', 'adabelief', 'adabound'],
  ...['adadelta', 'adamax'],
];
const WARM_UP_STEPS = 3;

type Name = ReturnType<typeof optimizerNames>[number];

/** An optimizer and how it keeps its state. */
interface Contender {
  readonly name: Name;
  readonly label: string;
  readonly options: { readonly state?: 'bf16' | '8bit'; readonly momentum?: number };
}

function contendersOf(name: Name): Contender[] {
  const all: Contender[] = [{ name, label: name, options: {} }];
  if (name === 'sgd') all.push({ name, label: 'sgd momentum', options: { momentum: 0.9 } });
  if (COMPACT.includes(name)) {
    for (const state of ['bf16', '8bit'] as const)
      all.push({ name, label: `${name} ${state}`, options: { state } });
  }
  return all;
}

async function measure(
  { name, options }: Contender,
  size: number,
  timeOnce: TimeOnce,
): Promise<{ stateBytes: number; time: number }> {
  const runtime = await createRuntime({ backend: 'simd' });
  const optimizer = await createOptimizer(name, { w: { shape: [size] } }, { runtime, ...options });
  fill(optimizer.params.w!, 1, 0);
  fill(optimizer.grads.w!, 1e-3, 1);
  const result = emptyResult();
  const step = () => optimizer.stepInto(result).gradNorm;
  for (let i = 0; i < WARM_UP_STEPS; i++) step();
  const stateBytes = optimizer.memory().state / size;
  const time = timeOnce(step);
  runtime.dispose();
  return { stateBytes, time };
}

/** Times a step of 64 rows, and of all rows, of weights of 100,000 × 64. */
async function measureRows(
  rounds: number,
  timeOnce: TimeOnce,
): Promise<{ dense: number[]; rows: number[] }> {
  const shape = [100_000, 64];
  const runtime = await createRuntime({ backend: 'simd' });
  const dense = await createOptimizer('adal', { w: { shape } }, { runtime });
  const sparse = await createOptimizer('adal', { w: { shape, sparse: true } }, { runtime });
  fill(dense.grads.w!, 1e-3, 1);
  const rows = Int32Array.from({ length: 64 }, (_, i) => (i * 7919) % shape[0]!);
  const grads = fill(new Float32Array(64 * shape[1]!), 1e-3, 1);
  const result = emptyResult();
  const times = { dense: [] as number[], rows: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.dense.push(timeOnce(() => dense.stepInto(result).gradNorm));
    times.rows.push(timeOnce(() => sparse.stepRows('w', rows, grads).gradNorm));
  }
  runtime.dispose();
  return times;
}

async function measureAll(rounds: number, timeOnce: TimeOnce): Promise<OptimizerRow[]> {
  // Muon's time is that of its products, which the shape of a matrix decides.
  const contenders = optimizerNames()
    .filter((name) => name !== 'muon')
    .flatMap(contendersOf);
  const results = contenders.map(({ label }) => ({
    label,
    stateBytes: { 'in cache': 0, 'at 1e7': 0 },
    times: { 'in cache': [] as number[], 'at 1e7': [] as number[] },
  }));
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`\rround ${round + 1}/${rounds} `);
    for (const place of PLACES) {
      for (const [index, contender] of contenders.entries()) {
        const { stateBytes, time } = await measure(contender, SIZES[place], timeOnce);
        results[index]!.stateBytes[place] = stateBytes;
        results[index]!.times[place].push(time / SIZES[place]);
      }
    }
  }
  process.stderr.write('\r');
  return results;
}

const short = (value: number): string => String(Number(value.toFixed(2)));

/** The spread of a row's samples; one sample has none. */
const spreadOf = (samples: readonly number[]): string =>
  samples.length > 1 ? mad(samples).toFixed(2) : '–';

function optimizerTable(optimizers: readonly OptimizerRow[]): string {
  const columns = {
    optimizer: 'left',
    'state B/param': 'right',
    'B/param a step': 'right',
    'ns/param in cache': 'right',
    '±': 'right',
    'ns/param at 1e7': 'right',
    ' ±': 'right',
    'GB/s at 1e7': 'right',
  } as const;
  const rows = optimizers.map((row) => {
    const { label, stateBytes, times } = row;
    const bytes = bytesPerStep(row);
    const bandwidth = (bytes / median(times['at 1e7'])).toFixed(1);
    const cells = PLACES.flatMap((place) => [
      median(times[place]).toFixed(2),
      spreadOf(times[place]),
    ]);
    return [label, short(stateBytes['at 1e7']), short(bytes), ...cells, bandwidth];
  });
  return textTable(columns, rows);
}

function printRatios({ optimizers, rows }: OptimizersResult): void {
  const timesOf = (label: string) => optimizers.find((row) => row.label === label)!.times;
  for (const name of ['adal', 'adam']) {
    for (const [state, shown] of [
      ['bf16', 'bf16'],
      ['8bit', '8-bit'],
    ]) {
      const [near, far] = PLACES.map((place) =>
        pairedRatio(timesOf(`${name} ${state}`)[place], timesOf(name)[place]).value.toFixed(2),
      );
      console.log(`${name}: ${shown} / f32 ${near} in cache, ${far} at 1e7`);
    }
  }
  const times = pairedRatio(rows.dense, rows.rows).value.toFixed(0);
  const microseconds = (median(rows.rows) / 1e3).toFixed(1);
  console.log(
    `AdaL, 64 rows of weights of 100,000 × 64: ${microseconds} µs, ` +
      `${times} times faster than a step of all rows`,
  );
}

async function main(): Promise<void> {
  const { rounds, out, values } = parseCommandOptions(9, { readme: { type: 'boolean' } } as const);
  const timeOnce = await createTimer(timerTick(), TIMER);
  const optimizers = await measureAll(rounds, timeOnce);
  const result: OptimizersResult & SingleResult = {
    benchmark: 'optimizers',
    environment: describeSingleEnvironment(),
    rounds,
    unit: 'ns a parameter',
    sizes: SIZES,
    optimizers,
    rows: await measureRows(rounds, timeOnce),
  };
  const line = environmentLine(result.environment);
  console.log(`${line}; medians of ${rounds} interleaved round${rounds === 1 ? '' : 's'}`);
  console.log(optimizerTable(optimizers));
  printRatios(result);
  if (out !== undefined) console.log(`raw samples: ${saveSingleResult(out, result)}`);
  if (values.readme) writeSections(README, sectionsOf(result));
}

await runBenchmark(main);
