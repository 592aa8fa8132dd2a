/**
 * Runs the task in the page's address, posts the outcome, and goes to the next page that the server
 * names.
 */
import {
  longestFrameGap,
  measureLifetimes,
  prepareTraining,
  runSuite,
  testFallbacks,
} from './chunks/suite.js';

const query = new URLSearchParams(location.search);
const argument = JSON.parse(query.get('argument') ?? 'null');

/** Runs a function of the suite in a web worker. */
function inWorker(name, ...args) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./page-worker.js', import.meta.url), { type: 'module' });
    worker.onerror = (event) => reject(new Error(`worker: ${event.message}`));
    worker.onmessage = ({ data }) => {
      worker.terminate();
      if (data.error) reject(new Error(data.error));
      else resolve(data.value);
    };
    worker.postMessage({ name, args });
  });
}

/** Returns the JavaScript heap after a collection; engines report it only with certain flags. */
function heapBytes() {
  if (typeof gc !== 'function' || !performance.memory) return null;
  gc();
  return performance.memory.usedJSHeapSize;
}

/**
 * Measures the longest frame gap while idle, while a worker trains, and while this thread trains.
 */
async function measureFrames(durationMs) {
  const threads = crossOriginIsolated ? 2 : 1;
  const train = await prepareTraining(threads, 'stepAsync');
  return {
    idle: await longestFrameGap(() => new Promise((resolve) => setTimeout(resolve, durationMs, 0))),
    worker: await longestFrameGap(() => inWorker('train', durationMs, threads)),
    main: await longestFrameGap(() => train(durationMs)),
  };
}

const TASKS = {
  suite: (configuration) => runSuite(configuration, null),
  'suite in a worker': (configuration) => inWorker('runSuite', configuration, null),
  fallbacks: (headers) => testFallbacks(headers),
  frames: measureFrames,
  lifetimes: (cycles) => measureLifetimes(cycles, heapBytes),
};

async function run() {
  try {
    return { value: await TASKS[query.get('task')](argument) };
  } catch (error) {
    return { error: `${error}\n${error?.stack}` };
  }
}

const outcome = await run();
const body = JSON.stringify({
  id: Number(query.get('id')),
  isolated: crossOriginIsolated,
  agent: navigator.userAgent,
  ...outcome,
});
const headers = { 'content-type': 'application/json' };
const { next } = await (await fetch('../report', { method: 'POST', headers, body })).json();
if (next) location.href = next;
