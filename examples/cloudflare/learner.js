/**
 * A small classifier that learns from a request's samples. Nothing of a tenant stays in memory
 * between requests: an isolate serves many tenants, and an evicted Durable Object gets no chance to
 * clean up.
 */
import { AdaL, createRuntime } from 'adal-wasm';
import { createModel, dense, relu } from 'adal-wasm/nn';
import { checkSamples, decodeState, encodeState } from './state.js';

export const FEATURES = 64;
export const CLASSES = 10;
const MOST_SAMPLES = 64;
/** What a request's samples must be. */
export const FORMAT = { features: FEATURES, classes: CLASSES, most: MOST_SAMPLES };

let runtime;

/** One for all requests to this isolate; made by the first of them. */
export function sharedRuntime() {
  runtime ??= createRuntime();
  return runtime;
}

/**
 * One step on the mean loss over the samples.
 * @param saved what the last call for this tenant gave, or null
 * @param samples {features: number[64], label: 0…9}[]
 * @param hidden units of the hidden layer: 32 make 2,410 parameters, 128 make 9,610
 * @throws RefusedRequest for samples that are not as FORMAT says, whoever sent them
 */
export async function learn(saved, samples, hidden = 32) {
  checkSamples(samples, FORMAT);
  const home = await sharedRuntime();
  const layers = [dense(hidden), relu(), dense(CLASSES)];
  const model = await createModel(home, { inputSize: FEATURES, layers, batchSize: MOST_SAMPLES });
  const optimizer = new AdaL(home, model.parameters, { lr: 1e-3, decay: 'none' });
  try {
    if (saved) optimizer.loadStateDict(decodeState(saved));
    for (const [index, { features, label }] of samples.entries()) {
      model.input.set(features, index * FEATURES);
      model.labels[index] = label;
    }
    const loss = model.computeGradients(samples.length);
    const { step } = optimizer.step();
    return { bytes: encodeState(optimizer.stateDict()), answer: { updates: step, loss } };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}
