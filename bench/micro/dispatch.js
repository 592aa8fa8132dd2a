/**
 * What it costs to share a step. A second thread that begins L late on work that takes T alone finishes it at (T + L)/2; so
 * L, the latency that counts, is 2·(time of two) - (time of one). It is measured with the worker spinning (steps back to
 * back) and parked (after a pause).
 */
import { AdaL, createRuntime } from '../../dist/index.js';
import { median, quantile } from '../harness/stats.js';

const JOBS = 400;
/** Well past the time that workers spin. */
const PAUSE_MS = 3;

async function optimizerOn(options, length) {
  const optimizer = new AdaL(await createRuntime(options), { w: { shape: [length] } });
  optimizer.grads.w.fill(1e-3);
  return optimizer;
}

/** Microseconds of each of many steps, with a pause before each. */
async function timeSteps(optimizer, pauseMs) {
  const times = [];
  for (let i = 0; i < JOBS; i++) {
    if (pauseMs) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const begin = performance.now();
    optimizer.step();
    times.push(1000 * (performance.now() - begin));
  }
  return times;
}

export async function measureDispatch() {
  const length = 262_144;
  const one = await optimizerOn({ backend: 'simd' }, length);
  const two = await optimizerOn({ backend: 'threads', threads: 2, parallelThreshold: 0 }, length);
  for (let i = 0; i < 200; i++) one.step() && two.step();
  const result = {};
  for (const [name, pauseMs] of [
    ['spinning', 0],
    ['parked', PAUSE_MS],
  ]) {
    const alone = median(await timeSteps(one, pauseMs));
    const shared = await timeSteps(two, pauseMs);
    const latencies = shared.map((time) => Math.max(0, 2 * time - alone));
    result[name] = { p50: quantile(latencies, 0.5), p90: quantile(latencies, 0.9), alone, shared: median(shared) };
  }
  const tiny = await optimizerOn({ backend: 'threads', threads: 2, parallelThreshold: 0 }, 16);
  for (let i = 0; i < 2000; i++) tiny.step();
  result.tinyJob = { p50: quantile(await timeSteps(tiny, 0), 0.5) };
  const perParameter = result.parked.alone / length;
  result.breakEven = Math.round(result.parked.p50 / perParameter);
  return result;
}
