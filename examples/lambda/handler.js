/**
 * An AWS Lambda handler that learns from the samples of each event. The model is a file on a
 * mounted file system (EFS).
 *
 * Posting needs the model's token (`authorise` in state.js), which is derived from the secret in
 * LEARN_SECRET; take that from AWS Secrets Manager rather than from the function's plain
 * configuration. The handler checks the whole request before it loads, learns or saves anything,
 * and answers mistakes with 400 (401, 413) and a sentence.
 */
import { AdaL, createRuntime } from 'adal-wasm';
import {
  CheckpointConflictError,
  decodeCheckpoint,
  encodeCheckpoint,
  fileStore,
} from 'adal-wasm/checkpoint';
import { authorise, MOST_BYTES, RefusedRequest, readSamples, tooLarge } from './state.js';

const FEATURES = 4;
/** Format of a request's samples. */
const FORMAT = { features: FEATURES, classes: 2, most: 1000 };
/** Name of the tenant that this function serves. */
const MODEL = 'clicks';
const MOST_TRIES = 200;
const store = fileStore(process.env.MODEL_FILE ?? '/mnt/models/clicks.safetensors');
/** Created while the function starts, and shared by all events that it serves. */
const runtime = createRuntime();

/** Takes one step of logistic regression over the samples. */
async function learn(saved, samples) {
  const optimizer = new AdaL(
    await runtime,
    { w: { shape: [FEATURES] }, b: { shape: [1] } },
    { lr: 0.05 },
  );
  try {
    if (saved) optimizer.loadStateDict(decodeCheckpoint(saved).stateDict);
    const { w, b } = optimizer.params;
    const probabilities = samples.map(
      ({ features }) => 1 / (1 + Math.exp(-features.reduce((sum, x, i) => sum + x * w[i], b[0]))),
    );
    for (const [index, { features, label }] of samples.entries()) {
      const error = (probabilities[index] - label) / samples.length;
      for (let i = 0; i < FEATURES; i++) optimizer.grads.w[i] += error * features[i];
      optimizer.grads.b[0] += error;
    }
    const { step } = optimizer.step();
    return {
      bytes: encodeCheckpoint(optimizer.stateDict()),
      answer: { updates: step, probabilities },
    };
  } finally {
    optimizer.dispose();
  }
}

/** Returns the body as text; API Gateway encodes bodies that it considers binary in base64. */
function bodyOf({ body, isBase64Encoded }) {
  if (!isBase64Encoded || typeof body !== 'string') return body;
  if (body.length > (4 / 3) * MOST_BYTES + 4) throw tooLarge();
  return Buffer.from(body, 'base64').toString();
}

async function learnAndSave(samples) {
  for (let tries = 1; ; tries++) {
    const latest = await store.load();
    const { bytes, answer } = await learn(latest?.bytes ?? null, samples);
    try {
      await store.save(bytes, { ifVersion: latest?.version ?? null });
      return answer;
    } catch (error) {
      // Another instance saved first: learn again, from its result.
      if (!(error instanceof CheckpointConflictError) || tries === MOST_TRIES) throw error;
    }
  }
}

/** @param event event of an HTTP API with the body [{features: number[4], label: 0 | 1}, …] */
export async function handler(event) {
  try {
    await authorise(process.env.LEARN_SECRET, MODEL, event.headers?.authorization);
    const samples = readSamples(bodyOf(event), FORMAT);
    return { statusCode: 200, body: JSON.stringify(await learnAndSave(samples)) };
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error;
    return { statusCode: error.status, body: JSON.stringify({ error: error.message }) };
  }
}
