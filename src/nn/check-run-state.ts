/**
 * The checks of a run's state that was read from a checkpoint.
 *
 * Invariant: a RunState that `checkRunState` returns is complete and consistent. Nothing else in
 * `fit` checks or casts what a checkpoint says about a run.
 */
import { ArgumentError, CheckpointError } from '../errors';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkObject,
  fail,
  isUint8Array,
} from '../validate';
import type { EarlyStoppingState } from './early-stopping';
import type { Evaluation, OutputEvaluation } from './evaluation';
import type { FitEpoch } from './fit-options';
import type { ClassMetrics, Metrics } from './metrics';
import type { ModelIdentity } from './model-identity';
import { figureOf } from './monitor';
import type { RunIdentity, RunState } from './run-state';
import { type DataNames, readNames } from './training-history';

/** Settings that both runs must share. */
const SETTINGS = [
  'seed',
  'batchSize',
  'count',
  'lastBatch',
  'initialEpoch',
  'order',
  'stepsPerEpoch',
  'metrics',
  'monitor',
  'sampleWeights',
] as const;

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
  return ofCheckpoint(() => readRun('extras.run', value));
}

/** Runs checks of what a checkpoint holds: what they refuse is a CheckpointError. */
function ofCheckpoint<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw new CheckpointError('schema', `checkpoint: ${error.message}`);
  }
}

/**
 * Checks that a stored run can go on with this run's model, data and settings. Names, an initial
 * epoch or a model that one side does not give may be anything.
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
  for (const key of SETTINGS) {
    const [before, now] = [stored.identity[key], identity[key]];
    if (before === now) continue;
    if (key === 'initialEpoch' && (before === undefined || now === undefined)) continue;
    refuseOther(key, `${before}`, `${now}`);
  }
  checkSameRunNames(stored.identity, identity);
  checkSameModel(stored.identity.model, identity.model);
  if (batchCount === null) return;
  const { epoch, batch, step } = stored;
  ofCheckpoint(() => {
    checkInteger('extras.run.batch', batch, 0, batchCount);
    checkInteger('extras.run.step', step, 0, (epoch - 1) * batchCount + batch);
  });
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

/**
 * Checks that two models compute the same from the same arrays.
 * @throws CheckpointError with the reason `'other-run'`
 */
function checkSameModel(stored: ModelIdentity | undefined, model: ModelIdentity | undefined): void {
  if (!stored || !model) return;
  for (const key of ['nodes', 'losses', 'penalties'] as const) {
    const [before, now] = [stored[key] ?? [], model[key] ?? []];
    const count = Math.max(before.length, now.length);
    for (let index = 0; index < count; index++)
      if (before[index] !== now[index])
        refuseOther(`model ${key}[${index}]`, before[index] ?? 'none', now[index] ?? 'none');
  }
  if (stored.seed !== model.seed) refuseOther('model seed', `${stored.seed}`, `${model.seed}`);
}

/** Returns a checked value, or throws the ArgumentError that names its path. */
type Read<T> = (path: string, value: unknown) => T;

/** Reads an object by the readers of its fields. What they return undefined for is left out. */
function readFields<T>(
  path: string,
  value: unknown,
  readers: { readonly [Key in keyof T]-?: Read<T[Key]> },
): T {
  const given = checkObject(path, value);
  const fields = Object.entries<Read<unknown>>(readers)
    .map(([key, read]) => [key, read(`${path}.${key}`, given[key])] as const)
    .filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields) as T;
}

const readRun: Read<RunState> = (path, value) => {
  const run = readFields<RunState>(path, value, {
    window: readState,
    identity: readIdentity,
    schedule: readState,
    stopping: readStopping,
    epochs: arrayOf('an array', readEpoch),
    epoch: integerIn(1, 2 ** 31),
    batch: integerIn(0),
    step: integerIn(0),
    lossSum: readFigure,
    seen: (at, weight) => checkNumber(at, weight, '[0, ∞)', (x) => x >= 0),
    skipped: integerIn(0),
    outputSums: optional(arrayOf('an array of numbers', readFigure)),
    metricSums: optional(arrayOf('an array of numbers', readFigure)),
    bestState: (at, bytes) =>
      bytes === null || isUint8Array(bytes) ? bytes : fail(at, 'bytes or null', bytes),
  });
  const { epochs, epoch, batch, step, skipped, stopping } = run;
  if (epochs.length !== epoch - 1 || epochs.some((each, index) => each.epoch !== index + 1))
    fail(`${path}.epochs`, `every epoch before epoch ${epoch}`, epochs);
  for (const field of ['lossSum', 'seen'] as const)
    if (batch === 0 && run[field] !== 0)
      fail(`${path}.${field}`, '0 before the first batch', run[field]);
  checkInteger(`${path}.skipped`, skipped, 0, step);
  checkStopping(`${path}.stopping`, stopping, epochs, run.identity.monitor);
  return run;
};

function checkStopping(
  path: string,
  { best, bestEpoch, waited }: EarlyStoppingState,
  epochs: readonly FitEpoch[],
  monitor: string | undefined,
): void {
  checkInteger(`${path}.bestEpoch`, bestEpoch, 0, epochs.length);
  checkInteger(`${path}.waited`, waited, 0, epochs.length - bestEpoch);
  const expected = bestEpoch === 0 ? null : figureOf(epochs[bestEpoch - 1], monitor);
  if (best !== expected)
    fail(`${path}.best`, `${expected}, the ${monitor ?? 'loss'} of epochs[${bestEpoch - 1}]`, best);
}

