// bun main.ts: trains a network on the digits with two threads and saves its weights to a file.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdaL, createRuntime, practical } from 'adal-wasm';
import { encodeSafetensors, fileStore } from 'adal-wasm/checkpoint';
import { loadDigits, trainTestSplit } from 'adal-wasm/data';
import { createModel, dense, evaluate, fit, relu } from 'adal-wasm/nn';

const { train, test } = trainTestSplit(loadDigits(), { seed: 1 });
const runtime = await createRuntime({ threads: 2 });
const model = await createModel(runtime, {
  inputSize: 64,
  layers: [dense(64), relu(), dense(10)],
  batchSize: 32,
  seed: 1,
});
const totalSteps = 5 * Math.ceil(train.count / 32);
const optimizer = new AdaL(runtime, model.parameters, practical({ totalSteps }));
await fit(model, train, { optimizer, epochs: 5, seed: 1 });

const tensors = Object.entries(optimizer.params).map(([name, data]) => ({
  name,
  shape: [data.length],
  data,
}));
await fileStore(join(tmpdir(), 'digits.safetensors')).save(encodeSafetensors(tensors));
const { accuracy } = evaluate(model, test);
if (accuracy < 0.9) throw new Error(`accuracy ${accuracy}`);
console.log(
  `${(100 * accuracy).toFixed(1)}% of the test digits right, on ${runtime.info.threads} threads`,
);
