/**
 * npm run bench:step -- [--rounds 15] [--out folder]
 *
 * Measures an AdaL step: ns per parameter and GB/s over sizes, threads, layouts and dead
 * coordinates, interleaved with plain JavaScript, a triad and native code.
 *
 * Contenders with arrays beyond every cache run in a process of their own each time, as the native
 * program does: their speed depends on where pages lie and on what other contenders hold.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { emptyResult, type RuntimeOptions } from 'adal-wasm';
import { createContenders, createOwn, gradientOf, type StepData } from '../suite/micro/contenders';
import { benchPath } from '../toolkit/bench-folder';
import { parseCommandOptions, runBenchmark } from '../toolkit/command-options';
import { timerTick } from '../toolkit/environment';
import {
  describeSingleEnvironment,
  environmentLine,
  saveSingleResult,
} from '../toolkit/single-result';
import { mad, median, pairedRatio } from '../toolkit/statistics';
import { textTable } from '../toolkit/text-table';
import { type Body, createTimer, timeRounds } from '../toolkit/timing';
import { compileNativeStep, type NativeStep } from './native-step';
import { loadYardsticks } from './yardsticks';

/** Samples of one timing, and its duration: long enough that a median over them is steady. */
const TIMER = { samples: 3, timingMs: 150 };
const SIZES = [1024, 16_384, 262_144, 1_048_576, 16_777_216];
/** Parameters from which each contender runs in a process of its own. */
const LARGE = 4_000_000;
/** Bytes per parameter: g read twice (norm, update); θ, m, v read and written. */
const STEP_BYTES = 32;
const TRIAD_BYTES = 28;

/** Nanoseconds per call, by contender and round. */
type Times = Record<string, number[]>;

const dataOf = (n: number, tensors = 1): StepData => ({ n, tensors, gradients: 'normal' });

async function createStep(data: StepData, options: RuntimeOptions): Promise<Body> {
  return (await createOwn('adal', data, options)).step;
}

async function createStepWithCopyIn(n: number): Promise<Body> {
  const { optimizer } = await createOwn('adal', dataOf(n), { backend: 'simd' });
  const gradients = { w0: gradientOf(dataOf(n)) };
  const result = emptyResult();
  return () => optimizer.stepInto(result, gradients).gradNorm;
}

async function createPlainStep(n: number): Promise<Body> {
  const none = () => Promise.reject(new Error('peers take no part here'));
  const plain = createContenders(none).find(
    ({ rule, implementation }) => rule === 'adal' && implementation === 'plain JS',
  )!;
  return (await plain.create(dataOf(n))).step;
}

async function createTriad(length: number): Promise<Body> {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((16 * length) / 65_536) + 1 });
  const { triad } = await loadYardsticks(memory);
  let calls = 0;
  return () => {
    // Sums grow: back to zero before they overflow.
    if (++calls % 64 === 0) new Float32Array(memory.buffer).fill(0);
    triad(64, 64 + 4 * length, 64 + 8 * length, 64 + 12 * length, length);
    return 0;
  };
}

/** Contenders at every size: functions that create the body to time. */
const CONTENDERS: Readonly<Record<string, (n: number) => Promise<Body>>> = {
  'wasm simd': (n) => createStep(dataOf(n), { backend: 'simd' }),
  'wasm simd + copy in': createStepWithCopyIn,
  'wasm threads 2': (n) =>
    createStep(dataOf(n), { backend: 'threads', threads: 2, parallelThreshold: 0 }),
  'plain JS': createPlainStep,
  triad: createTriad,
};

