/**
 * npm run bench:train -- [--only <part of a name>] [--rounds 9] [--out folder] [--readme]
 *
 * Measures training beside TensorFlow.js, jax-js, plain JavaScript, native PyTorch and a C program:
 * steps of models, products, whole fits, and the peak memory of each.
 *
 * Every engine runs in a process of its own, on one thread unless stated, and samples are
 * interleaved round by round. Before anything is timed, all engines take the same steps from the
 * same first weights, and their losses must agree. Engines are compared by the CPU time of their
 * processes, on which other programs weigh less; several threads are compared by wall time.
 *
 * `--readme` writes the README's table from the result. PyTorch needs python3-torch and
 * libopenblas0-pthread (Debian).
 */
import { mkdirSync } from 'node:fs';
import { README, sectionsOf } from '../readme/sections';
import { benchPath } from '../toolkit/bench-folder';
import { parseCommandOptions, runBenchmark } from '../toolkit/command-options';
import { findPyTorch } from '../toolkit/python';
import { writeSections } from '../toolkit/readme-sections';
import { replaceText } from '../toolkit/replace-text';
import {
  describeSingleEnvironment,
  type SingleResult,
  saveSingleResult,
  singleResultBase,
} from '../toolkit/single-result';
import { median } from '../toolkit/statistics';
import { type CTwins, compileTwins } from './c-twins';
import {
  type Contender,
  contendersOf,
  installPeers,
  isLarge,
  type Launch,
  type Natives,
  ProcessContender,
} from './contenders';
import { ADAL, PEAK } from './labels';
import { claimsOf, trainMarkdown } from './report';
import type { Measured, MeasuredWorkload, Peaks, TrainResult, Unsupported } from './result';
import { WORKLOADS, type Workload } from './workloads';

const SAMPLE_MS = 200;
/**
 * Duration of calls before a sample, unless one takes longer. On virtual machines a core that has
 * slept comes back late: on Firecracker two threads shared one core for up to 300 ms after another
 * process had run. One thread needs less.
 */
const WARM_MS = 100;
const WARM_MS_OF_THREADS = 300;
/** Calls longer than this are timed in SLOW_ROUNDS rounds only. */
const SLOW_MS = 500;
const SLOW_ROUNDS = 3;
const PEAK_ROUNDS = 9;
/** Steps that all engines take before timing, and the largest relative difference of losses. */
const CHECK_STEPS = 3;
const TOLERANCE = 1e-3;

/** A contender that took its first steps. */
interface Running {
  readonly contender: Contender;
  readonly measured: Omit<Measured, 'bytes'>;
}

/** Starts a contender and lets it take its first steps. One that cannot says why. */
async function begin(
  workload: Workload,
  label: string,
  launch: Launch,
): Promise<Running | Unsupported> {
  const contender = launch(workload);
  try {
    const { version, blas } = await contender.start();
    const first = await contender.ask('losses', workload.kind === 'step' ? CHECK_STEPS : 1);
    const measured = { label, version, ...(blas && { blas }), first, ns: [], cpu: [] };
    return { contender, measured };
  } catch (error) {
    contender.end();
    if (label === ADAL) throw error; // There is nothing to compare with.
    return { label, unsupported: (error as Error).message };
  }
}

/** Returns how far the engines' first losses are apart. Fits shuffle: theirs are not compared. */
function disagreement({ kind }: Workload, running: readonly Running[]): number | null {
  if (kind === 'fit') return null;
  const reference = running.find(({ measured }) => measured.label === ADAL)!.measured.first;
  const trained = running.filter(({ measured }) => measured.label !== PEAK);
  const differences = trained.flatMap(({ measured }) =>
    measured.first.map((loss, i) => Math.abs(loss - reference[i]!) / Math.abs(reference[i]!)),
  );
  return Math.max(...differences);
}