const readIdentity: Read<RunIdentity> = (path, value) =>
  readFields<RunIdentity>(path, value, {
    seed: integerIn(0, Number.MAX_SAFE_INTEGER),
    batchSize: integerIn(1),
    count: orNull(integerIn(0)),
    initialEpoch: integerIn(0, MAX_INITIAL_EPOCH),
    lastBatch: (at, how) =>
      how === undefined || how === 'drop' || how === 'merge'
        ? how
        : fail(at, "'drop', 'merge' or nothing", how),
    order: (at, order) =>
      order === undefined || order === 'kept' || order === 'given'
        ? order
        : fail(at, "'kept', 'given' or nothing", order),
    stepsPerEpoch: optional(integerIn(1, 2 ** 31)),
    metrics: (at, names) =>
      names === undefined || typeof names === 'string' ? names : fail(at, 'names', names),
    monitor: (at, name) =>
      name === undefined || typeof name === 'string' ? name : fail(at, 'a name', name),
    sampleWeights: optional((at, weighted) => checkBoolean(at, weighted)),
    model: optional((at, model) => readModel(at, model)),
    classNames: readNames,
    columns: readNames,
  });

const readTexts = arrayOf('an array of texts', (at, text) =>
  typeof text === 'string' ? text : fail(at, 'a text', text),
);

const readModel: Read<ModelIdentity> = (path, value) =>
  readFields<ModelIdentity>(path, value, {
    nodes: readTexts,
    losses: readTexts,
    penalties: optional((at, penalties) => readTexts(at, penalties)),
    seed: optional(integerIn(0, Number.MAX_SAFE_INTEGER)),
  });

const readStopping: Read<EarlyStoppingState> = (path, value) =>
  readFields<EarlyStoppingState>(path, value, {
    bestEpoch: integerIn(0),
    waited: integerIn(0),
    best: orNull(readFigure),
  });

const readEpoch: Read<FitEpoch> = (path, value) =>
  readFields<FitEpoch>(path, value, {
    epoch: integerIn(1),
    loss: readFigure,
    metrics: optional((at, metrics) => readMetrics(at, metrics)),
    validation: orNull(readEvaluation),
    skippedSteps: integerIn(0),
  });

const readEvaluation: Read<Evaluation> = (path, value) =>
  readFields<Evaluation>(path, value, {
    loss: readFigure,
    accuracy: orNull(readShare),
    topKAccuracy: orNull(readShare),
    confusion: orNull(readConfusion),
    metrics: optional((at, metrics) => readMetrics(at, metrics)),
    perClass: optional((at, shares) => readPerClass(at, shares)),
    outputs: optional((at, outputs) => readOutputs(at, outputs)),
  });

const readMetrics: Read<Metrics> = (path, value) =>
  Object.fromEntries(
    Object.entries(checkObject(path, value)).map(([name, metric]) => [
      name,
      orNull(readFigure)(`${path}.${name}`, metric),
    ]),
  );

const readPerClass: Read<ClassMetrics> = (path, value) => {
  const shares = arrayOf('an array of shares', readShare);
  return readFields<ClassMetrics>(path, value, { precision: shares, recall: shares, f1: shares });
};

const readOutputs: Read<NonNullable<Evaluation['outputs']>> = (path, value) => {
  const entries = Object.entries(checkObject(path, value)).map(([name, output]) => {
    const readers = { loss: readFigure, accuracy: orNull(readShare) };
    return [name, readFields<OutputEvaluation>(`${path}.${name}`, output, readers)];
  });
  return Object.fromEntries(entries);
};

const readConfusion: Read<number[][]> = (path, value) =>
  arrayOf('rows of counts or null', (at, row, { length }) =>
    Array.isArray(row) && row.length === length
      ? arrayOf('', integerIn(0))(at, row)
      : fail(at, `a row of ${length} counts`, row),
  )(path, value);

const readShare: Read<number> = (path, value) =>
  checkNumber(path, value, '[0, 1]', (x) => x >= 0 && x <= 1);

const readState: Read<unknown> = (path, value) =>
  value === undefined ? fail(path, 'a state or null', value) : value;

/** A loss, which may be NaN or infinite. */
const readFigure: Read<number> = (path, value) =>
  typeof value === 'number' ? value : fail(path, 'a number', value);

function integerIn(low: number, high = MAX_COUNT): Read<number> {
  return (path, value) => checkInteger(path, value, low, high);
}

function orNull<T>(read: Read<T>): Read<T | null> {
  return (path, value) => (value === null ? null : read(path, value));
}

function optional<T>(read: Read<T>): Read<T | undefined> {
  return (path, value) => (value === undefined ? undefined : read(path, value));
}

function arrayOf<T>(
  expected: string,
  read: (path: string, item: unknown, array: readonly unknown[]) => T,
): Read<T[]> {
  return (path, value) =>
    Array.isArray(value)
      ? value.map((item: unknown, index) => read(`${path}[${index}]`, item, value))
      : fail(path, expected, value);
}

function refuseOther(key: string, expected: string, got: string): never {
  throw new CheckpointError(
    'other-run',
    `the checkpoint is of another run: ${key} expected ${expected}, got ${got}`,
  );
}
