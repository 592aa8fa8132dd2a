/**
 * What a model has learnt is one state: it moves with accepted steps, and is saved, loaded and
 * averaged as a whole.
 */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import {
  averageStates,
  ExponentialMovingAverage,
  GradientAccumulator,
} from '../../src/entries/gradients';
import {
  Adam,
  AdamW,
  ArgumentError,
  NonFiniteGradientError,
  ScheduleFreeAdamW,
  SGD,
} from '../../src/index';
import {
  batchNorm,
  createModel,
  dense,
  dropout,
  evaluate,
  fit,
  flatten,
  type Model,
  predict,
  relu,
  sequential,
  updateStatistics,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const train = clouds(101, 1);
const test = clouds(60, 2);
const layers = sequential([dense(12), batchNorm(), relu(), dropout(0.25), dense(3)]);
const FIGURES = ['batchNorm1.mean', 'batchNorm1.variance'];

const create = (runtime: Runtime, options = {}) =>
  createModel(runtime, { inputSize: 4, layers, batchSize: 16, seed: 3, ...options });

/** Puts samples [from, from + count) into the model. */
function load(model: Model, from: number, count: number): void {
  model.input.set(train.features.subarray(4 * from, 4 * (from + count)));
  model.labels.set(train.labels.subarray(from, from + count));
}
const figuresOf = (model: Model) => FIGURES.map((name) => bitsOf(model.weights[name].data));
const bits = (model: Model) =>
  Object.values(model.stateDict({ point: 'trained' }).arrays).map(({ data }) => bitsOf(data));

describe('running statistics', () => {
  it.each(BACKENDS)('count when the step is accepted, on $name', async (backend) => {
    await withRuntime(backend, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new Adam(runtime, model.parameters);
      const before = figuresOf(model);
      load(model, 0, 16);
      model.computeGradients(16);
      expect(figuresOf(model)).toEqual(before);
      optimizer.step();
      const x = model.weights['batchNorm1.mean'].data;
      expect(figuresOf(model)).not.toEqual(before);
      expect([...x].every(Number.isFinite)).toBe(true);
    });
  });

  it.each(['skip', 'throw'] as const)(
    'stay as they were when a batch has a NaN and onNonFinite is %s',
    async (onNonFinite) => {
      await withRuntime(simd, async (runtime) => {
        const [model, twin] = [await create(runtime), await create(runtime)];
        const options = { lr: 0.01, onNonFinite };
        const [optimizer, other] = [
          new Adam(runtime, model.parameters, options),
          new Adam(runtime, twin.parameters, options),
        ];
        for (const [m, o] of [
          [model, optimizer],
          [twin, other],
        ] as const) {
          load(m, 0, 16);
          m.computeGradients(16);
          o.step();
        }
        const before = bits(model);
        load(model, 16, 16);
        model.input[5] = Number.NaN;
        model.computeGradients(16);
        if (onNonFinite === 'throw') expect(() => optimizer.step()).toThrow(NonFiniteGradientError);
        else expect(optimizer.step().skipped).toBe(true);
        expect(bits(model)).toEqual(before);
        // The next step starts from the figures of the last accepted one.
        for (const [m, o] of [
          [model, optimizer],
          [twin, other],
        ] as const) {
          load(m, 32, 16);
          m.computeGradients(16);
          o.step();
        }
        expect(figuresOf(model)).toEqual(figuresOf(twin));
      });
    },
  );

  it('of a window of several batches count with its step, and are forgotten with it', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new SGD(runtime, model.parameters, { lr: 0, onNonFinite: 'skip' });
      const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
      const before = figuresOf(model);
      const add = (from: number, spoilt = false) => {
        load(model, from, 16);
        if (spoilt) model.input[0] = Number.NaN;
        model.computeGradients(16);
        return accumulator.add();
      };
      add(0);
      expect(figuresOf(model)).toEqual(before);
      expect(add(16, true)!.skipped).toBe(true);
      expect(figuresOf(model)).toEqual(before);
      add(0);
      expect(add(16)!.skipped).toBe(false);
      const [mean] = FIGURES.map((name) => model.weights[name].data.slice());
      // Both batches have been taken in: (1 - .1)² of the zeros that the means began with are left.
      const single = await create(runtime);
      const own = new SGD(runtime, single.parameters, { lr: 0 });
      for (const from of [0, 16]) {
        load(single, from, 16);
        single.computeGradients(16);
        own.step();
      }
      expect(bitsOf(mean)).toEqual(bitsOf(single.weights['batchNorm1.mean'].data));
    });
  });

  it('can be committed by who changes the weights without an optimizer', async () => {
    await withRuntime(simd, async (runtime) => {
      const [model, twin] = [await create(runtime), await create(runtime)];
      const optimizer = new SGD(runtime, twin.parameters, { lr: 0 });
      for (const each of [model, twin]) {
        load(each, 0, 16);
        each.computeGradients(16);
      }
      optimizer.step();
      model.commitStatistics();
      expect(figuresOf(model)).toEqual(figuresOf(twin));
    });
  });

  it('under way are saved with a run that is aborted within a window', async () => {
    await withRuntime(simd, async (runtime) => {
      const runs: Uint32Array[][] = [];
      for (const interrupted of [false, true]) {
        const store = memoryStore();
        const build = async () => {
          const model = await create(runtime);
          const optimizer = new AdamW(runtime, model.parameters, { lr: 0.01 });
          return {
            model,
            optimizer,
            accumulator: new GradientAccumulator(optimizer, { steps: 3 }),
          };
        };
        let { model, ...rest } = await build();
        const controller = new AbortController();
        const onProgress = ({ batch }: { batch: number }) =>
          interrupted && batch === 5 && controller.abort();
        const common = { epochs: 2, seed: 1, checkpoint: { store }, budgetMs: 0 };
        await fit(model, train, { ...rest, ...common, onProgress, signal: controller.signal });
        if (interrupted) {
          expect(model.stateDict({ point: 'trained' }).pendingStatistics).toBeDefined();
          ({ model, ...rest } = await build());
          await fit(model, train, { ...rest, ...common });
        }
        runs.push(bits(model));
      }
      expect(runs[1]).toEqual(runs[0]);
    });
  });
});

