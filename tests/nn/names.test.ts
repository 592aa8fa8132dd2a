/**
 * Names of classes and columns: data that call them otherwise, or have them in another order, are
 * refused.
 */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { loadDigits, parseCsv, standardize } from '../../src/data';
import { SGD } from '../../src/index';
import {
  createModel,
  dense,
  evaluate,
  extractFeatures,
  fit,
  type Model,
  type ModelOptions,
  meanSquaredError,
  type Samples,
  type TrainingData,
} from '../../src/nn';
import { bitsOf, simd, withRuntime } from '../support/backends';

const plain: Samples = {
  features: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  labels: Int32Array.of(0, 1, 1, 0),
};
const named: Samples = { ...plain, classNames: ['cat', 'dog'], columns: ['width', 'height'] };
const swapped: Samples = { ...plain, classNames: ['dog', 'cat'], columns: ['width', 'height'] };
const others: Samples = { ...plain, classNames: ['cat', 'rat'], columns: ['width', 'height'] };
const turned: Samples = { ...named, columns: ['height', 'width'] };

async function withModel(
  body: (model: Model) => Promise<void> | void,
  options: Partial<ModelOptions> = {},
) {
  await withRuntime(simd, async (runtime) => {
    await body(
      await createModel(runtime, {
        inputSize: 2,
        layers: [dense(2)],
        batchSize: 4,
        seed: 1,
        ...options,
      }),
    );
  });
}

const learnt = (model: Model) => Object.values(model.weights).map(({ data }) => bitsOf(data));
const train = (model: Model, data: TrainingData, more: object = {}) =>
  fit(model, data, {
    optimizer: new SGD(model.runtime, model.parameters, { lr: 0.01 }),
    epochs: 1,
    ...more,
  });

const IN_ANOTHER_ORDER =
  '"data.classNames[0]" expected "cat", as in the data that the model was trained with ' +
  '(the same names in another order';

describe('a model', () => {
  it('remembers the names of its first training data, and refuses others', async () => {
    await withModel(async (model) => {
      expect([model.classNames, model.columns]).toEqual([undefined, undefined]);
      evaluate(model, swapped);
      expect(model.classNames).toBeUndefined();
      await train(model, named);
      expect([model.classNames, model.columns]).toEqual([named.classNames, named.columns]);
      await train(model, named);
      await train(model, plain);
      evaluate(model, plain);
      evaluate(model, named);
      const before = learnt(model);
      await expect(train(model, swapped)).rejects.toThrow(IN_ANOTHER_ORDER);
      await expect(train(model, others)).rejects.toThrow(
        '"data.classNames[1]" expected "dog", as in the data that the model was trained with, ' +
          'got "rat"',
      );
      await expect(train(model, turned)).rejects.toThrow('"data.columns[0]" expected "width"');
      await expect(train(model, { ...plain, classNames: ['cat'] })).rejects.toThrow(
        '"data.classNames" expected the 2 names that the model was trained with, got 1 names',
      );
      expect(() => evaluate(model, swapped)).toThrow('"samples.classNames[0]" expected "cat"');
      expect(() => evaluate(model, turned)).toThrow('"samples.columns[0]" expected "width"');
      expect(learnt(model)).toEqual(before);
    });
  });

  it('refuses validation data of other names than its training data', async () => {
    await withModel(async (model) => {
      const before = learnt(model);
      await expect(train(model, named, { validation: swapped })).rejects.toThrow(
        '"validation.classNames[0]" expected "cat"',
      );
      await expect(train(model, named, { validation: turned })).rejects.toThrow(
        '"validation.columns[0]" expected "width"',
      );
      expect(learnt(model)).toEqual(before);
      expect(model.classNames).toBeUndefined();
      await train(model, named, { validation: plain });
    });
  });

  it('looks at the names of chunks', async () => {
    await withModel(async (model) => {
      await expect(train(model, () => [plain, named, named, swapped])).rejects.toThrow(
        '"data().classNames[0]" expected "cat"',
      );
      expect(model.classNames).toEqual(['cat', 'dog']);
      await expect(train(model, swapped)).rejects.toThrow(IN_ANOTHER_ORDER);
    });
  });

  it('says what names have to be', async () => {
    await withModel(async (model) => {
      for (const [names, message] of [
        [{ classNames: 'cat' }, '"data.classNames" expected an array of names, got "cat"'],
        [{ classNames: ['cat', 3] }, '"data.classNames[1]" expected a name, got 3'],
        [{ columns: ['a', 'b', 'c'] }, '"data.columns" expected 2 names, one a feature, got 3'],
      ] as const) {
        await expect(train(model, { ...plain, ...names } as never)).rejects.toThrow(message);
      }
    });
  });

  it('may be trained on some of the classes of a data set, or have outputs for more', async () => {
    for (const classNames of [['a'], ['a', 'b', 'c']]) {
      await withModel(async (model) => {
        await train(model, { ...plain, labels: new Int32Array(4), classNames });
        expect(model.classNames).toEqual(classNames);
      });
    }
  });

  it('of values has columns, but no classes', async () => {
    await withModel(
      async (model) => {
        const values = { features: plain.features, targets: Float32Array.of(1, 2, 3, 4) };
        await train(model, { ...values, columns: ['a', 'b'], classNames: ['1', '2', '3', '4'] });
        expect([model.classNames, model.columns]).toEqual([undefined, ['a', 'b']]);
        expect(() => evaluate(model, { ...values, columns: ['b', 'a'] })).toThrow(
          '"samples.columns[0]"',
        );
      },
      { layers: [dense(1)], loss: meanSquaredError() },
    );
  });
});