function timeApart(name: string, size: number): number {
  const script = fileURLToPath(import.meta.url);
  const args = [script, '--contender', name, '--size', String(size)];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

/** Times all sizes; native programs are interleaved with the rest, round by round. */
async function measureSizes({ runs }: NativeStep, rounds: number): Promise<Map<number, Times>> {
  const timeOnce = await createTimer(timerTick(), TIMER);
  const results = new Map<number, Times>(SIZES.map((size) => [size, {}]));
  const add = (size: number, name: string, time: number) => {
    (results.get(size)![name] ??= []).push(time);
  };
  const kept = new Map<number, Map<string, Body>>();
  for (const size of SIZES.filter((each) => each < LARGE)) {
    const bodies = new Map<string, Body>();
    for (const [name, create] of Object.entries(CONTENDERS)) bodies.set(name, await create(size));
    kept.set(size, bodies);
  }
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`\rround ${round + 1}/${rounds} `);
    for (const [name, run] of Object.entries(runs ?? {})) {
      for (const { n, step, triad } of run()) {
        add(n, name, step * n);
        if (name === 'native') add(n, 'native triad', triad * n);
      }
    }
    for (const size of SIZES) {
      const bodies = kept.get(size);
      if (bodies) {
        const { samples } = timeRounds(timeOnce, bodies, 1);
        for (const [name, [time]] of samples) add(size, name, time!);
      } else for (const name of Object.keys(CONTENDERS)) add(size, name, timeApart(name, size));
    }
  }
  process.stderr.write('\r');
  return results;
}

/** Times steps after 2,000 steps in which some gradients were zero: they must not get slower. */
async function measureDead(rounds: number): Promise<Times> {
  const bodies = new Map<string, Body>();
  for (const percent of [0, 10, 100]) {
    const { optimizer, step } = await createOwn('adal', dataOf(262_144), { backend: 'simd' });
    for (let i = 0; i < 5; i++) step();
    const grads = optimizer.grads.w0!;
    for (let i = 0; i < grads.length; i++) if (i % 100 < percent) grads[i] = 0;
    for (let i = 0; i < 2000; i++) step();
    bodies.set(`${percent}% dead`, step);
  }
  return timesOf(bodies, rounds);
}

async function measureLayouts(rounds: number): Promise<Times> {
  const bodies = new Map<string, Body>();
  bodies.set('1 tensor of 10,000', await createStep(dataOf(10_000), { backend: 'simd' }));
  bodies.set('100 tensors of 100', await createStep(dataOf(10_000, 100), { backend: 'simd' }));
  return timesOf(bodies, rounds);
}

async function timesOf(bodies: ReadonlyMap<string, Body>, rounds: number): Promise<Times> {
  const timeOnce = await createTimer(timerTick(), TIMER);
  return Object.fromEntries(timeRounds(timeOnce, bodies, rounds).samples);
}

/** Latencies in µs of handing a step to a worker. */
interface Dispatch {
  readonly spinning: { readonly p50: number; readonly p90: number };
  readonly parked: { readonly p50: number; readonly p90: number };
}

/** Measures the latency of the library's worker pool, which is internal: needs a clone. */
function measureDispatch(): Dispatch | null {
  const script = benchPath('../scripts/measure-dispatch.js');
  if (!existsSync(script)) return null;
  return JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
}

/** A requirement and the figure that was measured for it. */
interface Claim {
  readonly text: string;
  readonly value: number;
  readonly limit: string;
  readonly holds: boolean;
}

const atMost = (text: string, value: number, limit: number): Claim => ({
  text,
  value,
  limit: `≤ ${limit}`,
  holds: value <= limit,
});
const atLeast = (text: string, value: number, limit: number): Claim => ({
  text,
  value,
  limit: `≥ ${limit}`,
  holds: value >= limit,
});

const ratioOf = (times: Times, a: string, b: string): number =>
  pairedRatio(times[a]!, times[b]!).value;

function claimsOfSizes(results: ReadonlyMap<number, Times>): Claim[] {
  const nodeMajor = Number(process.versions.node.split('.')[0]);
  const at = (size: number): Times => results.get(size)!;
  const claims: Claim[] = [];
  if (at(262_144).native128) {
    const near = ratioOf(at(262_144), 'wasm simd', 'native128');
    const far = ratioOf(at(16_777_216), 'wasm simd', 'native');
    claims.push(
      atMost('n = 262,144: wasm simd / native 128-bit', near, nodeMajor >= 24 ? 1.1 : 1.15),
      atMost('n = 16,777,216: wasm simd / native widest', far, 1.35),
    );
  }
  for (const size of SIZES) {
    const text = `n = ${size.toLocaleString('en')}: plain JS / wasm simd`;
    claims.push(atLeast(text, ratioOf(at(size), 'plain JS', 'wasm simd'), size > 262_144 ? 4 : 5));
  }
  const shared = ratioOf(at(1_048_576), 'wasm simd', 'wasm threads 2');
  return [...claims, atLeast('n = 1,048,576: one thread / two threads', shared, 1.6)];
}