describe('a batch of one position', () => {
  it('is refused where batch norm needs a variance, before the first step', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime, { batchSize: 1 });
      const before = bits(model);
      load(model, 0, 1);
      expect(() => model.computeGradients(1)).toThrow(/"count" expected at least 2 samples/);
      const optimizer = new AdamW(runtime, model.parameters);
      await expect(fit(model, train, { optimizer, epochs: 1 })).rejects.toThrow(ArgumentError);
      expect(bits(model)).toEqual(before);
    });
  });

  it('is taken where a sample has several positions, and below frozen layers', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = sequential([batchNorm(), flatten(), dense(3)]);
      const rows = await createModel(runtime, {
        inputShape: [3, 4],
        layers,
        batchSize: 1,
        seed: 1,
      });
      expect(rows.computeGradients(1)).toBeGreaterThan(0);
      const frozen = await create(runtime, { batchSize: 1, freeze: ['dense1', 'batchNorm1'] });
      load(frozen, 0, 1);
      expect(frozen.computeGradients(1)).toBeGreaterThan(0);
    });
  });
});
describe('stateDict', () => {
  it('is of what the model evaluates with, unless the trained point is asked for', async () => {
    await withRuntime(simd, async (runtime) => {
      for (const kind of ['schedule-free', 'average'] as const) {
        const model = await create(runtime);
        const free = kind === 'schedule-free';
        const optimizer = free
          ? new ScheduleFreeAdamW(runtime, model.parameters, { lr: 0.01 })
          : new AdamW(runtime, model.parameters, { lr: 0.03 });
        const average = free
          ? undefined
          : new ExponentialMovingAverage(optimizer as AdamW, { decay: 0.9 });
        await fit(model, train, { optimizer, average, epochs: 3 });
        average?.apply();
        const deployed = await create(runtime, { training: false });
        deployed.loadStateDict(model.stateDict());
        expect(evaluate(deployed, test)).toEqual(evaluate(model, test));
        deployed.loadStateDict(model.stateDict({ point: 'trained' }));
        expect(evaluate(deployed, test).loss).not.toBe(evaluate(model, test).loss);
        average?.restore();
        if (average) expect(evaluate(deployed, test)).toEqual(evaluate(model, test));
      }
    });
  });

  it('refuses what is not finite, negative variances, and other points than its own', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const state = structuredClone(model.stateDict());
      const before = bits(model);
      state.arrays['dense1.bias'].data[2] = Number.NaN;
      expect(() => model.loadStateDict(state)).toThrow(
        /"state.arrays.dense1.bias.data\[2\]" expected a finite number, got NaN/,
      );
      state.arrays['dense1.bias'].data[2] = 0;
      state.arrays['batchNorm1.variance'].data[1] = -1;
      expect(() => model.loadStateDict(state)).toThrow(
        /batchNorm1.variance.data\[1\]" expected a finite number of at least 0/,
      );
      expect(() => model.stateDict({ point: 'averaged' as never })).toThrow(/"point" expected/);
      expect(bits(model)).toEqual(before);
    });
  });

  it('is not loaded under a Schedule-Free optimizer that has stepped', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new ScheduleFreeAdamW(runtime, model.parameters);
      model.loadStateDict(model.stateDict());
      load(model, 0, 16);
      model.computeGradients(16);
      optimizer.step();
      const before = bits(model);
      expect(() => model.loadStateDict(model.stateDict())).toThrow(/load its state dict/);
      expect(bits(model)).toEqual(before);
      optimizer.dispose();
      model.loadStateDict(model.stateDict());
    });
  });
});

