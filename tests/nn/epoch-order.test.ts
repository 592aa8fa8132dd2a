/** The order of samples over several calls of `fit`: it goes on where the last call ended. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { AdamW, type Optimizer, SGD } from '../../src/index';
import {
  createModel,
  dense,
  dropout,
  type FitOptions,
  fit,
  type Model,
  relu,
  sequential,
} from '../../src/nn';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const data = clouds(50, 1);
const options = {
  inputSize: 4,
  layers: sequential([dense(6), relu(), dropout(0.2), dense(3)]),
  batchSize: 8,
  seed: 2,
};
const learnt = (model: Model) => Object.values(model.weights).map((tensor) => bitsOf(tensor.data));

async function withLearner<T>(
  body: (model: Model, optimizer: Optimizer) => Promise<T>,
): Promise<T> {
  return withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, options);
    return body(model, new AdamW(runtime, model.parameters, { lr: 0.02 }));
  });
}

/** Calls of fit one after another on one model: what it has learnt. */
const train = (...calls: Partial<FitOptions>[]) =>
  withLearner(async (model, optimizer) => {
    for (const call of calls) await fit(model, data, { optimizer, epochs: 1, ...call });
    return learnt(model);
  });

describe('several calls', () => {
  it('visit the samples as one call does', async () => {
    const whole = await train({ epochs: 5, seed: 3 });
    const one = { epochs: 1, seed: 3 };
    expect(await train(one, one, one, one, one)).toEqual(whole);
    expect(await train({ epochs: 2, seed: 3 }, { epochs: 3, seed: 3 })).toEqual(whole);
  });

  it('count epochs by seed', async () => {
    const [a, b] = [{ seed: 1 }, { seed: 2 }];
    expect(await train(a, b, a, b)).toEqual(
      await train(
        { ...a, initialEpoch: 0 },
        { ...b, initialEpoch: 0 },
        { ...a, initialEpoch: 1 },
        { ...b, initialEpoch: 1 },
      ),
    );
    expect(await train(a, a)).not.toEqual(await train(a, { ...a, initialEpoch: 0 }));
  });

  it('the first call is as it always was, and initialEpoch sets where a call begins', async () => {
    expect(await train({ epochs: 2 })).toEqual(await train({ epochs: 2, initialEpoch: 0 }));
    expect(await train({ initialEpoch: 4 })).not.toEqual(await train({}));
    expect(await train({ initialEpoch: 4 }, {})).toEqual(
      await train({ initialEpoch: 4, epochs: 2 }),
    );
    for (const initialEpoch of [-1, 0.5, 2 ** 31, '3']) {
      await expect(train({ initialEpoch: initialEpoch as number })).rejects.toThrow(
        '"initialEpoch" expected an integer in [0, 2147483647]',
      );
    }
  });

  it('show each sample once an epoch, in another order every time', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 1,
        layers: [dense(2)],
        batchSize: 4,
        seed: 1,
      });
      const optimizer = new SGD(runtime, model.parameters, { lr: 0.01 });
      const samples = {
        features: Float32Array.from({ length: 12 }, (_, i) => i),
        labels: new Int32Array(12),
      };
      const orders: string[] = [];
      for (let epoch = 0; epoch < 4; epoch++) {
        const seen: number[] = [];
        const look = ({ result }: { result: unknown }) =>
          result ?? seen.push(...model.input.slice(0, 4));
        await fit(model, samples, { optimizer, epochs: 1, budgetMs: 0, onProgress: look });
        expect(seen.slice().sort((x, y) => x - y)).toEqual([...samples.features]);
        orders.push(seen.join());
      }
      expect(new Set(orders).size).toBe(4);
    });
  });
});

