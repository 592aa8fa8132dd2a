/**
 * Compact state costs no accuracy: an MLP on Fashion-MNIST with AdaL (practical), three seeds a
 * format.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadIdxFolder } from '../../src/data';
import { AdaL, createRuntime, practical } from '../../src/index';
import { createModel, dense, evaluate, fit, relu } from '../../src/nn';

const DATA = '/usr/share/datasets/fashion-mnist';
const present = existsSync(join(DATA, 'train-images-idx3-ubyte.gz'));
if (!present) console.log(`skipped: no ${DATA} (apt-get install dataset-fashion-mnist)`);

const EPOCHS = 4;
const BATCH = 128;

it.skipIf(!present)('bf16 and 8-bit state train as f32 does', async () => {
  const { train, test } = loadIdxFolder(DATA);
  const accuracy = async (state: 'f32' | 'bf16' | '8bit', seed: number): Promise<number> => {
    const runtime = await createRuntime({ backend: 'simd' });
    try {
      const layers = [dense(128), relu(), dense(10)];
      const model = await createModel(runtime, { inputSize: 784, layers, batchSize: BATCH, seed });
      const totalSteps = EPOCHS * Math.ceil(train.count / BATCH);
      const optimizer = new AdaL(runtime, model.parameters, {
        ...practical({ totalSteps }),
        state,
        min8bitSize: 0,
        seed,
      });
      await fit(model, train, { optimizer, epochs: EPOCHS, seed });
      return evaluate(model, test).accuracy!;
    } finally {
      runtime.dispose();
    }
  };
  const means: Record<string, number> = {};
  for (const state of ['f32', 'bf16', '8bit'] as const) {
    const accuracies: number[] = [];
    for (const seed of [1, 2, 3]) accuracies.push(await accuracy(state, seed));
    means[state] = accuracies.reduce((sum, x) => sum + x, 0) / accuracies.length;
    const figures = accuracies.map((x) => x.toFixed(4)).join(' ');
    console.log(`Fashion-MNIST, ${state}: ${figures}, mean ${means[state].toFixed(4)}`);
  }
  // Seeds scatter by .002 to .003, so means of three differ by up to .005 for no other reason.
  expect(Math.abs(means.bf16 - means.f32)).toBeLessThan(0.005);
  expect(Math.abs(means['8bit'] - means.f32)).toBeLessThan(0.005);
});
