/**
 * Frozen parameters and extracted features: what is trained has the same bits, whichever way the
 * rest is kept still.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/checkpoint';
import { AdamW } from '../../src/index';
import {
  batchNorm,
  conv2d,
  createModel,
  dense,
  dropout,
  extractFeatures,
  fit,
  flatten,
  type Layer,
  type Model,
  type ModelOptions,
  maxPool2d,
  predict,
  relu,
  sequential,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { generator } from '../kernels/values';
import { BACKENDS, bitsOf, simd, withRuntime } from '../support/backends';
import { CASES, dataFor } from './cases';

const body = sequential([
  conv2d(5, { kernelSize: 3, padding: 1 }),
  batchNorm(),
  relu(),
  maxPool2d(2),
  flatten(),
  dense(9),
  relu(),
]);
const head = sequential([dense(7), relu(), dense(3)]);
const images = (count: number, seed: number) => {
  const next = generator(seed);
  const labels = Int32Array.from({ length: count }, () => Math.floor(next() * 3));
  return { features: Float32Array.from({ length: count * 36 }, () => next() - 0.5), labels };
};
const train = images(50, 1);

const weightsOf = (model: Model, ...layers: string[]) =>
  Object.entries(model.weights)
    .filter(([name]) => layers.some((layer) => name.startsWith(`${layer}.`)))
    .map(([, { data }]) => bitsOf(data));

/** A body with a head on it, whose running statistics are no longer the first ones. */
async function whole(runtime: Runtime, options: Partial<ModelOptions> = {}): Promise<Model> {
  const model = await createModel(runtime, {
    inputShape: [6, 6, 1],
    layers: [...body, ...head],
    batchSize: 8,
    seed: 4,
    ...options,
  });
  const next = generator(7);
  for (const [name, { data }] of Object.entries(model.weights)) {
    if (/mean|variance/.test(name)) data.set(data.map(() => 0.5 + next()));
  }
  return model;
}

const learn = async (model: Model, data: Parameters<typeof fit>[1]) => {
  const optimizer = new AdamW(model.runtime, model.parameters, { lr: 0.01 });
  return fit(model, data, { optimizer, epochs: 3, seed: 2 });
};

describe('a frozen body', () => {
  it.each(BACKENDS)(
    '$name: a head trained on its features has the bits of the head trained in place',
    async (backend) => {
      await withRuntime(backend, async (runtime) => {
        const inPlace = await whole(runtime, { freeze: ['conv1', 'batchNorm1', 'dense1'] });
        const first = Object.fromEntries(
          Object.entries(inPlace.stateDict().arrays).map(([name, { data }]) => [name, data]),
        );
        const before = weightsOf(inPlace, 'conv1', 'batchNorm1', 'dense1');
        const base = await whole(runtime, { training: false });
        const { features, labels } = extractFeatures(base, train, { layer: 'relu2' });
        expect(features.dims).toEqual([50, 9]);
        const apart = await createModel(runtime, {
          inputShape: features.dims.slice(1),
          layers: head,
          batchSize: 8,
        });
        for (const [name, { data }] of Object.entries(apart.weights))
          data.set(first[name.replace(/\d/, (n) => String(+n + 1))]!);
        const results = [await learn(inPlace, train), await learn(apart, { features, labels })];
        expect(results[1]!.epochs).toEqual(results[0]!.epochs);
        expect(weightsOf(inPlace, 'dense2', 'dense3')).toEqual(
          weightsOf(apart, 'dense1', 'dense2'),
        );
        expect(weightsOf(inPlace, 'conv1', 'batchNorm1', 'dense1')).toEqual(before);
        const { features: seen } = extractFeatures(base, train, { layer: 'relu2' });
        expect(bitsOf(predict(apart, seen))).toEqual(bitsOf(predict(inPlace, train.features)));
      });
    },
  );

  it('has no gradients, no names in parameters, and a smaller workspace (memory())', async () => {
    await withRuntime(simd, async (runtime) => {
      const free = await whole(runtime);
      const before = runtime.info.usedBytes;
      const model = await whole(runtime, { freeze: /^(conv|batchNorm|dense1)/ });
      expect(runtime.info.usedBytes - before).toBe(model.memory().total);
      expect(Object.keys(model.parameters)).toEqual([
        'dense2.weight',
        'dense2.bias',
        'dense3.weight',
        'dense3.bias',
      ]);
      expect(Object.keys(model.weights)).toEqual(Object.keys(free.weights));
      expect(model.memory().gradients).toBeLessThan(0.5 * free.memory().gradients);
      expect(model.memory().workspace).toBeLessThan(free.memory().workspace);
      model.dispose();
      expect(runtime.info.usedBytes).toBe(before);
    });
  });

  it('is resumed with the rest of a run', async () => {
    await withRuntime(simd, async (runtime) => {
      const store = memoryStore();
      const run = async (epochs: number, seed: number) => {
        const model = await whole(runtime, { freeze: ['conv1', 'batchNorm1'], seed });
        const optimizer = new AdamW(runtime, model.parameters, { lr: 0.01 });
        await fit(model, train, { optimizer, epochs, checkpoint: { store } });
        return Object.values(model.weights).map(({ data }) => bitsOf(data));
      };
      await run(2, 4);
      const resumed = await run(4, 5);
      const model = await whole(runtime, { freeze: ['conv1', 'batchNorm1'], seed: 4 });
      await fit(model, train, {
        optimizer: new AdamW(runtime, model.parameters, { lr: 0.01 }),
        epochs: 4,
      });
      expect(resumed).toEqual(Object.values(model.weights).map(({ data }) => bitsOf(data)));
    });
  });
});

