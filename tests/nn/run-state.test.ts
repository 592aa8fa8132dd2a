/** The record of a run in a checkpoint: whatever a file holds, it is a run or a named error. */
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../src/errors';
import { checkRunState } from '../../src/nn/check-run-state';
import { readModelStateDict } from '../../src/nn/learnt-state';

const validation = { loss: 1, accuracy: null, topKAccuracy: null, confusion: null };
const RUN = {
  identity: { seed: 1, batchSize: 32, count: null, initialEpoch: 0 },
  schedule: null,
  window: null,
  stopping: { best: 1, bestEpoch: 1, waited: 0 },
  epochs: [{ epoch: 1, loss: Number.NaN, validation, skippedSteps: 0 }],
  epoch: 2,
  batch: 3,
  step: 46,
  lossSum: 1.5,
  seen: 96,
  skipped: 0,
  bestState: new Uint8Array(3),
};

test('a sound record passes unchanged, without fields that are not known here', () => {
  for (const run of [RUN, { ...RUN, bestState: null, later: 1 }]) {
    expect(checkRunState(run)).toEqual({ ...RUN, bestState: run.bestState });
  }
});

describe('a record', () => {
  test.each<[string, unknown, string]>([
    ['run', null, 'an object'],
    ['run', [RUN], 'an object'],
    ['run.identity', { ...RUN, identity: undefined }, 'an object'],
    [
      'run.identity.seed',
      { ...RUN, identity: { ...RUN.identity, seed: 0.5 } },
      'an integer in [0, ',
    ],
    [
      'run.identity.batchSize',
      { ...RUN, identity: { ...RUN.identity, batchSize: 0 } },
      'an integer in [1, ',
    ],
    [
      'run.identity.count',
      { ...RUN, identity: { ...RUN.identity, count: '3' } },
      'an integer in [0, ',
    ],
    ['run.stopping', { ...RUN, stopping: 1 }, 'an object'],
    [
      'run.stopping.waited',
      { ...RUN, stopping: { best: null, bestEpoch: 0, waited: -1 } },
      'an integer in [0, ',
    ],
    ['run.epochs', { ...RUN, epochs: 5 }, 'an array'],
    ['run.epochs[0]', { ...RUN, epochs: [null] }, 'an object'],
    ['run.epochs[0].loss', { ...RUN, epochs: [{ ...RUN.epochs[0], loss: null }] }, 'a number'],
    [
      'run.epochs[0].validation',
      { ...RUN, epochs: [{ ...RUN.epochs[0], validation: 'x' }] },
      'an object',
    ],
    [
      'run.epochs[0].validation.confusion[0]',
      {
        ...RUN,
        epochs: [{ ...RUN.epochs[0], validation: { ...validation, confusion: [[1], 'x'] } }],
      },
      'a row of 2 counts',
    ],
    ['run.epoch', { ...RUN, epoch: 0 }, 'an integer in [1, '],
    ['run.batch', { ...RUN, batch: 1e300 }, 'an integer in [0, '],
    ['run.lossSum', { ...RUN, lossSum: '1' }, 'a number'],
    ['run.bestState', { ...RUN, bestState: [1] }, 'bytes or null'],
  ])('whose %s is wrong is refused', (field, value, expected) => {
    const check = () => checkRunState(value);
    expect(check).toThrow(CheckpointError);
    expect(check).toThrow(`checkpoint: "extras.${field}" expected ${expected}`);
  });

  test.each<[string, unknown]>([
    ['model.arrays', { arrays: 7, trainingPasses: 0 }],
    ['model.arrays.mean', { arrays: { mean: null }, trainingPasses: 0 }],
    [
      'model.arrays.mean.shape',
      { arrays: { mean: { shape: 3, data: Float32Array.of(1) } }, trainingPasses: 0 },
    ],
    ['model.arrays.mean.data', { arrays: { mean: { shape: [1], data: [1] } }, trainingPasses: 0 }],
    ['model.trainingPasses', { arrays: {}, trainingPasses: null }],
  ])('of a model whose %s is wrong is refused', (field, value) => {
    expect(() => readModelStateDict('model', value)).toThrow(`"${field}" expected`);
  });
});
