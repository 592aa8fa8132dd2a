/**
 * Serves 1,000 tenants in turn from one isolate with one runtime: restores 9,610 parameters, learns
 * from 16 samples, saves. Answers with times and memory.
 */
import { CLASSES, FEATURES, learn, sharedRuntime } from './learner.js';

const TENANTS = 1000;
const ROUNDS = 4;
/** Requests that are timed together, because the clock of workerd ticks in milliseconds. */
const TIMED_TOGETHER = 20;

function samplesOf(tenant, round) {
  const sample = (index) => ({
    features: Array.from({ length: FEATURES }, (_, i) =>
      Math.fround(((tenant * 31 + round * 17 + index * 7 + i) % 13) / 13),
    ),
    label: (tenant + index) % CLASSES,
  });
  return Array.from({ length: 16 }, (_, index) => sample(index));
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Serves one request of one tenant. */
async function serve(saved, tenant, round) {
  const { bytes, answer } = await learn(saved[tenant], samplesOf(tenant, round), 128);
  if (answer.updates !== round + 1)
    throw new Error(`tenant ${tenant} has learnt ${answer.updates} times, not ${round + 1}`);
  saved[tenant] = bytes;
}

async function serveAll() {
  const saved = new Array(TENANTS).fill(null);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const times = [];
    for (let tenant = 0; tenant < TENANTS; tenant += TIMED_TOGETHER) {
      const start = performance.now();
      for (let offset = 0; offset < TIMED_TOGETHER; offset++)
        await serve(saved, tenant + offset, round);
      times.push((performance.now() - start) / TIMED_TOGETHER);
    }
    const { memoryBytes, usedBytes } = (await sharedRuntime()).info;
    rounds.push({ p50Ms: median(times), memoryBytes, usedBytes, checkpointBytes: saved[0].length });
  }
  return rounds;
}

/** Counts bytes of freed memory that are not zero: no tenant may ever see another's data. */
async function leftovers() {
  const { buffer } = (await sharedRuntime()).memory;
  return new Uint8Array(buffer).reduce((count, byte) => count + (byte === 0 ? 0 : 1), 0);
}

export default {
  async fetch() {
    const { usedBytes } = (await sharedRuntime()).info;
    return Response.json({ usedBytes, rounds: await serveAll(), leftovers: await leftovers() });
  },
};
