/**
 * Times functions in interleaved rounds, in an order that turns. benchmark.js runs the timing loop
 * where it can be loaded (it generates code, which workerd and strict pages forbid), a plain loop
 * elsewhere. Its traps are kept away from: no setup or teardown (they lose closures), `error` is
 * checked, and every function returns a number that is fed to a sink.
 */

/** What is timed. */
export type Body = () => number;

/** Nanoseconds a call. */
export type TimeOnce = (body: Body) => number;

/** What timed functions return ends here, so that no engine may drop the work. */
export let sink = 0;

const MIN_SAMPLE_MS = 20;
/** Reading a clock costs up to a tick: half a percent of a sample. */
const TICKS_A_SAMPLE = 200;
const WARM_UP_CALLS = 3;
/** The canary may drift by so much between the beginning and the end of a block. */
const DRIFT = 0.05;

interface BenchmarkRun {
  options: object;
  error?: Error;
  stats: { sample: number[] };
  run(options: object): void;
}

type BenchmarkClass = new (name: string, body: () => void) => BenchmarkRun;

/** Decided once a runtime. */
let chosen: Promise<TimeOnce> | null = null;

/** How long a sample must be, so that the clock does not blur it. */
export const sampleMsFor = (timerTickMs: number): number =>
  Math.max(MIN_SAMPLE_MS, TICKS_A_SAMPLE * timerTickMs);

export function createTimer(timerTickMs: number): Promise<TimeOnce> {
  chosen ??= loadBenchmark().then((Benchmark) => {
    const sampleMs = sampleMsFor(timerTickMs);
    return Benchmark ? byBenchmark(Benchmark, sampleMs) : byLoop(sampleMs);
  });
  return chosen;
}

async function loadBenchmark(): Promise<BenchmarkClass | null> {
  try {
    const name = 'benchmark';
    return (await import(/* @vite-ignore */ name)).default as BenchmarkClass;
  } catch {
    return null;
  }
}

function byBenchmark(Benchmark: BenchmarkClass, sampleMs: number): TimeOnce {
  return (body) => {
    const bench = new Benchmark('body', () => {
      sink += body();
    });
    // One sample a round: rounds, not samples of one, tell how it scatters.
    Object.assign(bench.options, {
      minTime: sampleMs / 1000,
      maxTime: sampleMs / 1000,
      minSamples: 1,
      initCount: 1,
    });
    bench.run({ async: false });
    if (bench.error) throw bench.error;
    const { sample } = bench.stats;
    return sample.sort((a, b) => a - b)[sample.length >> 1] * 1e9;
  };
}

export function byLoop(sampleMs: number): TimeOnce {
  return (body) => {
    for (let calls = 1; ; calls *= 2) {
      const begin = performance.now();
      for (let i = 0; i < calls; i++) sink += body();
      const elapsed = performance.now() - begin;
      if (elapsed >= sampleMs) return (elapsed / calls) * 1e6;
      // Straight to what should do, once there is something to go by.
      if (elapsed > sampleMs / 50)
        calls = Math.max(calls, Math.floor((0.6 * calls * sampleMs) / elapsed));
    }
  };
}

export interface Timings {
  /** Nanoseconds a call, by contender and round. */
  readonly samples: Map<string, number[]>;
  /** Whether the machine was as fast after as before. */
  readonly stable: boolean;
}

export function timeRounds(
  timeOnce: TimeOnce,
  contenders: ReadonlyMap<string, Body>,
  rounds: number,
): Timings {
  const names = [...contenders.keys()];
  const samples = new Map<string, number[]>(names.map((name) => [name, []]));
  for (const body of contenders.values()) for (let i = 0; i < WARM_UP_CALLS; i++) sink += body();
  timeOnce(canary); // compiled before it counts
  const before = timeOnce(canary);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? [...names].reverse() : names;
    for (const name of order) samples.get(name)!.push(round3(timeOnce(contenders.get(name)!)));
  }
  const after = timeOnce(canary);
  return { samples, stable: Math.abs(after / before - 1) <= DRIFT };
}

const round3 = (value: number): number => Number(value.toPrecision(5));

/** Arithmetic in registers: nothing but the machine's own speed. */
function canary(): number {
  let x = 1;
  for (let i = 0; i < 2000; i++) x = x * 1.0000001 + 1e-9;
  return x;
}
