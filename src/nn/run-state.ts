/**
 * Checks the record of a run in a checkpoint: it comes from a file, and every field is used as a
 * number or a list.
 */
import { CheckpointError } from '../errors';
import { describe } from '../validate';
import type { RunState } from './training-run';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks what `fit` saved as `extras.run`. Fields that are not known here are left alone.
 * @returns the value, unchanged
 * @throws CheckpointError with the reason `'schema'` naming the field
 */
export function checkRunState(value: unknown): RunState {
  const run = fieldsOf('run', value);
  const identity = fieldsOf('run.identity', run.identity);
  checkWhole('run.identity.seed', identity.seed, 0);
  checkWhole('run.identity.batchSize', identity.batchSize, 1);
  if (identity.count !== null) checkWhole('run.identity.count', identity.count, 0);
  if (identity.initialEpoch !== undefined)
    checkWhole('run.identity.initialEpoch', identity.initialEpoch, 0);
  for (const field of ['classNames', 'columns'])
    checkNames(`run.identity.${field}`, identity[field]);
  checkStopping(run.stopping);
  checkEpochs(run.epochs);
  checkWhole('run.epoch', run.epoch, 1);
  for (const field of ['batch', 'step', 'skipped']) checkWhole(`run.${field}`, run[field], 0);
  checkFigure('run.lossSum', run.lossSum);
  if (!((run.seen as number) >= 0)) refuse('run.seen', 'a number ≥ 0', run.seen);
  const { bestState } = run;
  if (bestState !== null && !(bestState instanceof Uint8Array))
    refuse('run.bestState', 'bytes or null', bestState);
  return value as RunState;
}

/**
 * Checks the shape of what `fit` saved as `extras.model`; what its arrays mean `loadStateDict`
 * checks.
 * @throws CheckpointError with the reason `'schema'` naming the field
 */
export function checkModelRecord(value: unknown): void {
  const { arrays, trainingPasses } = fieldsOf('model', value);
  for (const [name, array] of Object.entries(fieldsOf('model.arrays', arrays))) {
    const path = `model.arrays.${name}`;
    const { shape, data } = fieldsOf(path, array);
    if (!Array.isArray(shape)) refuse(`${path}.shape`, 'an array of sizes', shape);
    shape.forEach((size, index) => {
      checkWhole(`${path}.shape[${index}]`, size, 0);
    });
    if (!(data instanceof Float32Array)) refuse(`${path}.data`, 'a Float32Array', data);
  }
  checkWhole('model.trainingPasses', trainingPasses, 0);
}

function checkEpochs(epochs: unknown): void {
  if (!Array.isArray(epochs)) refuse('run.epochs', 'an array', epochs);
  epochs.forEach((value: unknown, index: number) => {
    const path = `run.epochs[${index}]`;
    const epoch = fieldsOf(path, value);
    checkWhole(`${path}.epoch`, epoch.epoch, 1);
    checkFigure(`${path}.loss`, epoch.loss);
    checkWhole(`${path}.skippedSteps`, epoch.skippedSteps, 0);
    if (epoch.validation !== null) checkEvaluation(`${path}.validation`, epoch.validation);
  });
}

function checkEvaluation(path: string, value: unknown): void {
  const { loss, accuracy, topKAccuracy = null, confusion = null } = fieldsOf(path, value);
  checkFigure(`${path}.loss`, loss);
  if (accuracy !== null) checkFigure(`${path}.accuracy`, accuracy);
  if (topKAccuracy !== null) checkFigure(`${path}.topKAccuracy`, topKAccuracy);
  if (confusion === null) return;
  const isTable =
    Array.isArray(confusion) &&
    confusion.every((row) => Array.isArray(row) && row.every(Number.isFinite));
  if (!isTable) refuse(`${path}.confusion`, 'rows of counts or null', confusion);
}

function checkStopping(value: unknown): void {
  const { best, bestEpoch, waited } = fieldsOf('run.stopping', value);
  if (best !== null) checkFigure('run.stopping.best', best);
  checkWhole('run.stopping.bestEpoch', bestEpoch, 0);
  checkWhole('run.stopping.waited', waited, 0);
}

function checkNames(path: string, value: unknown): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    refuse(path, 'names', value);
}

function fieldsOf(path: string, value: unknown): Fields {
  if (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  ) {
    return value as Fields;
  }
  return refuse(path, 'an object', value);
}

function checkWhole(path: string, value: unknown, low: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < low)
    refuse(path, `a whole number ≥ ${low}`, value);
}

/** A loss may have become NaN or infinite. */
function checkFigure(path: string, value: unknown): void {
  if (typeof value !== 'number') refuse(path, 'a number', value);
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new CheckpointError(
    'schema',
    `checkpoint: "extras.${path}" expected ${expected}, got ${describe(value)}`,
  );
}
