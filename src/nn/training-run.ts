/**
 * What a run of `fit` keeps to go on from, in and out of a checkpoint store: a checkpoint of its
 * optimizer, with the rest of the model and how far the run is as extras.
 */
import {
  type CheckpointExtras,
  decodeCheckpoint,
  encodeCheckpoint,
} from '../checkpoint/optimizer-checkpoint';
import type { PlainData } from '../checkpoint/plain-data';
import type { CheckpointStore } from '../checkpoint/stores/store';
import { CheckpointError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { createRecord } from '../tensors/views';
import type { LastBatch } from './batch-source';
import type { EarlyStoppingState } from './early-stopping';
import type { FitAverage, FitEpoch } from './fit-options';
import type { ModelState } from './learnt-state';
import type { Model } from './model';
import { checkModelRecord, checkRunState } from './run-state';
import type { DataNames } from './training-history';

/**
 * What must be the same for a run to go on: otherwise the batches would be others, or mean
 * something else.
 */
export interface RunIdentity extends DataNames {
  readonly seed: number;
  readonly batchSize: number;
  readonly count: number | null;
  /** Epochs of the order of samples before the run's first. */
  readonly initialEpoch?: number;
  readonly lastBatch?: LastBatch;
}

/** How far a run is. */
export interface RunState {
  readonly identity: RunIdentity;
  readonly schedule: unknown;
  /** The accumulator's, if there is one. */
  readonly window: unknown;
  /** The best epoch so far. */
  readonly stopping: EarlyStoppingState;
  readonly epochs: readonly FitEpoch[];
  /** The epoch under way (1-based), and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly lossSum: number;
  /** What they weigh: their number, unless class weights are averaged over their sum. */
  readonly seen: number;
  readonly skipped: number;
  /** What `encodeLearnt` gave in the best epoch. */
  readonly bestState: Uint8Array | null;
}

/** Everything that learns in a run. */
export interface Learner {
  readonly model: Model;
  readonly optimizer: { stateDict(): StateDict; loadStateDict(state: StateDict): void };
  readonly average: FitAverage | undefined;
}

/** The model's arrays that the optimizer does not hold, such as running means. */
function restOfModel(model: Model, params: StateDict['params']): PlainData {
  const { arrays, ...others } = model.stateDict({ point: 'trained' });
  const rest = createRecord<PlainData>();
  for (const [name, array] of Object.entries(arrays))
    if (!Object.hasOwn(params, name)) rest[name] = { ...array };
  return { arrays: rest, ...others } as PlainData;
}

/**
 * The learner as it is, with `run`: a checkpoint that `decodeCheckpoint` reads. All of it belongs
 * together: what a model evaluates with may be the optimizer's, or the average.
 */
export function encodeLearnt(
  { model, optimizer, average }: Learner,
  run: PlainData = null,
  extras: CheckpointExtras = {},
): Uint8Array<ArrayBuffer> {
  const stateDict = optimizer.stateDict();
  const averages = (average?.stateDict() ?? null) as PlainData;
  return encodeCheckpoint(stateDict, {
    ...extras,
    model: restOfModel(model, stateDict.params),
    average: averages,
    run,
  });
}

/**
 * Takes over what `encodeLearnt` returned: all of it, or nothing.
 * @param check throws when `run` does not fit, before anything has changed
 * @throws ArgumentError, CheckpointError for what does not fit; nothing has changed then
 */
export function loadLearnt(
  bytes: Uint8Array,
  learner: Learner,
  check?: (run: RunState) => void,
): RunState {
  const { model, optimizer, average } = learner;
  const { stateDict, extras } = decodeCheckpoint(bytes);
  if (typeof extras.model !== 'object' || extras.model === null || extras.run === undefined) {
    throw new CheckpointError(
      'not-training',
      'a checkpoint of fit expected, got one of an optimizer alone',
    );
  }
  checkModelRecord(extras.model);
  // What the best epoch's weights are kept as has no record of a run.
  const run = check ? checkRunState(extras.run) : (extras.run as unknown as RunState);
  check?.(run);
  if (extras.average && !average) {
    throw new CheckpointError(
      'other-run',
      'the checkpoint has a moving average, which this run lacks: option "average"',
    );
  }
  const held = (name: string) => Object.hasOwn(stateDict.params, name);
  const loadModel = model.learnt.prepareLoad(
    'checkpoint.model',
    extras.model as unknown as ModelState,
    held,
  );
  const loadAverage = extras.average ? prepareAverage(average!, extras.average) : null;
  optimizer.loadStateDict(stateDict);
  loadModel();
  loadAverage?.();
  return run;
}

/** What takes the state over. The library's own averages have checked it then. */
function prepareAverage(average: FitAverage, state: PlainData): () => void {
  return average.prepareLoad?.(state as never) ?? (() => average.loadStateDict(state as never));
}

export async function saveRun(
  store: CheckpointStore,
  learner: Learner,
  state: RunState,
  extras?: CheckpointExtras,
): Promise<void> {
  await store.save(encodeLearnt(learner, state as unknown as PlainData, extras));
}

/**
/**
 * Takes over a stored run.
 * @param loadRest takes over what belongs neither to model, optimizer nor average; before these,
 * and what it throws is thrown
 * @throws CheckpointError with the reason `'other-run'` when it was begun with another seed, batch
 * size or number of samples,
 * or with data of other classes or columns
 */
export function loadRun(
  bytes: Uint8Array,
  learner: Learner,
  identity: RunIdentity,
  loadRest: (state: RunState) => void,
): RunState {
  return loadLearnt(bytes, learner, (state) => {
    checkIdentity(state, identity);
    loadRest(state);
  });
}

/** A first epoch or names that one side does not tell may be anything. */
function checkIdentity(state: RunState, identity: RunIdentity): void {
  for (const key of ['seed', 'batchSize', 'count', 'lastBatch', 'initialEpoch'] as const) {
    const [stored, given] = [state.identity[key], identity[key]];
    if (
      stored === given ||
      (key === 'initialEpoch' && (stored === undefined || given === undefined))
    )
      continue;
    throw new CheckpointError(
      'other-run',
      `the checkpoint is of another run: ${key} ${stored} expected, got ${given}`,
    );
  }
  for (const key of ['classNames', 'columns'] as const) {
    const [stored, given] = [state.identity[key], identity[key]];
    if (!stored || !given || sameNames(stored, given)) continue;
    const expected = `${key} ${JSON.stringify(stored)} expected, got ${JSON.stringify(given)}`;
    throw new CheckpointError('other-run', `the checkpoint is of another run: ${expected}`);
  }
}

function sameNames(first: readonly string[], second: readonly string[]): boolean {
  return first.length === second.length && first.every((name, index) => name === second[index]);
}
