/**
 * Times functions with benchmark.js in interleaved rounds. benchmark.js is used for what it does
 * well, the calibrated timing loop; its traps are kept away from: no setup or teardown (they lose
 * closures), `error` is checked, and every function returns something that is fed to a sink.
 */
import Benchmark from 'benchmark';
import { median } from './stats.js';

/** What timed functions return ends here, so that no engine may drop the work. */
export let sink = 0;

/** Seconds one sample lasts at least, and all samples of a timing together. */
const SAMPLE_SECONDS = 0.02;
const TIMING_SECONDS = 0.15;

/** Nanoseconds a call: the median over the samples of one run of benchmark.js. */
export function timeOnce(name, body) {
  const bench = new Benchmark(name, () => {
    sink += body();
  });
  Object.assign(bench.options, {
    minTime: SAMPLE_SECONDS,
    maxTime: TIMING_SECONDS,
    minSamples: 3,
    initCount: 1,
  });
  bench.run({ async: false });
  if (bench.error) throw bench.error;
  return median(bench.stats.sample) * 1e9;
}

/**
 * Runs all contenders once a round, in an order that turns round by round; nanoseconds a call, by
 * contender and round.
 * @param contenders {name: function returning a number}
 */
export function timeRounds(contenders, rounds, onRound = () => {}) {
  const names = Object.keys(contenders);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) for (let i = 0; i < 3; i++) sink += contenders[name]();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? [...names].reverse() : names;
    for (const name of order) times[name].push(timeOnce(name, contenders[name]));
    onRound(round);
  }
  return times;
}
