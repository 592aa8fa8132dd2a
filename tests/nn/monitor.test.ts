/** The figure that early stopping watches: which epoch is the best, and when training ends. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { AdamW } from '../../src/index';
import {
  createModel,
  crossEntropy,
  dense,
  type FitEpoch,
  type FitOptions,
  fit,
  graph,
  input,
  type ModelOptions,
  meanSquaredError,
  type TrainingData,
} from '../../src/nn';
import { EarlyStopping, type EarlyStoppingState } from '../../src/nn/early-stopping';
import { simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const data = clouds(60, 1);
const validation = clouds(40, 2);
const chain: ModelOptions = { inputSize: 4, layers: [dense(3)], batchSize: 16, seed: 5 };
const x = input('x', 4);
const two: ModelOptions = {
  ...graph({ kind: x.apply(dense(3)), size: x.apply(dense(1)) }),
  loss: { kind: crossEntropy(), size: meanSquaredError() },
  batchSize: 16,
  seed: 5,
};
const twice = ({ features, labels }: typeof data) => ({
  features,
  labels: { kind: labels },
  targets: { size: features.filter((_, i) => i % 4 === 0) },
});

async function train(options: Partial<FitOptions>, model = chain, samples: TrainingData = data) {
  return withRuntime(simd, async (runtime) => {
    const made = await createModel(runtime, model);
    const optimizer = new AdamW(runtime, made.parameters, { lr: 0.3 });
    return fit(made, samples, { optimizer, epochs: 12, ...options });
  });
}

/** Returns the last epoch, from 1, that is better than all before. */
function bestOf(epochs: readonly FitEpoch[], figure: (epoch: FitEpoch) => number, sign: 1 | -1) {
  const values = epochs.map((epoch) => sign * figure(epoch));
  return 1 + values.indexOf(Math.min(...values));
}

describe('monitor', () => {
  const all = { validation, metrics: ['accuracy', 'f1'], earlyStopping: { patience: 50 } } as const;
  const stopping = (monitor: string) => ({ earlyStopping: { patience: 50, monitor } });

  it.each<[string, (epoch: FitEpoch) => number, 1 | -1]>([
    ['loss', ({ loss }) => loss, 1],
    ['f1', ({ metrics }) => metrics!.f1!, -1],
    ['accuracy', ({ metrics }) => metrics!.accuracy!, -1],
    ['validation.loss', (epoch) => epoch.validation!.loss, 1],
    ['validation.accuracy', (epoch) => epoch.validation!.accuracy!, -1],
    ['validation.f1', (epoch) => epoch.validation!.metrics!.f1!, -1],
  ])('%s decides the best epoch', async (monitor, figure, sign) => {
    const { epochs, bestEpoch } = await train({ ...all, ...stopping(monitor) });
    expect(new Set(epochs.map(figure)).size).toBeGreaterThan(2);
    expect(bestEpoch).toBe(bestOf(epochs, figure, sign));
  });

  it.each<[string, (epoch: FitEpoch) => number, 1 | -1]>([
    ['size.meanAbsoluteError', ({ metrics }) => metrics!['size.meanAbsoluteError']!, 1],
    ['validation.kind.loss', (epoch) => epoch.validation!.outputs!.kind!.loss, 1],
    ['validation.kind.accuracy', (epoch) => epoch.validation!.outputs!.kind!.accuracy!, -1],
    ['validation.size.r2', (epoch) => epoch.validation!.metrics!['size.r2']!, -1],
  ])('%s of one of two losses decides it', async (monitor, figure, sign) => {
    const { epochs, bestEpoch } = await train(
      {
        validation: twice(validation),
        metrics: ['meanAbsoluteError', 'r2'],
        ...stopping(monitor),
      },
      two,
      twice(data),
    );
    expect(epochs.every((epoch) => Number.isFinite(figure(epoch)))).toBe(true);
    expect(bestEpoch).toBe(bestOf(epochs, figure, sign));
  });

  it('ends training and restores the weights of its best epoch', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, chain);
      const optimizer = new AdamW(runtime, model.parameters, { lr: 0.3 });
      const kept: string[] = [];
      const { epochs, bestEpoch, reason } = await fit(model, data, {
        optimizer,
        epochs: 60,
        validation,
        earlyStopping: { patience: 2, monitor: 'validation.accuracy' },
        onProgress: ({ result }) => {
          if (result) kept.push(JSON.stringify(model.stateDict().arrays));
        },
      });
      expect([reason, epochs.length]).toEqual(['early-stopping', bestEpoch! + 2]);
      expect(JSON.stringify(model.stateDict().arrays)).toBe(kept[bestEpoch! - 1]);
    });
  });

  it('is part of a stored run: with another one it does not go on', async () => {
    const store = memoryStore();
    const watch = { ...all, ...stopping('validation.f1') };
    const whole = await train(watch);
    await train({ ...watch, epochs: 5, checkpoint: { store } });
    const { samplesPerSecond: _, ...resumed } = await train({ ...watch, checkpoint: { store } });
    expect(resumed).toEqual({
      epochs: whole.epochs,
      steps: whole.steps,
      ...{
        reason: whole.reason,
        bestEpoch: whole.bestEpoch,
      },
    });
    for (const monitor of ['validation.accuracy', 'validation.loss'])
      await expect(train({ ...all, ...stopping(monitor), checkpoint: { store } })).rejects.toThrow(
        'another run: monitor expected validation.f1, got',
      );
    const byDefault = memoryStore();
    await train({ ...all, epochs: 2, checkpoint: { store: byDefault } });
    const named = { ...all, ...stopping('validation.loss'), checkpoint: { store: byDefault } };
    expect((await train({ ...named, epochs: 3 })).epochs).toHaveLength(3);
  });

  it.each<[string, Partial<FitOptions>, string]>([
    ['val_loss', all, '"loss" or "accuracy" or "f1" or "validation.loss" or "validation.accuracy"'],
    ['validation.loss', {}, '"loss", got "validation.loss"'],
    ['accuracy', { validation }, '"loss" or "validation.loss" or "validation.accuracy", got'],
    ['auc', { validation, metrics: ['auc'] }, '"loss" or "validation.loss" or "validation.accur'],
    ['toString', {}, '"loss", got "toString"'],
    [5 as never, {}, 'the name of a loss or metric, got 5'],
  ])('refuses %s where epochs do not have it', async (monitor, options, message) => {
    await expect(train({ ...options, ...stopping(monitor) })).rejects.toThrow(
      `"earlyStopping.monitor" expected ${message}`,
    );
  });

  it('minDelta is a rise of a figure that should rise', () => {
    const watch = new EarlyStopping({ patience: 2, minDelta: 0.1, monitor: 'validation.auc' });
    let state: EarlyStoppingState = { best: null, bestEpoch: 0, waited: 0 };
    for (const [index, auc] of [Number.NaN, 0.5, 0.55, 0.65, 0.6, 0.7].entries())
      state = watch.observe(state, index + 1, auc);
    expect(state).toEqual({ best: 0.65, bestEpoch: 4, waited: 2 });
    expect(watch.isExhausted(state)).toBe(true);
  });
});