describe('what stays unfrozen', () => {
  // Layers below the first trained one work as in evaluation: cases that have such layers with a
  // choice are left out.
  const differs = (layer: Layer) =>
    layer.kind === 'batchNorm' || layer.kind === 'dropout' || ('dropout' in layer && layer.dropout);
  const cases = Object.entries(CASES).filter(([, { layers }]) => !layers.some(differs));

  it('an attention layer that is frozen as a whole does not drop', async () => {
    await withRuntime(simd, async (runtime) => {
      const network = CASES['attention over sinusoidal positions, dropout']!;
      const { input, targets } = dataFor(network, 3, generator(3));
      const lossOf = async (freeze: readonly string[] | undefined, layers = network.layers) => {
        const model = await createModel(runtime, { ...network, layers, seed: 7, freeze });
        model.input.set(input);
        model.targets.set(targets);
        return model.computeGradients(network.batchSize);
      };
      const still = network.layers.map((layer) =>
        layer.kind === 'multiHeadAttention' ? { ...layer, dropout: 0 } : layer,
      );
      const dropped = await lossOf(undefined);
      expect(await lossOf(['attention1'])).toBe(await lossOf(undefined, still));
      expect(await lossOf(['attention1.queryWeight', 'attention1.keyWeight'])).toBe(dropped);
      expect(dropped).not.toBe(await lossOf(undefined, still));
    });
  });

  it.each(cases)(
    '%s: has the gradients it would have anyway, whatever else is frozen',
    async (_, network) => {
      await withRuntime(simd, async (runtime) => {
        const gradients = async (freeze?: string[]) => {
          const model = await createModel(runtime, { ...network, seed: 7, freeze });
          const { input, labels, targets } = dataFor(network, model.outputSize, generator(3));
          model.input.set(input);
          if (network.loss.kind === 'crossEntropy') model.labels.set(labels);
          else model.targets.set(targets);
          const loss = model.computeGradients(network.batchSize);
          const found = Object.entries(model.parameters).map(
            ([name, { grad }]) => [name, bitsOf(grad.data)] as const,
          );
          model.dispose();
          return { loss, found: new Map(found) };
        };
        const all = await gradients();
        const names = [...all.found.keys()];
        await fc.assert(
          fc.asyncProperty(
            fc.subarray(names, { minLength: 1, maxLength: names.length - 1 }),
            async (freeze) => {
              const some = await gradients(freeze);
              expect(some.loss).toBe(all.loss);
              expect([...some.found.keys()]).toEqual(
                names.filter((name) => !freeze.includes(name)),
              );
              for (const [name, bits] of some.found)
                expect(bits, name).toEqual(all.found.get(name));
            },
          ),
          { numRuns: 6 },
        );
      });
    },
  );

  it('dropout above the last frozen layer drops; batch norm uses the batch’s figures', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = sequential([dense(6), dropout(0.5), dense(5), batchNorm(), dense(3)]);
      const gradientOf = async (freeze: string[] | undefined) => {
        const model = await createModel(runtime, { inputSize: 4, layers, batchSize: 8, freeze });
        model.input.set(train.features.subarray(0, 32));
        model.labels.set(train.labels.subarray(0, 8));
        model.computeGradients(8);
        return bitsOf(model.parameters['dense2.weight']!.grad.data);
      };
      const reference = await gradientOf(undefined);
      expect(await gradientOf(['dense1'])).toEqual(reference);
      expect(await gradientOf(['dense1', 'batchNorm1', 'dense3'])).toEqual(reference);
      expect(await gradientOf(['batchNorm1.gamma'])).toEqual(reference);
    });
  });
});

