/**
 * Who may use a model, and when: fits, optimizers, averages and accumulators that belong to it, and
 * what is refused meanwhile.
 */
import { describe, expect, it } from 'vitest';
import { ExponentialMovingAverage, GradientAccumulator } from '../../src/entries/gradients';
import { AdamW, ArgumentError, BusyError, DisposedError, SGD } from '../../src/index';
import {
  createModel,
  dense,
  type FitOptions,
  fit,
  type Model,
  predict,
  relu,
  updateStatistics,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const train = clouds(64, 1);
const create = (runtime: Runtime, options = {}) =>
  createModel(runtime, {
    inputSize: 4,
    layers: [dense(6), relu(), dense(3)],
    batchSize: 16,
    seed: 3,
    ...options,
  });
const bits = (model: Model) => Object.values(model.weights).map(({ data }) => bitsOf(data));

describe('a model that fit is training', () => {
  /**
   * What `attempt` does at the first turn of the event loop within a run, and the weights that the
   * run ends with.
   */
  async function within(attempt: (model: Model, optimizer: SGD) => unknown) {
    return withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
      let outcome: unknown;
      let first = true;
      const onProgress = async () => {
        if (!first) return;
        first = false;
        try {
          outcome = await attempt(model, optimizer);
        } catch (error) {
          outcome = error;
        }
      };
      await fit(model, train, { optimizer, epochs: 2, budgetMs: 0, onProgress });
      return { outcome, bits: bits(model) };
    });
  }

  it('refuses runs, gradients, steps, loading and disposal from outside, and goes on', async () => {
    const reference = await within(() => null);
    const attempts: Record<string, (model: Model, optimizer: SGD) => unknown> = {
      fit: (model, optimizer) => fit(model, train, { optimizer, epochs: 1 }),
      computeGradients: (model) => model.computeGradients(4),
      commitStatistics: (model) => model.commitStatistics(),
      loadStateDict: (model) => model.loadStateDict(model.stateDict()),
      updateStatistics: (model) => updateStatistics(model, train),
      dispose: (model) => model.dispose(),
      'a step': (_, optimizer) => optimizer.step(),
      'a new state of the optimizer': (_, optimizer) =>
        optimizer.loadStateDict(optimizer.stateDict()),
      "the optimizer's disposal": (_, optimizer) => optimizer.dispose(),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const { outcome, bits: weights } = await within(attempt);
      expect(outcome, name).toBeInstanceOf(BusyError);
      expect((outcome as Error).message, name).toMatch(/while fit is under way: await it first/);
      expect(weights, name).toEqual(reference.bits);
    }
  });

  it('still predicts, whatever batch is under way', async () => {
    const reference = await within(() => null);
    const { outcome, bits: weights } = await within(
      (model) => predict(model, train.features).length,
    );
    expect(outcome).toBe(192);
    expect(weights).toEqual(reference.bits);
  });

  it('is free again when the run has ended, failed or been refused', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
      const failing = () => {
        throw new Error('no more');
      };
      await expect(fit(model, failing, { optimizer, epochs: 1 })).rejects.toThrow('no more');
      await expect(
        fit(model, train, { optimizer, epochs: 1, onProgress: failing }),
      ).rejects.toThrow('no more');
      await expect(fit(model, train, { optimizer, epochs: 0 })).rejects.toThrow(ArgumentError);
      expect((await fit(model, train, { optimizer, epochs: 1 })).reason).toBe('complete');
      model.dispose();
    });
  });
});

