/**
 * npm run bench:train — measures what training costs, beside TensorFlow.js, jax-js, plain
 * JavaScript, native PyTorch and a C program: steps of models, products, whole fits, and the most
 * memory each takes.
 *
 *   node bench/train/index.js [--only <part of a workload's name>] [--rounds 9] [--out folder] [--readme]
 *
 * Every engine runs in a process of its own, one thread unless said, and samples are interleaved
 * round by round. Before anything is timed all engines take the same steps from the same first
 * weights, and their losses must agree. Engines are compared by the CPU time of their processes, so
 * that others on the machine weigh less; several threads by the clock.
 * --readme writes the README's table from the result. PyTorch needs python3-torch and
 * libopenblas0-pthread (Debian).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { replaceFile } from '../../scripts/replace-file.js';
import { environment } from '../harness/environment.js';
import { median } from '../harness/stats.js';
import { compileTwins } from './native.js';
import { ADAL, Contender, contendersOf, findPyTorch, installPeers, isLarge } from './peers.js';
import { reportOf } from './report.js';
import { WORKLOADS } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    out: { type: 'string' },
    readme: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(options.rounds);
if (!(Number.isInteger(ROUNDS) && ROUNDS > 0))
  throw new Error(`--rounds must be a positive integer, got ${options.rounds}`);
if (options.readme && options.only !== undefined)
  throw new Error('--readme needs all workloads: leave --only out');
const SAMPLE_MS = 200;
/**
 * Calls before a sample, unless one takes longer than this. On virtual machines a core that has
 * slept comes back late: on Firecracker two threads shared one core for up to 300 ms after another
 * process had run. One thread needs less.
 */
const WARM_MS = 100;
const WARM_MS_OF_THREADS = 300;
/** Calls longer than this are timed in SLOW_ROUNDS rounds only. */
const SLOW_MS = 500;
const SLOW_ROUNDS = 3;
/** Steps that all engines take before timing, and how far their losses may be apart, relatively. */
const PEAK_ROUNDS = 9;
const CHECK_STEPS = 3;
const TOLERANCE = 1e-3;

/** Starts a contender and lets it take its first steps; what it cannot do is its result. */
async function begin(workload, label, launch) {
  const contender = launch(workload);
  try {
    const { version, blas } = await contender.start();
    const first = await contender.ask(`losses ${workload.kind === 'step' ? CHECK_STEPS : 1}`);
    return { label, contender, version, ...(blas && { blas }), first, ns: [], cpu: [] };
  } catch (error) {
    contender.end();
    if (label === ADAL) throw error; // There is nothing to compare with then.
    return { label, unsupported: error.message };
  }
}

/** Fits shuffle as they please: only what all compute alike is compared. */
function disagreement({ kind }, running) {
  if (kind === 'fit') return null;
  const reference = running.find(({ label }) => label === ADAL).first;
  return Math.max(
    ...running.flatMap(({ first }) =>
      first.map((loss, i) => Math.abs(loss - reference[i]) / Math.abs(reference[i])),
    ),
  );
}

async function time(running, workload) {
  const warm = isLarge(workload) ? WARM_MS_OF_THREADS : WARM_MS;
  for (let round = 0; round < ROUNDS; round++) {
    for (const entry of round % 2 ? running.toReversed() : running) {
      if (round >= SLOW_ROUNDS && entry.ns[0] > SLOW_MS * 1e6) continue;
      if (!(entry.ns[0] > warm * 1e6)) await entry.contender.ask(`sample ${warm}`);
      const { calls, ns, cpu } = await entry.contender.ask(`sample ${SAMPLE_MS}`);
      entry.ns.push(ns / calls);
      entry.cpu.push(cpu / calls);
    }
  }
}

/**
 * {workload, apart, results: [{label, version, ns, cpu, bytes} or {label, unsupported}]}; times are
 * ns a call, by round.
 */
async function measure(workload, natives) {
  process.stderr.write(`${workload.name} …\n`);
  const entries = [];
  for (const [label, launch] of Object.entries(contendersOf(workload, natives))) {
    entries.push(await begin(workload, label, launch));
  }
  const running = entries.filter(({ contender }) => contender);
  const apart = disagreement(workload, running);
  if (apart > TOLERANCE)
    throw new Error(`${workload.name}: the engines' losses are ${apart} apart`);
  await time(running, workload);
  for (const entry of running) {
    entry.bytes = await entry.contender.ask('memory');
    entry.contender.end();
  }
  const results = entries.map(({ contender, ...rest }) => rest);
  return { workload, apart, results };
}

/**
 * The most multiplications and additions that a core does a second, in GFLOP/s, with each width of
 * vectors; null without C.
 */
async function measurePeaks({ narrow, wide }) {
  const peaks = {};
  for (const [name, { program }] of Object.entries({ narrow, wide })) {
    if (!program) return null;
    const contender = new Contender(program, ['peak']);
    const { flops } = await contender.start();
    const samples = [];
    for (let round = 0; round < PEAK_ROUNDS; round++) {
      const { calls, cpu } = await contender.ask(`sample ${WARM_MS}`);
      samples.push((flops * calls) / cpu);
    }
    contender.end();
    peaks[name] = median(samples);
  }
  return peaks;
}

function writeReadme(result) {
  const script = new URL('../../scripts/readme-train.js', import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, [script, result], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  else console.log('README.md has the new table of training speeds');
}

installPeers();
const twins = compileTwins();
const natives = { python: findPyTorch(), twins };
const chosen = WORKLOADS.filter(({ name }) => name.includes(options.only ?? ''));
const measured = [];
for (const workload of chosen) measured.push(await measure(workload, natives));

const peaks = await measurePeaks(twins);
twins.remove();

const compiled = {
  narrow: twins.narrow.flags ?? twins.narrow.reason,
  wide: twins.wide.flags ?? twins.wide.reason,
};
const env = { ...environment(), pytorch: natives.python ? 'present' : 'none here', compiled };
const { markdown, claims } = reportOf(env, measured, ROUNDS, peaks);
console.log(markdown);
const folder =
  options.out ?? (options.only ? null : new URL('../results', import.meta.url).pathname);
if (folder) {
  mkdirSync(folder, { recursive: true });
  const base = join(folder, `train-${env.date}-node${process.versions.node.split('.')[0]}`);
  const raw = {
    version: 2,
    environment: env,
    rounds: ROUNDS,
    unit: 'ns a call',
    peaks,
    measured,
    claims,
  };
  replaceFile(`${base}.json`, `${JSON.stringify(raw)}\n`);
  replaceFile(`${base}.md`, `${markdown}\n`);
  console.log(`\n${base}.md and .json`);
  if (options.readme) writeReadme(`${base}.json`);
}
process.exit(process.exitCode ?? 0);