describe('features', () => {
  it('can be had of every layer, of any number of samples', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await whole(runtime);
      expect(model.layerNames).toEqual([
        'conv1',
        'batchNorm1',
        'relu1',
        'maxPool1',
        'flatten1',
        'dense1',
        'relu2',
        'dense2',
        'relu3',
        'dense3',
      ]);
      const dims = model.layerNames.map(
        (layer) => extractFeatures(model, train, { layer }).features.dims,
      );
      expect(dims.slice(0, 6)).toEqual([
        [50, 6, 6, 5],
        [50, 6, 6, 5],
        [50, 6, 6, 5],
        [50, 3, 3, 5],
        [50, 45],
        [50, 9],
      ]);
      const last = extractFeatures(model, { features: train.features }, { layer: 'dense3' });
      expect(bitsOf(last.features.data)).toEqual(bitsOf(predict(model, train.features)));
      expect(last.labels).toBeUndefined();
      const { data } = extractFeatures(model, train, { layer: 'dense1' }).features;
      const after = extractFeatures(model, train, { layer: 'relu2' }).features.data;
      expect([...after]).toEqual([...data].map((x) => Math.max(x, 0)));
    });
  });
});

describe('what cannot be is named', () => {
  it.each<[Partial<ModelOptions>, string]>([
    [
      { freeze: ['relu1'] },
      '"freeze[0]" expected a layer with parameters, or a parameter ' +
        '(conv1.weight, conv1.bias, batchNorm1.gamma',
    ],
    [{ freeze: ['conv1', 'conv'] }, '"freeze[1]" expected a layer with parameters'],
    [{ freeze: /^lstm/ }, '"freeze" expected to match at least one parameter, got none of 10'],
    [
      { freeze: 'conv1' as never },
      '"freeze" expected a RegExp or a function of the name, got "conv1"',
    ],
    [
      { freeze: () => true },
      '"freeze" expected at least one parameter to stay trainable, got all of them',
    ],
  ])('%o', async (options, message) => {
    await withRuntime(simd, (runtime) => expect(whole(runtime, options)).rejects.toThrow(message));
  });

  it('features of no layer, or of no samples', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await whole(runtime, { training: false, freeze: () => true });
      expect(() => extractFeatures(model, train, { layer: 'dense4' })).toThrow(
        `"layer" expected 'conv1' or 'batchNorm1'`,
      );
      expect(() =>
        extractFeatures(model, { features: new Float32Array(35) }, { layer: 'dense1' }),
      ).toThrow('"samples.features" expected 36 values per sample, got Float32Array(35)');
    });
  });
});