const fixed = (value: number, digits = 3): string => value.toFixed(digits);

function sizeTable(results: ReadonlyMap<number, Times>): string {
  const rows = [...results].flatMap(([size, times]) =>
    Object.entries(times).map(([name, values]) => {
      const ns = median(values) / size;
      const bytes = name.includes('triad') ? TRIAD_BYTES : STEP_BYTES;
      const ratio = pairedRatio(values, times['wasm simd']!).value;
      const spread = fixed(mad(values) / size);
      const head = [size.toLocaleString('en'), name, fixed(ns), spread];
      return [...head, fixed(bytes / ns, 1), `${fixed(ratio, 2)}×`];
    }),
  );
  const columns = {
    n: 'right',
    contender: 'left',
    'ns/param': 'right',
    '± MAD': 'right',
    'GB/s': 'right',
    'vs wasm simd': 'right',
  } as const;
  return textTable(columns, rows);
}

async function main(): Promise<void> {
  const { rounds, out, values } = parseCommandOptions(15, {
    // Internal: time one contender of one size, print the nanoseconds per call, and end.
    contender: { type: 'string' },
    size: { type: 'string' },
  } as const);
  if (values.contender !== undefined) {
    const body = await CONTENDERS[values.contender]!(Number(values.size));
    const times = await timesOf(new Map([['it', body]]), 1);
    console.log(times.it![0]);
    return;
  }
  const native = compileNativeStep();
  const environment = describeSingleEnvironment();
  console.log(`${environmentLine(environment)}; ${rounds} interleaved rounds`);
  if (native.reason) console.log(`native yardstick: unsupported (${native.reason})`);
  const sizes = await measureSizes(native, rounds);
  native.remove();
  console.log(sizeTable(sizes));
  const dead = await measureDead(3 * rounds);
  const layouts = await measureLayouts(3 * rounds);
  const dispatch = measureDispatch();
  const claims = [
    ...claimsOfSizes(sizes),
    ...[10, 100].map((percent) => {
      const ratio = ratioOf(dead, `${percent}% dead`, '0% dead');
      return atMost(`${percent}% dead coordinates / none`, ratio, 1.05);
    }),
    atMost(
      '100 tensors of 100 / 1 tensor of 10,000',
      ratioOf(layouts, '100 tensors of 100', '1 tensor of 10,000'),
      3,
    ),
  ];
  if (dispatch) {
    const { spinning, parked } = dispatch;
    claims.push(atMost('dispatch to a spinning worker and back, p50, µs', spinning.p50, 15));
    const [p50, p90] = [fixed(parked.p50, 1), fixed(parked.p90, 1)];
    console.log(`dispatch to a parked worker and back: p50 ${p50} µs, p90 ${p90} µs`);
  } else console.log('dispatch to a worker: not measured (needs a clone of adal-wasm)');
  const verdicts = claims.map(({ text, limit, value, holds }) => [
    text,
    limit,
    fixed(value, 2),
    holds ? 'holds' : 'MISSED',
  ]);
  const columns = { required: 'left', limit: 'right', measured: 'right', '': 'left' } as const;
  console.log(textTable(columns, verdicts));
  if (out === undefined) return;
  const file = saveSingleResult(out, {
    benchmark: 'step',
    environment,
    rounds,
    unit: 'ns a call',
    sizes: Object.fromEntries(sizes),
    dead,
    layouts,
    dispatch,
    claims,
  });
  console.log(`raw samples: ${file}`);
}

await runBenchmark(main);
