/**
 * Runs a cell of the plan: the search for its learning rate, then the final runs. Runs whose
 * results are known are not repeated.
 */
import { createOptimizer, type Optimizer, type OptimizerName, type Runtime } from 'adal-wasm';
import type { Options, Run, Search } from '../../schema/result';
import { optimizerOf, workloadOf } from '../registry';
import { compact, type Entry, keyOf } from '../result';
import { createSchedule } from '../schedules';
import {
  NO_FIGURES,
  type OptimizerConfig,
  type PreparedWorkload,
  type Problem,
  type StudyOptimizer,
} from '../types';
import { type Selection, selectLearningRate } from './grid';
import { type Cell, FIRST_SEARCH_SEED } from './plan';
import { type TrainOutcome, type TrainSettings, train } from './train';
import { createTransform } from './transform';

/** What is looked at during a run. */
type Looking = Pick<TrainSettings, 'evaluations' | 'curvePoints' | 'withTest'>;

const SEARCH: Looking = { evaluations: 10, curvePoints: 0, withTest: false };
/** A workload's extent may ask for fewer evaluations. */
const FINAL = { evaluations: 50, withTest: true };
const CURVE_POINTS = 40;
/** Final seeds of which curves are kept: enough for a band. */
const CURVES = 10;

/** What a former run of the suite has done of a cell, by key. */
export interface Known {
  readonly runs: ReadonlyMap<string, Run>;
  readonly searches: ReadonlyMap<string, Search>;
}

export interface CellContext {
  readonly runtime: Runtime;
  readonly environment: string;
  readonly prepared: PreparedWorkload;
  readonly known: Known;
  readonly report: (entry: Entry) => void;
}

export async function runCell(cell: Cell, context: CellContext): Promise<void> {
  const config = optimizerOf(cell.optimizer);
  if (cell.track === 'T0') return runFinals(cell, config.lr, context);
  const { field, direction } = workloadOf(cell.workload).selectBy;
  const selection = await selectLearningRate(
    config.lr,
    direction,
    async (lr) => (await search(cell, lr, context)).scores,
  );
  const { workload, optimizer, schedule } = cell;
  context.report({
    type: 'selection',
    value: { workload, optimizer, schedule, field, ...compacted(selection) },
  });
  if (selection.lr !== null) await runFinals(cell, selection.lr, context);
}

const compacted = (selection: Selection): Selection => ({
  ...selection,
  scores: selection.scores.map((score) => compact(score)),
});

/** One learning rate of the search: of its runs only the scores are kept. */
async function search(cell: Cell, lr: number, context: CellContext): Promise<Search> {
  const { workload: id, optimizer, schedule } = cell;
  const workload = workloadOf(id);
  const identity = { workload: id, workloadVersion: workload.version, optimizer, schedule, lr };
  const known = context.known.searches.get(keyOf('search', identity));
  if (known) return known;
  const scores: (number | null)[] = [];
  for (let k = 0; k < cell.searchSeeds; k++) {
    const { diverged, final } = await trainOn(context, cell, lr, FIRST_SEARCH_SEED + k, SEARCH);
    scores.push(diverged ? null : final[workload.selectBy.field]);
  }
  const entry: Search = { ...identity, scores };
  context.report({ type: 'search', value: entry });
  return entry;
}

async function runFinals(cell: Cell, lr: number, context: CellContext): Promise<void> {
  for (let seed = 0; seed < cell.finalSeeds; seed++) await runFinal(cell, lr, seed, context);
}

async function runFinal(cell: Cell, lr: number, seed: number, context: CellContext): Promise<void> {
  const { workload: id, optimizer, schedule, track, tier } = cell;
  const { version, tiers } = workloadOf(id);
  const identity = { workload: id, workloadVersion: version, optimizer, schedule, track, lr, seed };
  if (context.known.runs.has(keyOf('run', identity))) return;
  const options: Options = optimizerOf(optimizer).transform
    ? { ...optimizerOf(optimizer).transform }
    : {};
  const evaluations = tiers[tier]!.evaluations ?? FINAL.evaluations;
  const outcome = await trainOn(context, cell, lr, seed, {
    ...FINAL,
    evaluations,
    curvePoints: seed < CURVES ? CURVE_POINTS : 0,
  });
  const value: Run = {
    ...identity,
    environment: context.environment,
    options,
    status: 'ok',
    reason: null,
    ...outcome,
  };
  context.report({ type: 'run', value });
}

async function trainOn(
  { runtime, prepared }: CellContext,
  { optimizer: id, schedule, workload: workloadId, tier }: Cell,
  lr: number,
  seed: number,
  looking: Looking,
): Promise<TrainOutcome> {
  const config = optimizerOf(id);
  const workload = workloadOf(workloadId);
  const problem = await prepared.create(runtime, seed);
  const totalSteps = workload.tiers[tier]!.epochs * problem.stepsPerEpoch;
  const optimizer = await createConfigured(
    config,
    problem,
    runtime,
    createSchedule(schedule, lr, totalSteps),
  );
  try {
    const transform = config.transform
      ? createTransform(problem, optimizer, config.transform)
      : null;
    return train(problem, optimizer, { workload, totalSteps, ...looking }, transform);
  } finally {
    optimizer.dispose();
    problem.dispose();
  }
}

/** Creates a configured optimizer for a problem. */
export async function createConfigured(
  config: OptimizerConfig,
  problem: Problem,
  runtime: Runtime,
  lr: number | ((step: number) => number),
): Promise<StudyOptimizer> {
  return config.create
    ? config.create(problem, runtime, lr)
    : createFromLibrary(config, problem, runtime, lr);
}

/** Creates an optimizer of the library, with all that the library gives it. */
export function createFromLibrary(
  { name, options }: OptimizerConfig,
  problem: Problem,
  runtime: Runtime,
  lr: number | ((step: number) => number),
): Promise<Optimizer> {
  return createOptimizer(name as OptimizerName, problem.parameters, {
    ...options,
    lr,
    runtime,
    onNonFinite: 'skip',
  } as never);
}

/** For a cell that cannot be run: its first final run, with the reason. */
export function unsupportedRun(cell: Cell, environment: string, reason: string): Run {
  const { workload, optimizer, schedule, track } = cell;
  return {
    environment,
    workload,
    workloadVersion: workloadOf(workload).version,
    optimizer,
    options: {},
    schedule,
    track,
    lr: optimizerOf(optimizer).lr,
    seed: 0,
    status: 'unsupported',
    reason,
    diverged: false,
    divergedStep: null,
    steps: 0,
    final: NO_FIGURES,
    best: { step: null, figures: NO_FIGURES },
    stepsToTarget: null,
    secondsPerStep: null,
    curve: null,
    hash: null,
  };
}