describe('the count of epochs', () => {
  it('is part of the state: another model continues it, a reset one starts over', async () => {
    await withLearner(async (model, optimizer) => {
      const initial = { model: model.stateDict(), optimizer: optimizer.stateDict() };
      expect(initial.model).not.toHaveProperty('epochs');
      await fit(model, data, { optimizer, epochs: 2, seed: 7 });
      const state = model.stateDict({ point: 'trained' });
      expect(state.epochs).toEqual({ 7: 2 });
      const saved = optimizer.stateDict();
      await fit(model, data, { optimizer, epochs: 1, seed: 7 });
      const reference = learnt(model);
      await withLearner(async (other, own) => {
        own.loadStateDict(saved);
        other.loadStateDict(state);
        await fit(other, data, { optimizer: own, epochs: 1, seed: 7 });
        expect(learnt(other)).toEqual(reference);
      });
      // Back to the start, as in a search for a learning rate: the same run once more.
      optimizer.loadStateDict(initial.optimizer);
      model.loadStateDict(initial.model);
      await fit(model, data, { optimizer, epochs: 3, seed: 7 });
      expect(learnt(model)).toEqual(reference);
    });
  });

  it('counts complete epochs: an aborted one is begun again', async () => {
    await withLearner(async (model, optimizer) => {
      const controller = new AbortController();
      const stop = ({ epoch, batch }: { epoch: number; batch: number }) =>
        epoch === 2 && batch === 3 && controller.abort();
      await fit(model, data, {
        optimizer,
        epochs: 4,
        budgetMs: 0,
        onProgress: stop,
        signal: controller.signal,
      });
      expect(model.stateDict().epochs).toEqual({ 0: 1 });
    });
  });

  it('goes on after early stopping has given back the weights of an earlier epoch', async () => {
    await withLearner(async (model, optimizer) => {
      const earlyStopping = { patience: 2, minDelta: 10 };
      const result = await fit(model, data, { optimizer, epochs: 9, earlyStopping });
      expect([result.epochs.length, result.bestEpoch]).toEqual([3, 1]);
      expect(model.stateDict().epochs).toEqual({ 0: 3 });
    });
  });

  it('refuses states that are none, and changes nothing then', async () => {
    await withLearner(async (model) => {
      const state = model.stateDict();
      for (const [epochs, message] of [
        [3, '"state.epochs" expected counts of epochs by seed'],
        [{ 1: -1 }, '"state.epochs.1" expected an integer'],
        [{ one: 1 }, '"state.epochs: the seed" expected an integer'],
      ] as const) {
        expect(() => model.loadStateDict({ ...state, epochs } as never)).toThrow(message);
      }
      expect(model.stateDict()).toEqual(state);
    });
  });

  it('remembers a thousand seeds at most', async () => {
    await withLearner(async (model) => {
      for (let seed = 0; seed < 1500; seed++) model.learnt.history.setEpochs(seed, seed + 1);
      expect(Object.keys(model.stateDict().epochs!).length).toBe(1000);
      expect([
        model.learnt.history.epochsOf(1499),
        model.learnt.history.epochsOf(500),
        model.learnt.history.epochsOf(499),
      ]).toEqual([1500, 501, 0]);
    });
  });
});

describe('checkpoints', () => {
  /**
   * A second call of fit, which begins at epoch 2, aborted at its batch 3 if `stop`, else to its
   * end.
   */
  const second = async (
    store: ReturnType<typeof memoryStore>,
    stop: boolean,
    extra: Partial<FitOptions> = {},
  ) =>
    withLearner(async (model, optimizer) => {
      await fit(model, data, { optimizer, epochs: 2 });
      const controller = new AbortController();
      const abort = ({ batch }: { batch: number }) => stop && batch === 3 && controller.abort();
      const rest = { budgetMs: 0, onProgress: abort, signal: controller.signal, ...extra };
      await fit(model, data, { optimizer, epochs: 2, checkpoint: { store }, ...rest });
      return learnt(model);
    });

  it('keep where a run began: a new model continues its order, and later runs', async () => {
    const reference = await second(memoryStore(), false);
    const store = memoryStore();
    await second(store, true);
    await withLearner(async (model, optimizer) => {
      await fit(model, data, { optimizer, epochs: 2, checkpoint: { store } });
      expect(learnt(model)).toEqual(reference);
      expect(model.stateDict().epochs).toEqual({ 0: 4 });
      await fit(model, data, { optimizer, epochs: 1 });
      expect(learnt(model)).toEqual(await train({ epochs: 5 }));
    });
  });

  it('refuse another first epoch when it is asked for by name', async () => {
    const store = memoryStore();
    await second(store, true);
    await withLearner(async (model, optimizer) => {
      const before = learnt(model);
      await expect(
        fit(model, data, { optimizer, epochs: 2, initialEpoch: 1, checkpoint: { store } }),
      ).rejects.toThrow('the checkpoint is of another run: initialEpoch expected 2, got 1');
      expect(learnt(model)).toEqual(before);
      await fit(model, data, { optimizer, epochs: 2, initialEpoch: 2, checkpoint: { store } });
    });
  });

  it('a finished run is not trained again by a second call with its store', async () => {
    const store = memoryStore();
    await withLearner(async (model, optimizer) => {
      await fit(model, data, { optimizer, epochs: 2, checkpoint: { store } });
      const before = learnt(model);
      expect((await fit(model, data, { optimizer, epochs: 2, checkpoint: { store } })).steps).toBe(
        14,
      );
      expect(learnt(model)).toEqual(before);
      expect((await fit(model, data, { optimizer, epochs: 3, checkpoint: { store } })).steps).toBe(
        21,
      );
      expect(learnt(model)).toEqual(await train({ epochs: 3 }));
    });
  });
});
