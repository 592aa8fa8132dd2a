/** The worker: trains on the digits and reports after every epoch. */
import { AdaL, createRuntime, practical } from 'adal-wasm';
import { loadDigits, trainTestSplit } from 'adal-wasm/data';
import { createModel, dense, evaluate, fit, relu } from 'adal-wasm/nn';

const EPOCHS = 40;
const { train, test } = trainTestSplit(loadDigits(), { seed: 1 });
const runtime = await createRuntime();
const model = await createModel(runtime, {
  inputSize: 64,
  layers: [dense(256), relu(), dense(10)],
  batchSize: 32,
  seed: 1,
});
const optimizer = new AdaL(
  runtime,
  model.parameters,
  practical({ totalSteps: EPOCHS * Math.ceil(train.count / 32) }),
);
const onProgress = ({ epoch, loss, result }) => result && postMessage({ epoch, loss });
await fit(model, train, { optimizer, epochs: EPOCHS, seed: 1, onProgress });
postMessage({ accuracy: evaluate(model, test).accuracy });
