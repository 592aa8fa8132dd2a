/**
 * npm run bench:train — what training costs, beside TensorFlow.js, plain JavaScript and native PyTorch: steps of models,
 * products, whole fits, and the most memory each takes.
 *
 *   node bench/train/index.js [--only <part of a workload's name>] [--rounds 9] [--out folder]
 *
 * Every engine runs in a process of its own, one thread unless said, and samples are interleaved round by round. Before
 * anything is timed all engines take the same steps from the same first weights, and their losses must agree.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { environment } from '../harness/environment.js';
import { ADAL, contendersOf, findPyTorch, installPeers } from './peers.js';
import { reportOf } from './report.js';
import { WORKLOADS } from './workloads.js';

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string', default: '9' }, out: { type: 'string' } },
});
const ROUNDS = Number(options.rounds);
const SAMPLE_MS = 200;
/**
 * Calls before a sample, unless one takes longer than this. On virtual machines a core that has slept comes back late: on
 * Firecracker two threads shared one core for up to 300 ms after another process had run.
 */
const WARM_MS = 300;
/** Calls longer than this are timed in SLOW_ROUNDS rounds only. */
const SLOW_MS = 500;
const SLOW_ROUNDS = 3;
/** Steps that all engines take before timing, and how far their losses may be apart, relatively. */
const CHECK_STEPS = 3;
const TOLERANCE = 1e-3;

/** Starts a contender and lets it take its first steps; what it cannot do is its result. */
async function begin(workload, label, launch) {
  const contender = launch(workload);
  try {
    const { version } = await contender.start();
    const first = await contender.ask(`losses ${workload.kind === 'step' ? CHECK_STEPS : 1}`);
    return { label, contender, version, first, ns: [] };
  } catch (error) {
    contender.end();
    return { label, unsupported: error.message };
  }
}

/** Fits shuffle as they please: only what all compute alike is compared. */
function disagreement({ kind }, running) {
  if (kind === 'fit') return null;
  const reference = running.find(({ label }) => label === ADAL).first;
  return Math.max(
    ...running.flatMap(({ first }) => first.map((loss, i) => Math.abs(loss - reference[i]) / Math.abs(reference[i]))),
  );
}

async function time(running) {
  for (let round = 0; round < ROUNDS; round++) {
    for (const entry of round % 2 ? running.toReversed() : running) {
      if (round >= SLOW_ROUNDS && entry.ns[0] > SLOW_MS * 1e6) continue;
      if (!(entry.ns[0] > WARM_MS * 1e6)) await entry.contender.ask(`sample ${WARM_MS}`);
      const { calls, ns } = await entry.contender.ask(`sample ${SAMPLE_MS}`);
      entry.ns.push(ns / calls);
    }
  }
}

/** {workload, apart, results: [{label, version, ns, bytes} or {label, unsupported}]} */
async function measure(workload, python) {
  process.stderr.write(`${workload.name} …\n`);
  const entries = [];
  for (const [label, launch] of Object.entries(contendersOf(workload, python))) {
    entries.push(await begin(workload, label, launch));
  }
  const running = entries.filter(({ contender }) => contender);
  const apart = disagreement(workload, running);
  if (apart > TOLERANCE) throw new Error(`${workload.name}: the engines' losses are ${apart} apart`);
  await time(running);
  for (const entry of running) {
    entry.bytes = await entry.contender.ask('memory');
    entry.contender.end();
  }
  const results = entries.map(({ contender, ...rest }) => rest);
  return { workload, apart, results };
}

installPeers();
const python = findPyTorch();
const chosen = WORKLOADS.filter(({ name }) => name.includes(options.only ?? ''));
const measured = [];
for (const workload of chosen) measured.push(await measure(workload, python));

const env = { ...environment(), pytorch: python ? 'present' : 'none here' };
const { markdown, claims } = reportOf(env, measured, ROUNDS);
console.log(markdown);
const folder = options.out ?? (options.only ? null : new URL('../results', import.meta.url).pathname);
if (folder) {
  mkdirSync(folder, { recursive: true });
  const base = join(folder, `train-${env.date}-node${process.versions.node.split('.')[0]}`);
  const raw = { version: 1, environment: env, rounds: ROUNDS, unit: 'ns a call', measured, claims };
  writeFileSync(`${base}.json`, `${JSON.stringify(raw)}\n`);
  writeFileSync(`${base}.md`, `${markdown}\n`);
  console.log(`\n${base}.md and .json`);
}
process.exit(0);