describe('an average', () => {
  it('takes running statistics along, and both stand in together', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new AdamW(runtime, model.parameters, { lr: 0.02 });
      const average = new ExponentialMovingAverage(optimizer, { decay: 0.5 });
      expect(Object.keys(average.params).sort()).toEqual(Object.keys(model.weights).sort());
      const expected = model.weights['batchNorm1.mean'].data.slice();
      for (const from of [0, 16, 32]) {
        load(model, from, 16);
        model.computeGradients(16);
        optimizer.step();
        average.update();
        const mean = model.weights['batchNorm1.mean'].data;
        for (const [i, x] of expected.entries())
          expected[i] = x - Math.fround(0.5 * Math.fround(x - mean[i]));
      }
      expect(bitsOf(average.params['batchNorm1.mean'])).toEqual(bitsOf(expected));
      average.apply();
      const deployed = await create(runtime, { training: false });
      const arrays = structuredClone(model.stateDict().arrays);
      for (const [name, data] of Object.entries(average.params)) arrays[name].data.set(data);
      deployed.loadStateDict({ arrays, trainingPasses: 0 });
      expect(predict(deployed, test.features)).toEqual(predict(model, test.features));
      const other = new ExponentialMovingAverage(model.parameters, { decay: 0.5 });
      other.loadStateDict(structuredClone(average.stateDict()));
      expect(other.stateDict()).toEqual(average.stateDict());
      const damaged = structuredClone(average.stateDict());
      damaged.params['batchNorm1.variance'].data[0] = -1;
      expect(() => other.loadStateDict(damaged)).toThrow(
        /batchNorm1.variance.data\[0\]" expected a finite number of at least 0/,
      );
      expect(other.stateDict()).toEqual(average.stateDict());
    });
  });

  it('of two models under one optimizer names the figures of the second apart', async () => {
    await withRuntime(simd, async (runtime) => {
      const [one, two] = [await create(runtime), await create(runtime)];
      const renamed = (prefix: string, model: Model) =>
        Object.fromEntries(
          Object.entries(model.parameters).map(([name, parameter]) => [
            `${prefix}.${name}`,
            parameter,
          ]),
        );
      const average = new ExponentialMovingAverage({
        ...renamed('one', one),
        ...renamed('two', two),
      });
      expect(Object.keys(average.params)).toContain('batchNorm1.mean');
      expect(Object.keys(average.params)).toContain('batchNorm1.mean#2');
    });
  });

  it('of several models has their running statistics too', async () => {
    await withRuntime(simd, async (runtime) => {
      const [one, two] = [await create(runtime), await create(runtime, { seed: 4 })];
      one.weights['batchNorm1.mean'].data.fill(2);
      two.weights['batchNorm1.mean'].data.fill(4);
      const mean = averageStates(runtime, [one.stateDict(), two.stateDict()], [1, 3]);
      expect(Object.keys(mean)).toEqual(Object.keys(one.stateDict().arrays));
      expect([...mean['batchNorm1.mean']]).toEqual(new Array(12).fill(3.5));
    });
  });
});

