/**
 * Timing loops. Contenders are timed in interleaved rounds whose order is reversed in every second
 * round, so that a busy moment of the machine hits all of them.
 *
 * benchmark.js runs the loop where it can be loaded; it generates code, which workerd and strict
 * pages forbid, and a plain loop replaces it there. Its traps are avoided: no setup or teardown
 * (closures are lost in them), `error` is checked, and every timed function returns a number that
 * goes to a sink.
 */

/** A function to time. Its return value keeps engines from dropping the work. */
export type Body = () => number;

/** Times one function: nanoseconds per call. */
export type TimeOnce = (body: Body) => number;

/** Sum of all that timed functions returned. */
export let sink = 0;

const MIN_SAMPLE_MS = 20;
/** Reading a clock costs up to a tick: half a percent of a sample. */
const TICKS_A_SAMPLE = 200;
const WARM_UP_CALLS = 3;
/** Relative change of the canary's time over a block up to which the machine counts as stable. */
const DRIFT = 0.05;

interface BenchmarkRun {
  options: object;
  error?: Error;
  stats: { sample: number[] };
  run(options: object): void;
}

type BenchmarkClass = new (name: string, body: () => void) => BenchmarkRun;

export interface TimerOptions {
  /** Samples taken at least per timing; the median counts. @default 1 */
  samples?: number;
  /** Duration of a timing, ms, over all of its samples. @default the duration of one sample */
  timingMs?: number;
}

let loaded: Promise<BenchmarkClass | null> | null = null;

/** Returns the duration of a sample, ms, that the clock's tick does not blur. */
export const sampleMsFor = (timerTickMs: number): number =>
  Math.max(MIN_SAMPLE_MS, TICKS_A_SAMPLE * timerTickMs);

/**
 * Creates the timing function of this runtime.
 * @param timerTickMs resolution of the clock, ms
 */
export async function createTimer(
  timerTickMs: number,
  options: TimerOptions = {},
): Promise<TimeOnce> {
  const Benchmark = await (loaded ??= loadBenchmark());
  const sampleMs = sampleMsFor(timerTickMs);
  return Benchmark ? byBenchmark(Benchmark, sampleMs, options) : byLoop(sampleMs);
}

async function loadBenchmark(): Promise<BenchmarkClass | null> {
  try {
    const name = 'benchmark';
    return (await import(/* @vite-ignore */ name)).default as BenchmarkClass;
  } catch {
    return null;
  }
}

function byBenchmark(
  Benchmark: BenchmarkClass,
  sampleMs: number,
  // One sample a round by default: rounds, not samples within one, tell how much times scatter.
  { samples = 1, timingMs = sampleMs }: TimerOptions,
): TimeOnce {
  return (body) => {
    const bench = new Benchmark('body', () => {
      sink += body();
    });
    Object.assign(bench.options, {
      minTime: sampleMs / 1000,
      maxTime: timingMs / 1000,
      minSamples: samples,
      initCount: 1,
    });
    bench.run({ async: false });
    if (bench.error) throw bench.error;
    const { sample } = bench.stats;
    return sample.sort((a, b) => a - b)[sample.length >> 1]! * 1e9;
  };
}

/** Creates a timing function that doubles the number of calls until a sample is long enough. */
export function byLoop(sampleMs: number): TimeOnce {
  return (body) => {
    for (let calls = 1; ; calls *= 2) {
      const begin = performance.now();
      for (let i = 0; i < calls; i++) sink += body();
      const elapsed = performance.now() - begin;
      if (elapsed >= sampleMs) return (elapsed / calls) * 1e6;
      // Close to the number that will do, once there is something to go by.
      if (elapsed > sampleMs / 50)
        calls = Math.max(calls, Math.floor((0.6 * calls * sampleMs) / elapsed));
    }
  };
}

export interface Timings {
  /** Nanoseconds per call, by contender and round. */
  readonly samples: Map<string, number[]>;
  /** Whether the machine was as fast after the rounds as before them. */
  readonly stable: boolean;
}

/**
 * Times all contenders once per round.
 * @param timeOnce timing function, from `createTimer`
 * @param contenders functions to time, by name
 * @param onRound called after each round with its index
 */
export function timeRounds(
  timeOnce: TimeOnce,
  contenders: ReadonlyMap<string, Body>,
  rounds: number,
  onRound: (round: number) => void = () => {},
): Timings {
  const names = [...contenders.keys()];
  const samples = new Map<string, number[]>(names.map((name) => [name, []]));
  for (const body of contenders.values()) for (let i = 0; i < WARM_UP_CALLS; i++) sink += body();
  timeOnce(canary); // The first timing compiles it.
  const before = timeOnce(canary);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? [...names].reverse() : names;
    for (const name of order) samples.get(name)!.push(shorten(timeOnce(contenders.get(name)!)));
    onRound(round);
  }
  const after = timeOnce(canary);
  return { samples, stable: Math.abs(after / before - 1) <= DRIFT };
}

/** Rounds to five significant digits. */
const shorten = (value: number): number => Number(value.toPrecision(5));

/** Arithmetic in registers: its time depends on nothing but the machine's speed. */
function canary(): number {
  let x = 1;
  for (let i = 0; i < 2000; i++) x = x * 1.0000001 + 1e-9;
  return x;
}
