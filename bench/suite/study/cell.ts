/** Runs a cell of the plan: the search for its learning rate, then the final runs. What is known already is not run again. */
import { createOptimizer, type Optimizer, type Runtime } from '../../../src/index';
import type { Options, Run } from '../../schema/result';
import { optimizerOf, workloadOf } from '../registry';
import { compact, type Entry, keyOf } from '../result';
import { createSchedule } from '../schedules';
import { NO_FIGURES, type OptimizerConfig, type PreparedWorkload, type Problem, type Workload } from '../types';
import { type Selection, selectLearningRate } from './grid';
import { type Cell, FIRST_SEARCH_SEED } from './plan';
import { type TrainOutcome, train } from './train';
import { createTransform } from './transform';

const EVALUATIONS = { search: 10, final: 50 };
const CURVE_POINTS = 40;
/** Final seeds of which curves are kept: enough for a band. */
const CURVES = 10;

export interface CellContext {
  readonly runtime: Runtime;
  readonly environment: string;
  readonly prepared: PreparedWorkload;
  /** Runs of the cell that a former run of the suite has done, by key. */
  readonly known: ReadonlyMap<string, Run>;
  readonly report: (entry: Entry) => void;
}

export async function runCell(cell: Cell, context: CellContext): Promise<void> {
  const config = optimizerOf(cell.optimizer);
  if (cell.track === 'T0') return runFinals(cell, config.lr, context);
  const { selectBy } = workloadOf(cell.workload);
  const { field, direction } = selectBy;
  const selection = await selectLearningRate(config.lr, direction, async (lr) => {
    const scores: (number | null)[] = [];
    for (let k = 0; k < cell.searchSeeds; k++) {
      const { diverged, final } = await runOnce(cell, lr, FIRST_SEARCH_SEED + k, 'search', context);
      scores.push(diverged ? null : final[field]);
    }
    return scores;
  });
  const { workload, optimizer, schedule } = cell;
  context.report({ type: 'selection', value: { workload, optimizer, schedule, field, ...compacted(selection) } });
  if (selection.lr !== null) await runFinals(cell, selection.lr, context);
}

const compacted = (selection: Selection): Selection => ({
  ...selection,
  scores: selection.scores.map((score) => compact(score)),
});

async function runFinals(cell: Cell, lr: number, context: CellContext): Promise<void> {
  for (let seed = 0; seed < cell.finalSeeds; seed++) await runOnce(cell, lr, seed, 'final', context);
}

async function runOnce(cell: Cell, lr: number, seed: number, phase: Run['phase'], context: CellContext): Promise<Run> {
  const { workload: id, optimizer, schedule, track, tier } = cell;
  const workload = workloadOf(id);
  const identity = { workload: id, workloadVersion: workload.version, optimizer, schedule, track, phase, lr, seed };
  const known = context.known.get(keyOf('run', identity));
  if (known) return known;
  const extra: Options = optimizerOf(optimizer).transform ? { ...optimizerOf(optimizer).transform } : {};
  const entry: Run = {
    ...identity,
    environment: context.environment,
    options: extra,
    status: 'ok',
    reason: null,
    ...(await trainOn(context, workload, cell, { lr, seed, phase, epochs: workload.tiers[tier]!.epochs })),
  };
  context.report({ type: 'run', value: entry });
  return entry;
}

interface RunSettings {
  readonly lr: number;
  readonly seed: number;
  readonly phase: Run['phase'];
  readonly epochs: number;
}

async function trainOn(
  { runtime, prepared }: CellContext,
  workload: Workload,
  { optimizer: id, schedule, tier }: Cell,
  { lr, seed, phase, epochs }: RunSettings,
): Promise<TrainOutcome> {
  const config = optimizerOf(id);
  const problem = await prepared.create(runtime, seed);
  const totalSteps = epochs * problem.stepsPerEpoch;
  const final = phase === 'final';
  const settings = {
    workload,
    totalSteps,
    evaluations: (final && workload.tiers[tier]!.evaluations) || EVALUATIONS[phase],
    curvePoints: final && seed < CURVES ? CURVE_POINTS : 0,
    withTest: final,
  };
  const optimizer = await createConfigured(config, problem, runtime, createSchedule(schedule, lr, totalSteps));
  try {
    const transform = config.transform ? createTransform(problem, optimizer, config.transform) : null;
    return train(problem, optimizer, settings, transform);
  } finally {
    optimizer.dispose();
    problem.dispose();
  }
}

export function createConfigured(
  { name, options }: OptimizerConfig,
  problem: Problem,
  runtime: Runtime,
  lr: number | ((step: number) => number),
): Promise<Optimizer> {
  return createOptimizer(name, problem.parameters, { ...options, lr, runtime, onNonFinite: 'skip' } as never);
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
    phase: 'final',
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