describe('loading a run', () => {
  it('changes nothing when optimizer, average or schedule refuses its part', async () => {
    await withRuntime(simd, async (runtime) => {
      const store = memoryStore();
      const first = await create(runtime);
      const begun = new Adam(runtime, first.parameters);
      const average = new ExponentialMovingAverage(begun, { decay: 0.9 });
      await fit(first, train, { optimizer: begun, average, epochs: 2, checkpoint: { store } });
      const second = await create(runtime);
      const before = bits(second);
      const sgd = new SGD(runtime, second.parameters, { lr: 0.5 });
      const schedule = () => 0.1;
      const other = new ExponentialMovingAverage(sgd, { decay: 0.9 });
      const run = { epochs: 3, checkpoint: { store }, schedule };
      await expect(fit(second, train, { optimizer: sgd, average: other, ...run })).rejects.toThrow(
        ArgumentError,
      );
      expect(sgd.paramGroups[0].lr).toBe(0.5);
      const adam = new Adam(runtime, second.parameters);
      await expect(fit(second, train, { optimizer: adam, ...run })).rejects.toThrow(
        /has a moving average, which this run lacks/,
      );
      expect(adam.stepCount).toBe(0);
      expect(bits(second)).toEqual(before);
      expect(second.stateDict().trainingPasses).toBe(0);
      expect(other.updateCount).toBe(0);
    });
  });
});

describe('updateStatistics', () => {
  it('gives the figures of all data at the point that is evaluated', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 4,
        layers: [batchNorm(), dense(3)],
        batchSize: 25,
        seed: 1,
      });
      await updateStatistics(model, { features: train.features.subarray(0, 4 * 100) });
      const [mean, variance] = FIGURES.map((name) => model.weights[name].data);
      for (let c = 0; c < 4; c++) {
        const column = Array.from({ length: 100 }, (_, i) => train.features[4 * i + c]);
        const batches = [0, 25, 50, 75].map((from) => column.slice(from, from + 25));
        const meanOf = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
        const varianceOf = (values: number[]) => {
          const m = meanOf(values);
          return values.reduce((sum, x) => sum + (x - m) ** 2, 0) / (values.length - 1);
        };
        expect(mean[c]).toBeCloseTo(meanOf(column), 6);
        expect(variance[c]).toBeCloseTo(meanOf(batches.map(varianceOf)), 6);
      }
    });
  });

  it('corrects Schedule-Free’s figures, draws no dropout, and is the same streamed', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new ScheduleFreeAdamW(runtime, model.parameters, { lr: 0.1 });
      await fit(model, train, { optimizer, epochs: 3 });
      const passes = model.stateDict().trainingPasses;
      await updateStatistics(model, train);
      const [once, state] = [figuresOf(model), evaluate(model, train)];
      await updateStatistics(model, () => [
        { features: train.features.subarray(0, 40), labels: train.labels.subarray(0, 10) },
        { features: train.features.subarray(40), labels: train.labels.subarray(10) },
      ]);
      expect(figuresOf(model)).toEqual(once);
      expect(evaluate(model, train)).toEqual(state);
      expect(model.stateDict().trainingPasses).toBe(passes);
    });
  });

  it('writes the figures of an applied average, and the model keeps its own', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const average = new ExponentialMovingAverage(model.parameters);
      const own = figuresOf(model);
      average.apply();
      await updateStatistics(model, train);
      expect(figuresOf(model)).toEqual(own);
      expect(average.params['batchNorm1.mean'].some((x) => x !== 0)).toBe(true);
    });
  });

  it('changes nothing for data that do not fit, or are not finite', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime, { training: false });
      const { usedBytes } = runtime.info;
      const before = bits(model);
      const spoilt = train.features.slice();
      spoilt[200] = Number.NaN;
      await expect(updateStatistics(model, { features: spoilt })).rejects.toThrow(
        /finite activations/,
      );
      await expect(updateStatistics(model, { features: spoilt.subarray(0, 3) })).rejects.toThrow(
        /4 values per sample/,
      );
      await expect(updateStatistics(model, { features: spoilt.subarray(0, 4) })).rejects.toThrow(
        /at least 2 samples/,
      );
      expect(bits(model)).toEqual(before);
      expect(runtime.info.usedBytes).toBe(usedBytes);
      await updateStatistics(model, train);
      expect(bits(model)).not.toEqual(before);
    });
  });
});
