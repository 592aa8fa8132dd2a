/** Runs one function of the suite in a worker, where the thread may block. */
import { prepareTraining, runSuite } from './chunks/suite.js';

const FUNCTIONS = {
  runSuite,
  train: async (durationMs, threads) => (await prepareTraining(threads, 'step'))(durationMs),
};

self.onmessage = async ({ data: { name, args } }) => {
  try {
    postMessage({ value: await FUNCTIONS[name](...args) });
  } catch (error) {
    postMessage({ error: `${error}\n${error?.stack}` });
  }
};