describe('fit refuses', () => {
  const attempt = async (
    model: Model,
    options: Partial<FitOptions> & Pick<FitOptions, 'optimizer'>,
  ) => {
    const before = bits(model);
    const error = await fit(model, train, { epochs: 1, ...options }).then(
      () => null,
      (refusal: Error) => refusal,
    );
    expect(bits(model)).toEqual(before);
    expect(error).toBeInstanceOf(ArgumentError);
    return error!.message;
  };

  it("what belongs to another model, a part of the model's parameters, and strays", async () => {
    await withRuntime(simd, async (runtime) => {
      const [model, other] = [await create(runtime), await create(runtime)];
      const [own, foreign] = [
        new SGD(runtime, model.parameters, { lr: 1 }),
        new SGD(runtime, other.parameters, { lr: 1 }),
      ];
      expect(await attempt(model, { optimizer: foreign })).toMatch(
        /"optimizer" expected .*, got one that holds none of them/,
      );
      const accumulator = new GradientAccumulator(foreign, { steps: 2 });
      expect(await attempt(model, { optimizer: own, accumulator })).toMatch(
        /"accumulator" expected .* of options.optimizer/,
      );
      const average = new ExponentialMovingAverage(foreign);
      expect(await attempt(model, { optimizer: own, average })).toMatch(
        /"average" expected .*, got one that holds none of them/,
      );
      const { 'dense2.bias': bias, ...rest } = model.parameters;
      const partial = new SGD(runtime, rest, { lr: 1 });
      expect(await attempt(model, { optimizer: partial })).toMatch(
        /got one without "dense2.bias" .*createModel\(\{ freeze \}\)/,
      );
      const part = new ExponentialMovingAverage({ bias });
      expect(await attempt(model, { optimizer: own, average: part })).toMatch(
        /"average" .* without "dense1.weight" and 2 more/,
      );
      const wider = new SGD(
        runtime,
        { ...model.parameters, scale: new Float32Array(1) },
        { lr: 1 },
      );
      expect(await attempt(model, { optimizer: wider })).toMatch(/one that also trains "scale"/);
      const still = new SGD(
        runtime,
        [{ params: model.parameters }, { params: { scale: new Float32Array(1) }, frozen: true }],
        {
          lr: 0.1,
        },
      );
      expect((await fit(model, train, { optimizer: still, epochs: 1 })).reason).toBe('complete');
      const untrained = await create(runtime, { training: false });
      expect(await attempt(untrained, { optimizer: own })).toMatch(
        /"model" expected a model created with training: true/,
      );
    });
  });

  it('nothing when the rest of the model is frozen', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime, { freeze: ['dense1'] });
      const optimizer = new AdamW(runtime, model.parameters);
      const average = new ExponentialMovingAverage(optimizer);
      expect((await fit(model, train, { optimizer, average, epochs: 1 })).steps).toBe(4);
    });
  });
});

describe('after model.dispose()', () => {
  it('optimizer, accumulator, average and views throw; no memory is written', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await create(runtime);
      const optimizer = new AdamW(runtime, model.parameters, { lr: 1 });
      const average = new ExponentialMovingAverage(optimizer);
      const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
      const { value, grad } = model.parameters['dense1.weight'];
      model.dispose();
      const fresh = await create(runtime);
      const before = bits(fresh);
      const uses: Record<string, () => unknown> = {
        step: () => optimizer.step(),
        params: () => optimizer.params['dense1.weight'],
        grads: () => optimizer.grads['dense1.weight'],
        stateDict: () => optimizer.stateDict(),
        'loadStateDict of the optimizer': () => optimizer.loadStateDict({} as never),
        zeroGrad: () => optimizer.zeroGrad(),
        add: () => accumulator.add(),
        flush: () => accumulator.flush(),
        update: () => average.update(),
        apply: () => average.apply(),
        input: () => model.input,
        'stateDict of the model': () => model.stateDict(),
        'a tensor': () => model.weights['dense1.weight'].data,
        'a value': () => value.data,
        'a gradient': () => grad.data,
      };
      for (const [name, use] of Object.entries(uses)) expect(use, name).toThrow(DisposedError);
      await expect(optimizer.stepAsync()).rejects.toThrow(DisposedError);
      expect(bits(fresh)).toEqual(before);
      average.dispose();
      accumulator.dispose();
      optimizer.dispose();
      expect(bits(fresh)).toEqual(before);
    });
  });
});
