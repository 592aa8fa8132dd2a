/**
 * The state of a run of `fit`: its one type, a run's first state, and the checks of a state that
 * was read from a checkpoint.
 *
 * Invariant: a RunState that left this file is complete and consistent. Nothing else in `fit`
 * checks or casts what a checkpoint says about a run.
 */
import { CheckpointError } from '../errors';
import { describe, isObject, isUint8Array } from '../validate';
import type { LastBatch } from './batch-source';
import type { EarlyStoppingState } from './early-stopping';
import type { Evaluation } from './evaluation';
import type { FitEpoch } from './fit-options';
import type { DataNames } from './training-history';

/**
 * The settings that a resumed run must share with the stored one, so that batches stay the same.
 */
export interface RunIdentity extends DataNames {
  readonly seed: number;
  readonly batchSize: number;
  /** Samples per epoch; null for a stream. */
  readonly count: number | null;
  /** Epochs of the sample order that came before the run's first epoch. */
  readonly initialEpoch?: number;
  /** Absent for 'keep'. */
  readonly lastBatch?: LastBatch;
}

/** How far a run is, and the states that only this run can restore. */
export interface RunState {
  /** State of the gradient accumulator; null without one. */
  readonly window: unknown;
  readonly identity: RunIdentity;
  /** State of the learning rate schedule; null if it has none. */
  readonly schedule: unknown;
  stopping: EarlyStoppingState;
  /** Results of the complete epochs. */
  readonly epochs: FitEpoch[];
  /** Current epoch, from 1. */
  epoch: number;
  /** Completed batches of the current epoch. */
  batch: number;
  /** Optimizer steps of the whole run, refused ones included. */
  step: number;
  /** Weighted sum of the current epoch's batch losses. */
  lossSum: number;
  /**
   * Sum of their weights: the number of samples, unless class weights are averaged over their sum.
   */
  seen: number;
  /** Steps of the current epoch that the optimizer refused. */
  skipped: number;
  /** Model, optimizer and average after the best epoch, as `encodeLearner` returned them. */
  bestState: Uint8Array | null;
}

/** Returns the state of a run that has not begun. */
export function firstRunState(identity: RunIdentity): RunState {
  return {
    window: null,
    identity,
    schedule: null,
    stopping: { best: null, bestEpoch: 0, waited: 0 },
    epochs: [],
    epoch: 1,
    batch: 0,
    step: 0,
    lossSum: 0,
    seen: 0,
    skipped: 0,
    bestState: null,
  };
}

/** Returns the loss by which early stopping and schedules judge an epoch. */
export function watchedLoss({ loss, validation }: FitEpoch): number {
  return validation?.loss ?? loss;
}

type Fields = Readonly<Record<string, unknown>>;

/** The largest count that is read back: a run that goes on can still add to it. */
const MAX_COUNT = 2 ** 52;
/** The largest initial epoch, to which the run's own epochs are added. */
const MAX_INITIAL_EPOCH = 2 ** 49;

/**
 * Checks the record that `fit` saved as `extras.run`. Unknown fields are ignored, so that a later
 * release may add some. The states of accumulator and schedule are checked by those who load them.
 * @returns the state, with its own copies of all objects and arrays but `bestState`
 * @throws CheckpointError with the reason `'schema'` naming the field
 */
export function checkRunState(value: unknown): RunState {
  const run = readFields('run', value);
  const epoch = readCount('run.epoch', run.epoch, 1, 2 ** 31);
  const epochs = readEpochs(run.epochs, epoch);
  const batch = readCount('run.batch', run.batch, 0);
  const step = readCount('run.step', run.step, 0);
  const lossSum = readFigure('run.lossSum', run.lossSum);
  const seen = readFigure('run.seen', run.seen);
  if (!(seen >= 0 && seen < Infinity)) refuse('run.seen', 'a number in [0, ∞)', seen);
  for (const [field, figure] of Object.entries({ lossSum, seen }))
    if (batch === 0 && figure !== 0) refuse(`run.${field}`, '0 before the first batch', figure);
  const { window, schedule, bestState } = run;
  for (const [field, state] of Object.entries({ window, schedule }))
    if (state === undefined) refuse(`run.${field}`, 'a state or null', state);
  if (bestState !== null && !isUint8Array(bestState))
    return refuse('run.bestState', 'bytes or null', bestState);
  return {
    window,
    identity: readIdentity(run.identity),
    schedule,
    stopping: readStopping(run.stopping, epochs),
    epochs,
    epoch,
    batch,
    step,
    lossSum,
    seen,
    skipped: readCount('run.skipped', run.skipped, 0, step),
    bestState,
  };
}

