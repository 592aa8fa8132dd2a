/**
 * A small classifier that learns from the samples of a request. It keeps nothing of a tenant in
 * memory between requests, because an isolate serves many tenants, and an evicted Durable Object
 * cannot clean up.
 */
import { AdaL, createRuntime } from 'adal-wasm';
import { decodeCheckpoint, encodeCheckpoint } from 'adal-wasm/checkpoint';
import { createModel, dense, relu } from 'adal-wasm/nn';
import { checkSamples } from './state.js';

export const FEATURES = 64;
export const CLASSES = 10;
const MOST_SAMPLES = 64;
/** Format of a request's samples. */
export const FORMAT = { features: FEATURES, classes: CLASSES, most: MOST_SAMPLES };

let runtime;

/** Returns the runtime that all requests to this isolate share; the first request creates it. */
export function sharedRuntime() {
  runtime ??= createRuntime();
  return runtime;
}

/**
 * Takes one step on the mean loss over the samples.
 * @param saved bytes that the previous call for this tenant returned, or null
 * @param samples {features: number[64], label: 0…9}[]
 * @param hidden units of the hidden layer: 32 give 2,410 parameters, 128 give 9,610
 * @returns the new bytes to save, and the answer to the request
 * @throws RefusedRequest for samples that do not have the FORMAT, whoever sent them
 */
export async function learn(saved, samples, hidden = 32) {
  checkSamples(samples, FORMAT);
  const home = await sharedRuntime();
  const layers = [dense(hidden), relu(), dense(CLASSES)];
  const model = await createModel(home, { inputSize: FEATURES, layers, batchSize: MOST_SAMPLES });
  const optimizer = new AdaL(home, model.parameters, { lr: 1e-3, decay: 'none' });
  try {
    if (saved) optimizer.loadStateDict(decodeCheckpoint(saved).stateDict);
    for (const [index, { features, label }] of samples.entries()) {
      model.input.set(features, index * FEATURES);
      model.labels[index] = label;
    }
    const loss = model.computeGradients(samples.length);
    const { step } = optimizer.step();
    return { bytes: encodeCheckpoint(optimizer.stateDict()), answer: { updates: step, loss } };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}
