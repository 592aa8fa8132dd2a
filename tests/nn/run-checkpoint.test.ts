/** The checkpoint of a run of `fit`, damaged: refused, and nothing has changed. */
import { expect, it } from 'vitest';
import { CheckpointError, memoryStore } from '../../src/checkpoint';
import { Adam } from '../../src/index';
import { createModel, crossEntropy, dense, fit, relu } from '../../src/nn';
import { simd, withRuntime } from '../support/backends';
import { Xorshift } from '../support/xorshift';

it('is refused by fit, whichever byte is damaged, and leaves the model as it was', async () => {
  await withRuntime(simd, async (runtime) => {
    const random = new Xorshift(3);
    const features = Float32Array.from({ length: 40 * 3 }, () => random.below(100) / 50 - 1);
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const layers = [dense(4), relu(), dense(2)];
    const create = async () => {
      const model = await createModel(runtime, {
        inputShape: [3],
        layers,
        loss: crossEntropy(),
        seed: 1,
      });
      return { model, optimizer: new Adam(runtime, model.parameters) };
    };
    const store = memoryStore();
    const first = await create();
    const data = { features, labels };
    await fit(first.model, data, {
      optimizer: first.optimizer,
      epochs: 2,
      seed: 1,
      checkpoint: { store },
    });
    const { bytes } = (await store.load())!;

    const second = await create();
    const before = JSON.stringify([second.model.stateDict(), second.optimizer.stateDict()]);
    for (let n = 0; n < 60; n++) {
      const changed = bytes.slice();
      // From the end, where the numbers are, and anywhere.
      changed[n < 30 ? bytes.length - 1 - n : random.below(bytes.length)]! ^= 1 << (n % 7);
      const damaged = memoryStore();
      await damaged.save(changed);
      const options = {
        optimizer: second.optimizer,
        epochs: 3,
        seed: 1,
        checkpoint: { store: damaged },
      };
      const error = await fit(second.model, data, options).catch((reason) => reason);
      expect(error).toBeInstanceOf(CheckpointError);
      expect(JSON.stringify([second.model.stateDict(), second.optimizer.stateDict()])).toBe(before);
    }
  });
});