describe('names', () => {
  it('go with the state, and with features that are extracted', async () => {
    await withModel(async (model) => {
      expect(Object.keys(model.stateDict())).toEqual(['arrays', 'trainingPasses']);
      await train(model, named);
      const state = model.stateDict();
      expect(state).toMatchObject({ classNames: named.classNames, columns: named.columns });
      await withModel(async (other) => {
        other.loadStateDict(state);
        expect(() => evaluate(other, swapped)).toThrow('"samples.classNames[0]"');
        const { classNames, columns, ...rest } = state;
        other.loadStateDict(rest);
        evaluate(other, swapped);
        expect(() => other.loadStateDict({ ...state, columns: [1] } as never)).toThrow(
          '"state.columns[0]" expected a name, got 1',
        );
      });
      const extracted = extractFeatures(model, named, { layer: 'dense1' });
      expect(extracted).toMatchObject({ classNames: named.classNames });
      expect(extracted).not.toHaveProperty('columns');
    });
  });

  it('in a checkpoint: a run is not resumed with data of other classes', async () => {
    const store = memoryStore();
    await withModel((model) => train(model, named, { checkpoint: { store } }).then(() => {}));
    await withModel(async (model) => {
      const before = learnt(model);
      await expect(train(model, swapped, { epochs: 2, checkpoint: { store } })).rejects.toThrow(
        'the checkpoint is of another run: classNames expected ["cat","dog"], got ["dog","cat"]',
      );
      await expect(train(model, turned, { epochs: 2, checkpoint: { store } })).rejects.toThrow(
        'of another run: columns',
      );
      expect(learnt(model)).toEqual(before);
      await train(model, named, { epochs: 2, checkpoint: { store } });
    });
    await withModel(async (model) => {
      // A stream tells its names only once the run is resumed.
      const streamed = memoryStore();
      await train(model, () => [named], { checkpoint: { store: streamed } });
      await withModel(async (other) => {
        const run = train(other, () => [swapped], { epochs: 2, checkpoint: { store: streamed } });
        await expect(run).rejects.toThrow('"data().classNames[0]" expected "cat"');
      });
    });
  });

  it('survive early stopping, which gives back the weights of the best epoch', async () => {
    await withModel(async (model) => {
      await train(model, named, { epochs: 3, earlyStopping: { patience: 2 } });
      expect([model.classNames, model.columns]).toEqual([named.classNames, named.columns]);
    });
  });

  it('of two files that number their classes differently are told apart', async () => {
    const first = parseCsv('a,b,kind\n1,2,cat\n3,4,dog\n5,6,cat\n', { target: 'kind' });
    const second = parseCsv('a,b,kind\n1,2,bird\n3,4,cat\n', { target: 'kind' });
    await withModel(async (model) => {
      await train(model, first);
      expect(() => evaluate(model, second)).toThrow('"samples.classNames[0]" expected "cat"');
      evaluate(model, first);
    });
    await withModel(
      async (model) => {
        const digits = loadDigits();
        await train(model, digits);
        expect(model.classNames).toEqual(digits.classNames);
        evaluate(model, digits);
      },
      { inputSize: 64, layers: [dense(10)] },
    );
  });
});

it('a column that float32 blurs is refused until it is standardized', async () => {
  const rows = Array.from(
    { length: 20 },
    (_, i) => `${1700000000 + i},${i % 5},${i % 2 ? 'odd' : 'even'}`,
  );
  const data = parseCsv(`time,x,kind\n${rows.join('\n')}\n`, { target: 'kind' });
  await withModel(async (model) => {
    await expect(train(model, data)).rejects.toThrow('call standardize first');
    expect(() => evaluate(model, data)).toThrow('call standardize first');
    await train(model, standardize(data, data).train);
  });
});
