/**
 * npm run bench:gemm -- [--rounds 41] [--binary file] [--out folder]
 *
 * Measures matrix products of the published nn module, in GFLOP/s, and compares them with a loop
 * that only multiplies and adds in registers (a yardstick): the most that this CPU and engine can
 * give. Rounds are interleaved, so that both see the same clock and neighbours.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseCommandOptions, runBenchmark } from '../toolkit/command-options';
import {
  describeSingleEnvironment,
  environmentLine,
  saveSingleResult,
} from '../toolkit/single-result';
import { median } from '../toolkit/statistics';
import { textTable } from '../toolkit/text-table';
import { loadYardsticks } from './yardsticks';

const SHAPES = [
  [256, 256, 256],
  [64, 128, 784],
  [784, 128, 64],
  [128, 784, 64],
  [64, 784, 128],
  [512, 512, 512],
  [32, 64, 64],
  [32, 10, 64],
  [64, 10, 128],
  [13, 17, 29],
  [4, 128, 784],
  [1, 128, 784],
  [1, 10, 128],
  // Of recurrent layers and attention: see the workloads of bench:train.
  [1024, 512, 64],
  [32, 512, 128],
  [32, 128, 512],
  [512, 128, 1024],
  [512, 64, 1024],
  [1024, 64, 64],
  [64, 64, 1024],
  [64, 64, 32],
  [64, 32, 64],
] as const;
const FORMS = ['gemmNN', 'gemmNT', 'gemmTN'] as const;
/** Operations of an iteration of the yardstick: 12 chains, 2 links, 4 lanes, × and +. */
const PEAK_FLOPS = 12 * 2 * 4 * 2;
const SAMPLE_FLOPS = 4e6;
const WARM_UP_CALLS = 5;

/** Byte addresses of the operands. */
const SCRATCH = 64;
const A = 1 << 19;
const B = A + (1 << 22);
const C = B + (1 << 22);
const PAGES = 256;

type Gemm = (
  c: number,
  a: number,
  b: number,
  m: number,
  n: number,
  k: number,
  scratch: number,
) => void;
type Kernels = Readonly<Record<(typeof FORMS)[number], Gemm>>;

interface Contender {
  readonly name: string;
  readonly form: string;
  /** Operations of one sample. */
  readonly flops: number;
  readonly run: () => void;
  /** One call, which brings operands into the caches. */
  readonly warm: () => void;
  /** Nanoseconds per sample, by round. */
  readonly times: number[];
}

async function loadKernels(path: string): Promise<Kernels> {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const { instance } = await WebAssembly.instantiate(await readFile(path), { env: { memory } });
  const values = new Float32Array(memory.buffer);
  for (let i = 0; i < values.length; i++) values[i] = ((i * 7919) % 1000) / 1000 - 0.5;
  return instance.exports as unknown as Kernels;
}

function createContenders(kernels: Kernels): Contender[] {
  return SHAPES.flatMap(([m, n, k]) => {
    const flops = 2 * m * n * k;
    const calls = Math.max(1, Math.round(SAMPLE_FLOPS / flops));
    return FORMS.map((form): Contender => {
      const warm = () => kernels[form](C, A, B, m, n, k, SCRATCH);
      const run = () => {
        for (let i = 0; i < calls; i++) kernels[form](C, A, B, m, n, k, SCRATCH);
      };
      return { name: `${m}×${n}×${k}`, form, flops: flops * calls, run, warm, times: [] };
    });
  });
}

function timeRun(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start);
}

/** Returns the median speed in GFLOP/s. */
const speedOf = ({ flops, times }: Pick<Contender, 'flops' | 'times'>): number =>
  flops / median(times);

function speedTable(contenders: readonly Contender[], peak: number): string {
  const columns = Object.fromEntries([
    ['m×n×k', 'left'],
    ...FORMS.flatMap((form) => [
      [`${form} GFLOP/s`, 'right'],
      [`${form} %`, 'right'],
    ]),
  ]);
  const names = [...new Set(contenders.map(({ name }) => name))];
  const rows = names.map((name) => {
    const cells = contenders
      .filter((each) => each.name === name)
      .map(speedOf)
      .flatMap((speed) => [speed.toFixed(1), ((100 * speed) / peak).toFixed(0)]);
    return [name, ...cells];
  });
  return textTable(columns, rows);
}

async function main(): Promise<void> {
  const { rounds, out, values } = parseCommandOptions(41, { binary: { type: 'string' } } as const);
  const kernels = await loadKernels(
    values.binary ?? fileURLToPath(import.meta.resolve('adal-wasm/nn.simd.wasm')),
  );
  const contenders = createContenders(kernels);
  const { multiplyAdd } = await loadYardsticks(new WebAssembly.Memory({ initial: 1 }));
  const iterations = Math.round(SAMPLE_FLOPS / PEAK_FLOPS);
  const peak = { flops: iterations * PEAK_FLOPS, times: [] as number[] };
  const runPeak = () => multiplyAdd(iterations);
  for (let i = 0; i < WARM_UP_CALLS; i++)
    for (const run of [runPeak, ...contenders.map((each) => each.run)]) run();
  for (let round = 0; round < rounds; round++) {
    for (const { run, warm, times } of contenders) {
      // The yardstick before every measurement, so that a busy second never hits one alone.
      peak.times.push(timeRun(runPeak));
      warm();
      times.push(timeRun(run));
    }
  }
  const environment = describeSingleEnvironment();
  const best = speedOf(peak);
  console.log(`${environmentLine(environment)}: peak ${best.toFixed(1)} GFLOP/s, ${rounds} rounds`);
  console.log(speedTable(contenders, best));
  if (out === undefined) return;
  const file = saveSingleResult(out, {
    benchmark: 'gemm',
    environment,
    rounds,
    unit: 'ns a sample',
    peak,
    products: contenders.map(({ name, form, flops, times }) => ({ name, form, flops, times })),
  });
  console.log(`raw samples: ${file}`);
}

await runBenchmark(main);