/**
 * Checks that a stored run can go on with this run's data and settings. Names or an initial epoch
 * that one side does not give may be anything.
 * @param stored the state that was read
 * @param identity that of this run
 * @param batchCount batches per epoch; null for a stream
 * @throws CheckpointError with the reason `'other-run'` naming the setting
 */
export function checkSameRun(
  stored: RunState,
  identity: RunIdentity,
  batchCount: number | null,
): void {
  for (const key of ['seed', 'batchSize', 'count', 'lastBatch', 'initialEpoch'] as const) {
    const [before, now] = [stored.identity[key], identity[key]];
    if (before === now) continue;
    if (key === 'initialEpoch' && (before === undefined || now === undefined)) continue;
    refuseOther(key, `${before}`, `${now}`);
  }
  checkSameRunNames(stored.identity, identity);
  if (batchCount === null) return;
  if (stored.batch > batchCount)
    refuse('run.batch', `an integer in [0, ${batchCount}]`, stored.batch);
  const steps = (stored.epoch - 1) * batchCount + stored.batch;
  if (stored.step > steps) refuse('run.step', `an integer in [0, ${steps}]`, stored.step);
}

/**
 * Checks that two sets of names agree wherever both have them.
 * @throws CheckpointError with the reason `'other-run'`
 */
export function checkSameRunNames(stored: DataNames, names: DataNames): void {
  for (const key of ['classNames', 'columns'] as const) {
    const [before, now] = [stored[key], names[key]];
    if (!before || !now) continue;
    const same = before.length === now.length && before.every((name, i) => name === now[i]);
    if (!same) refuseOther(key, JSON.stringify(before), JSON.stringify(now));
  }
}

function readIdentity(value: unknown): RunIdentity {
  const path = 'run.identity';
  const { seed, batchSize, count, initialEpoch, lastBatch, classNames, columns } = readFields(
    path,
    value,
  );
  if (lastBatch !== undefined && lastBatch !== 'drop' && lastBatch !== 'merge')
    return refuse(`${path}.lastBatch`, "'drop', 'merge' or nothing", lastBatch);
  return {
    seed: readCount(`${path}.seed`, seed, 0, Number.MAX_SAFE_INTEGER),
    batchSize: readCount(`${path}.batchSize`, batchSize, 1),
    count: count === null ? null : readCount(`${path}.count`, count, 0),
    initialEpoch: readCount(`${path}.initialEpoch`, initialEpoch, 0, MAX_INITIAL_EPOCH),
    ...(lastBatch !== undefined && { lastBatch }),
    ...(classNames !== undefined && { classNames: readNames(`${path}.classNames`, classNames) }),
    ...(columns !== undefined && { columns: readNames(`${path}.columns`, columns) }),
  };
}

/** Every epoch before `current`, in order. */
function readEpochs(value: unknown, current: number): FitEpoch[] {
  if (!Array.isArray(value)) return refuse('run.epochs', 'an array', value);
  const epochs = value.map((item: unknown, index) => {
    const path = `run.epochs[${index}]`;
    const { epoch, loss, validation, skippedSteps } = readFields(path, item);
    return {
      epoch: readCount(`${path}.epoch`, epoch, 1),
      loss: readFigure(`${path}.loss`, loss),
      validation: validation === null ? null : readEvaluation(`${path}.validation`, validation),
      skippedSteps: readCount(`${path}.skippedSteps`, skippedSteps, 0),
    };
  });
  if (epochs.length !== current - 1 || epochs.some(({ epoch }, index) => epoch !== index + 1))
    refuse('run.epochs', `every epoch before epoch ${current}`, epochs);
  return epochs;
}

