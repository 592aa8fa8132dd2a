/**
 * Saves a run of `fit` as a checkpoint and loads it again. The checkpoint is one of the run's
 * optimizer; its extras hold the rest of the model (`model`), the average (`average`) and the
 * RunState (`run`).
 *
 * Invariant: a checkpoint loads as a whole or changes nothing.
 */
import {
  type CheckpointExtras,
  decodeCheckpoint,
  encodeCheckpoint,
} from '../checkpoint/optimizer-checkpoint';
import type { CheckpointStore } from '../checkpoint/stores/store';
import { CheckpointError, StepAbortedError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { isStatefulSchedule } from '../schedules/schedule';
import { createRecord } from '../tensors/views';
import type { LearningRate } from '../types';
import { checkRunState, checkSameRun, checkSameRunNames } from './check-run-state';
import type { FitAccumulator, FitAverage, FitOptimizer } from './fit-options';
import { readModelStateDict } from './learnt-state';
import type { Model } from './model';
import { identityOf } from './model-identity';
import type { RunIdentity, RunState } from './run-state';
import type { DataNames } from './training-history';

/** Everything in a run that has a state. */
export interface Learner {
  readonly model: Model;
  readonly optimizer: FitOptimizer;
  readonly average?: FitAverage | undefined;
  readonly accumulator?: FitAccumulator | undefined;
  readonly schedule?: LearningRate | undefined;
}

/** A checkpoint of model, optimizer and average, decoded but not yet checked against them. */
interface StoredLearner {
  readonly stateDict: StateDict;
  readonly model: unknown;
  readonly average: unknown;
}

/** A checkpoint of a run. */
export interface StoredRun extends StoredLearner {
  readonly run: RunState;
}

/**
 * Encodes model, optimizer and average as one checkpoint. They belong together: the weights that a
 * model evaluates with may be the optimizer's or the average's.
 */
export function encodeLearner(
  { model, optimizer, average }: Learner,
  run: object | null = null,
  extras: CheckpointExtras = {},
): Uint8Array<ArrayBuffer> {
  const stateDict = optimizer.stateDict();
  const own = {
    model: restOfModel(model, stateDict.params),
    average: average?.stateDict() ?? null,
    run,
  };
  // The encoder checks that these are plain data, and names the path of what is not.
  return encodeCheckpoint(stateDict, { ...extras, ...(own as CheckpointExtras) });
}

/** Saves a run: `state`, and what its learner is made of. */
export async function saveRun(
  store: CheckpointStore,
  learner: Learner,
  state: RunState,
  extras?: CheckpointExtras,
): Promise<void> {
  const { model, accumulator, schedule } = learner;
  const whole: RunState = {
    ...state,
    identity: { ...state.identity, model: identityOf(model.settings) },
    window: accumulator?.stateDict() ?? null,
    schedule: isStatefulSchedule(schedule) ? schedule.stateDict() : null,
  };
  await store.save(encodeLearner(learner, whole, extras));
}

/**
 * Decodes a checkpoint of a run, and checks that its RunState can go on with this run's model, data
 * and settings.
 * @param batchCount batches per epoch; null for a stream
 * @throws CheckpointError for a damaged file, one that `fit` did not write, or another run's
 */
export function decodeRun(
  bytes: Uint8Array,
  model: Model,
  identity: RunIdentity,
  batchCount: number | null,
): StoredRun {
  const { run: given, ...stored } = decodeLearner(bytes);
  const run = checkRunState(given);
  checkSameRun(run, { ...identity, model: identityOf(model.settings) }, batchCount);
  return { ...stored, run };
}

/**
 * Loads a checkpoint into everything that it has a state of.
 * @param names of the data that this run trains on
 * @throws ArgumentError, CheckpointError for a state that does not fit; nothing has changed then
 */
export function loadRun(stored: StoredRun, learner: Learner, names: DataNames): void {
  const { window, schedule, bestState } = stored.run;
  const load = new AtomicLoad();
  try {
    if (window !== null) load.add('accumulator', learner.accumulator, 'extras.run.window', window);
    if (schedule !== null) {
      const own = isStatefulSchedule(learner.schedule) ? learner.schedule : undefined;
      load.add('schedule', own, 'extras.run.schedule', schedule);
    }
    addLearner(load, stored, learner, 'extras', names);
    if (bestState !== null) checkBest(bestState, learner);
    load.commit();
  } catch (error) {
    load.rollBack();
    throw error;
  }
}

/** Loads what `encodeLearner` returned into the same learner. */
export function loadBest(bytes: Uint8Array, learner: Learner): void {
  const load = new AtomicLoad();
  addLearner(load, decodeLearner(bytes), learner, 'extras');
  load.commit();
}

/** Throws unless `loadBest` could load these bytes; changes nothing. */
function checkBest(bytes: Uint8Array, learner: Learner): void {
  const load = new AtomicLoad();
  try {
    addLearner(load, decodeLearner(bytes), learner, 'extras');
  } catch (error) {
    throw misfit('extras.run.bestState', error);
  } finally {
    load.rollBack();
  }
}

function decodeLearner(bytes: Uint8Array): StoredLearner & { readonly run: unknown } {
  const { stateDict, extras } = decodeCheckpoint(bytes);
  const missing = ['model', 'average', 'run'].find((key) => !Object.hasOwn(extras, key));
  if (missing !== undefined) {
    throw new CheckpointError(
      'not-training',
      `expected a checkpoint that fit has written, got one without "extras.${missing}"`,
    );
  }
  const { model, average, run } = extras;
  return { stateDict, model, average, run };
}

/** @param path where the checkpoint's extras are, for errors */
function addLearner(
  load: AtomicLoad,
  { stateDict, model: given, average }: StoredLearner,
  { model, optimizer, average: ownAverage }: Learner,
  path: string,
  names: DataNames = {},
): void {
  const state = readModelStateDict(`${path}.model`, given);
  checkSameRunNames(state, names);
  const isHeld = (name: string) => Object.hasOwn(stateDict.params, name);
  load.prepare(() => model.learnt.prepareLoad(`${path}.model`, state, isHeld));
  if (average !== null) load.add('average', ownAverage, `${path}.average`, average);
  load.add('optimizer', optimizer, 'stateDict', stateDict);
}

/** The model's arrays that the optimizer does not hold, such as running means. */
function restOfModel(model: Model, params: StateDict['params']): object {
  const { arrays, ...others } = model.stateDict({ point: 'trained' });
  const rest = createRecord<object>();
  for (const [name, array] of Object.entries(arrays))
    if (!Object.hasOwn(params, name)) rest[name] = { ...array };
  return { arrays: rest, ...others };
}

/** Names of the states in errors, by option of `fit`. */
const STATES = {
  optimizer: 'the state of an optimizer',
  average: 'a moving average',
  accumulator: 'a window of accumulated gradients',
  schedule: 'the state of a schedule',
} as const;

/** A part of a run whose state can be replaced. */
interface Restorable {
  stateDict(): unknown;
  loadStateDict(state: unknown): void;
  prepareLoad?(state: unknown, path: string): () => void;
}

/** Loads several states: all of them, or none. */
class AtomicLoad {
  readonly #commits: (() => void)[] = [];
  readonly #undo: (() => void)[] = [];

  /** Checks a state now; `prepare` returns the function that loads it, which cannot fail. */
  prepare(prepare: () => () => void): void {
    this.#commits.push(prepare());
  }

  /**
   * Checks a state now and loads it with `commit`. A part that cannot check without loading loads
   * it now, and gets its former state back from `rollBack`.
   * @param option the option of `fit` that gives the part
   * @throws CheckpointError with the reason `'other-run'` for a state without a part to load it
   */
  add(
    option: keyof typeof STATES,
    part: Restorable | undefined,
    path: string,
    state: unknown,
  ): void {
    if (part === undefined) {
      throw new CheckpointError(
        'other-run',
        `the checkpoint has ${STATES[option]}, which this run lacks: option "${option}"`,
      );
    }
    if (part.prepareLoad) {
      this.#commits.push(part.prepareLoad(state, path));
      return;
    }
    const before = stateOf(part);
    if (before) this.#undo.unshift(() => part.loadStateDict(before.state));
    try {
      part.loadStateDict(state);
    } catch (error) {
      // An optimizer's errors name the path in its own state dict.
      throw option === 'optimizer' ? error : misfit(path, error);
    }
  }

  commit(): void {
    for (const commit of this.#commits) commit();
  }

  rollBack(): void {
    for (const undo of this.#undo) {
      try {
        undo();
      } catch {
        // A part that refuses its own former state keeps what it has; the others go back.
      }
    }
  }
}

/** The error for a state that is refused in words which do not say where it is. */
function misfit(path: string, cause: unknown): CheckpointError {
  const reason = cause instanceof CheckpointError ? cause.reason : 'schema';
  const message = cause instanceof Error ? cause.message : String(cause);
  return new CheckpointError(reason, `checkpoint: "${path}" does not fit: ${message}`, { cause });
}

/** The state of a part; null for an optimizer in which a step broke off, which has none. */
function stateOf(part: Restorable): { readonly state: unknown } | null {
  try {
    return { state: part.stateDict() };
  } catch (error) {
    if (error instanceof StepAbortedError) return null;
    throw error;
  }
}
