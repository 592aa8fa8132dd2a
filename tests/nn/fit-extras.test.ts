/** A program's own data in the checkpoints of `fit`. */
import { expect, it } from 'vitest';
import { decodeCheckpoint, memoryStore } from '../../src/checkpoint';
import { ArgumentError, createRuntime, SGD } from '../../src/index';
import { createModel, dense, describeModel, fit } from '../../src/nn';

const DATA = { features: Float32Array.of(0, 1, 1, 0), labels: Int32Array.of(0, 1) };

it('are kept beside the run, which goes on without them too', async () => {
  const runtime = await createRuntime({ backend: 'simd' });
  const model = await createModel(runtime, { inputSize: 2, layers: [dense(2)] });
  const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
  const store = memoryStore();
  const extras = { corpus: 'mine', mean: Float32Array.of(1, 2), nested: { list: [1, null] } };
  await fit(model, DATA, { optimizer, epochs: 1, checkpoint: { store, extras } });
  const { bytes } = (await store.load())!;
  expect(decodeCheckpoint(bytes).extras).toMatchObject(extras);
  expect((await fit(model, DATA, { optimizer, epochs: 2, checkpoint: { store } })).steps).toBe(2);
  runtime.dispose();
});

it('may not take the names of what fit keeps', async () => {
  const runtime = await createRuntime({ backend: 'simd' });
  const model = await createModel(runtime, { inputSize: 2, layers: [dense(2)] });
  const optimizer = new SGD(runtime, model.parameters, { lr: 0.1 });
  for (const extras of [{ run: 1 }, { model: 1 }, 'text']) {
    const run = fit(model, DATA, {
      optimizer,
      epochs: 1,
      checkpoint: { store: memoryStore(), extras: extras as never },
    });
    await expect(run).rejects.toThrow(ArgumentError);
  }
  runtime.dispose();
});

it('describeModel tells what createModel would make, and refuses what it would refuse', () => {
  const layers = [dense(3), dense(2)];
  expect(describeModel({ inputSize: 4, layers })).toEqual({
    inputShape: [4],
    outputShape: [2],
    inputShapes: { input: [4] },
    outputShapes: { output: [2] },
    parameterCount: 23,
  });
  const misfit = [{ kind: 'flatten' }, { kind: 'maxPool2d', size: 2 }] as const;
  expect(() => describeModel({ inputSize: 4, layers: misfit })).toThrow(
    '"layers[1] (maxPool2d)" expected an image',
  );
});