function readEvaluation(path: string, value: unknown): Evaluation {
  const { loss, accuracy, topKAccuracy, confusion, outputs } = readFields(path, value);
  return {
    loss: readFigure(`${path}.loss`, loss),
    accuracy: accuracy === null ? null : readShare(`${path}.accuracy`, accuracy),
    topKAccuracy: topKAccuracy === null ? null : readShare(`${path}.topKAccuracy`, topKAccuracy),
    confusion: confusion === null ? null : readConfusion(`${path}.confusion`, confusion),
    ...(outputs !== undefined && { outputs: readOutputs(`${path}.outputs`, outputs) }),
  };
}

function readOutputs(path: string, value: unknown): NonNullable<Evaluation['outputs']> {
  const entries = Object.entries(readFields(path, value)).map(([name, output]) => {
    const { loss, accuracy } = readFields(`${path}.${name}`, output);
    return [
      name,
      {
        loss: readFigure(`${path}.${name}.loss`, loss),
        accuracy: accuracy === null ? null : readShare(`${path}.${name}.accuracy`, accuracy),
      },
    ] as const;
  });
  return Object.fromEntries(entries);
}

function readConfusion(path: string, value: unknown): number[][] {
  if (!Array.isArray(value)) return refuse(path, 'rows of counts or null', value);
  return value.map((row: unknown, actual) => {
    const at = `${path}[${actual}]`;
    if (!Array.isArray(row) || row.length !== value.length)
      return refuse(at, `a row of ${value.length} counts`, row);
    return row.map((count: unknown, predicted) => readCount(`${at}[${predicted}]`, count, 0));
  });
}

function readStopping(value: unknown, epochs: readonly FitEpoch[]): EarlyStoppingState {
  const fields = readFields('run.stopping', value);
  const bestEpoch = readCount('run.stopping.bestEpoch', fields.bestEpoch, 0, epochs.length);
  const after = epochs.length - bestEpoch;
  const waited = readCount('run.stopping.waited', fields.waited, 0, after);
  const best = fields.best === null ? null : readFigure('run.stopping.best', fields.best);
  const expected = bestEpoch === 0 ? null : watchedLoss(epochs[bestEpoch - 1]);
  if (best !== expected)
    refuse('run.stopping.best', `${expected}, the loss of epochs[${bestEpoch - 1}]`, best);
  return { best, bestEpoch, waited };
}

function readNames(path: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) return refuse(path, 'an array of names', value);
  return value.map((name: unknown, index) =>
    typeof name === 'string' ? name : refuse(`${path}[${index}]`, 'a name', name),
  );
}

function readFields(path: string, value: unknown): Fields {
  return isObject(value) ? value : refuse(path, 'an object', value);
}

/** An integer in [low, high]. */
function readCount(path: string, value: unknown, low: number, high = MAX_COUNT): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high)
    return value;
  return refuse(path, `an integer in [${low}, ${high}]`, value);
}

/** A loss, which may be NaN or infinite. */
function readFigure(path: string, value: unknown): number {
  return typeof value === 'number' ? value : refuse(path, 'a number', value);
}

function readShare(path: string, value: unknown): number {
  const share = readFigure(path, value);
  return share >= 0 && share <= 1 ? share : refuse(path, 'a number in [0, 1]', value);
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new CheckpointError(
    'schema',
    `checkpoint: "extras.${path}" expected ${expected}, got ${describe(value)}`,
  );
}

function refuseOther(key: string, expected: string, got: string): never {
  throw new CheckpointError(
    'other-run',
    `the checkpoint is of another run: ${key} ${expected} expected, got ${got}`,
  );
}
