// Trains a language model and measures it on the test part.
import { AdamW, createRuntime } from 'adal-wasm';
import { createModel, crossEntropy, evaluate, fit } from 'adal-wasm/nn';
import { cosine, warmup } from 'adal-wasm/schedules';
import { IGNORED } from './text.js';

/** Share of the steps in which the learning rate rises. */
const WARM_UP = 0.05;

/**
 * Trains for `epochs` passes over the text. Each pass cuts the text at other places, so that the
 * characters at the seams differ.
 *
 * @returns the model, and the bits per character on the test part after every epoch
 */
export async function train(text, options, { epochs, lr, batchSize = 32, seed = 1, onEpoch }) {
  const runtime = await createRuntime({ threads: 1 });
  const loss = crossEntropy({ ignoreLabel: IGNORED });
  const model = await createModel(runtime, { ...options, loss, batchSize, seed });
  const totalSteps = epochs * Math.ceil(text.train(0).features.length / text.steps / batchSize);
  const steps = Math.round(WARM_UP * totalSteps);
  const optimizer = new AdamW(runtime, model.parameters, {
    lr: warmup({ steps, schedule: cosine({ lr, totalSteps: totalSteps - steps }) }),
    betas: [0.9, 0.99],
    clipGradNorm: 1,
  });
  const test = text.test();
  const bits = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const data = text.train(epoch * 13);
    const { epochs: results } = await fit(model, data, {
      optimizer,
      epochs: 1,
      seed: seed + epoch,
    });
    bits.push(evaluate(model, test).loss / Math.LN2);
    onEpoch?.({ epoch: epoch + 1, train: results[0].loss / Math.LN2, test: bits[epoch] });
  }
  return { runtime, model, optimizer, bits };
}