async function time(
  running: readonly Running[],
  workload: Workload,
  rounds: number,
): Promise<void> {
  const warm = isLarge(workload) ? WARM_MS_OF_THREADS : WARM_MS;
  for (let round = 0; round < rounds; round++) {
    for (const { contender, measured } of round % 2 ? [...running].reverse() : running) {
      const [firstTime = 0] = measured.ns;
      if (round >= SLOW_ROUNDS && firstTime > SLOW_MS * 1e6) continue;
      if (firstTime <= warm * 1e6) await contender.ask('sample', warm);
      const { calls, ns, cpu } = await contender.ask('sample', SAMPLE_MS);
      measured.ns.push(ns / calls);
      measured.cpu.push(cpu / calls);
    }
  }
}

async function measure(
  workload: Workload,
  natives: Natives,
  rounds: number,
): Promise<MeasuredWorkload> {
  process.stderr.write(`${workload.name} …\n`);
  const entries: (Running | Unsupported)[] = [];
  for (const [label, launch] of contendersOf(workload, natives))
    entries.push(await begin(workload, label, launch));
  const running = entries.filter((entry): entry is Running => 'contender' in entry);
  const apart = disagreement(workload, running);
  if (apart !== null && apart > TOLERANCE)
    throw new Error(`${workload.name}: the losses of the engines differ by ${apart}`);
  await time(running, workload, rounds);
  const results: (Measured | Unsupported)[] = [];
  for (const entry of entries) {
    if (!('contender' in entry)) {
      results.push(entry);
      continue;
    }
    results.push({ ...entry.measured, bytes: await entry.contender.ask('memory') });
    entry.contender.end();
  }
  return { workload, apart, results };
}

/** Measures the speed of one core's vectors; null without C. */
async function measurePeaks({ narrow, wide }: CTwins): Promise<Peaks | null> {
  if (narrow.program === undefined || wide.program === undefined) return null;
  const speedOf = async (program: string): Promise<number> => {
    const contender = new ProcessContender(program, ['peak']);
    const { flops } = await contender.start();
    const speeds: number[] = [];
    for (let round = 0; round < PEAK_ROUNDS; round++) {
      const { calls, cpu } = await contender.ask('sample', WARM_MS);
      speeds.push((flops! * calls) / cpu);
    }
    contender.end();
    return median(speeds);
  };
  return { narrow: await speedOf(narrow.program), wide: await speedOf(wide.program) };
}

async function main(): Promise<void> {
  const { rounds, out, values } = parseCommandOptions(9, {
    only: { type: 'string' },
    readme: { type: 'boolean' },
  } as const);
  const { only, readme } = values;
  if (readme && only !== undefined)
    throw new Error('--readme needs all workloads: leave --only out');
  installPeers();
  const twins = compileTwins();
  const natives = { python: findPyTorch(), twins };
  const measured: MeasuredWorkload[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => name.includes(only ?? '')))
    measured.push(await measure(workload, natives, rounds));
  const peaks = await measurePeaks(twins);
  twins.remove();
  const environment = {
    ...describeSingleEnvironment(),
    pytorch: natives.python ? 'present' : 'none here',
    compiled: {
      narrow: twins.narrow.flags ?? twins.narrow.reason!,
      wide: twins.wide.flags ?? twins.wide.reason!,
    },
  };
  const result: TrainResult & SingleResult = {
    benchmark: 'train',
    environment,
    rounds,
    unit: 'ns a call',
    peaks,
    measured,
    claims: claimsOf(measured),
  };
  const markdown = trainMarkdown(result);
  console.log(markdown);
  const folder = out ?? (only === undefined ? benchPath('results') : undefined);
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    const base = singleResultBase(folder, 'train', environment);
    saveSingleResult(folder, result);
    replaceText(`${base}.md`, `${markdown}\n`);
    console.log(`\n${base}.md and .json`);
  }
  if (readme) {
    writeSections(README, sectionsOf(result));
    console.log('README.md has the new table of training speeds');
  }
}

await runBenchmark(main);
