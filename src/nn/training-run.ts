/**
 * What a run of `fit` keeps to go on from, in and out of a checkpoint store: a checkpoint of its optimizer, with the rest of the
 * model and how far the run is as extras.
 */
import { type CheckpointExtras, decodeCheckpoint, encodeCheckpoint } from '../checkpoint/optimizer-checkpoint';
import type { PlainData } from '../checkpoint/plain-data';
import type { CheckpointStore } from '../checkpoint/stores/store';
import { CheckpointError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { createRecord } from '../tensors/views';
import type { EarlyStoppingState } from './early-stopping';
import type { FitAverage, FitEpoch } from './fit-options';
import type { Model, ModelState } from './model';
import { checkModelRecord, checkRunState } from './run-state';

/** How far a run is. */
export interface RunState {
  /** What must be the same for a run to go on: otherwise the batches would be others. */
  readonly identity: { readonly seed: number; readonly batchSize: number; readonly count: number | null };
  readonly schedule: unknown;
  /** The accumulator's, if there is one. */
  readonly window: unknown;
  readonly stopping: EarlyStoppingState | null;
  readonly epochs: readonly FitEpoch[];
  /** The epoch under way (1-based), and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly lossSum: number;
  readonly seen: number;
  readonly skipped: number;
  readonly best: { readonly epoch: number; readonly loss: number } | null;
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
  const { arrays, trainingPasses } = model.stateDict();
  const rest = createRecord<PlainData>();
  for (const [name, array] of Object.entries(arrays)) if (!Object.hasOwn(params, name)) rest[name] = { ...array };
  return { arrays: rest, trainingPasses };
}

/**
 * The learner as it is, with `run`: a checkpoint that `decodeCheckpoint` reads. All of it belongs together: what a model evaluates
 * with may be the optimizer's, or the average.
 */
export function encodeLearnt(
  { model, optimizer, average }: Learner,
  run: PlainData = null,
  extras: CheckpointExtras = {},
): Uint8Array<ArrayBuffer> {
  const stateDict = optimizer.stateDict();
  const averages = (average?.stateDict() ?? null) as PlainData;
  return encodeCheckpoint(stateDict, { ...extras, model: restOfModel(model, stateDict.params), average: averages, run });
}

/**
 * Takes over what `encodeLearnt` returned.
 * @param check throws when `run` does not fit, before anything has changed
 */
export function loadLearnt(bytes: Uint8Array, learner: Learner, check?: (run: RunState) => void): RunState {
  const { model, optimizer, average } = learner;
  const { stateDict, extras } = decodeCheckpoint(bytes);
  if (typeof extras.model !== 'object' || extras.model === null || extras.run === undefined) {
    throw new CheckpointError('not-training', 'a checkpoint of fit expected, got one of an optimizer alone');
  }
  checkModelRecord(extras.model);
  // What the best epoch's weights are kept as has no record of a run.
  const run = check ? checkRunState(extras.run) : (extras.run as unknown as RunState);
  check?.(run);
  const rest = extras.model as unknown as ModelState;
  const { arrays } = model.stateDict();
  model.loadStateDict({ arrays: { ...arrays, ...rest.arrays }, trainingPasses: rest.trainingPasses });
  optimizer.loadStateDict(stateDict);
  if (extras.average) average?.loadStateDict(extras.average as never);
  return run;
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
 * Takes over the run that a store holds; null if it holds none.
 * @throws CheckpointError with the reason `'other-run'` when it was begun with another seed, batch size or number of samples
 */
export async function loadRun(
  store: CheckpointStore,
  learner: Learner,
  identity: RunState['identity'],
): Promise<RunState | null> {
  const stored = await store.load();
  return stored && loadLearnt(stored.bytes, learner, (state) => checkIdentity(state, identity));
}

function checkIdentity(state: RunState, identity: RunState['identity']): void {
  for (const key of ['seed', 'batchSize', 'count'] as const) {
    if (state.identity[key] === identity[key]) continue;
    const message = `the checkpoint is of another run: ${key} ${state.identity[key]} expected, got ${identity[key]}`;
    throw new CheckpointError('other-run', message);
  }
}
