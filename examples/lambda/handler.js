/** An AWS Lambda handler that learns: each event brings samples, the model lies on a mounted file system (EFS). */
import { AdaL, createRuntime } from 'adal-wasm';
import { CheckpointConflictError, fileStore } from 'adal-wasm/checkpoint';
import { decodeState, encodeState } from './state.js';

const FEATURES = 4;
const store = fileStore(process.env.MODEL_FILE ?? '/mnt/models/clicks.safetensors');
/** Made while the function starts, and used by all events it then serves. */
const runtime = createRuntime();

/** One step of logistic regression over the samples. */
async function learn(saved, samples) {
  const optimizer = new AdaL(await runtime, { w: { shape: [FEATURES] }, b: { shape: [1] } }, { lr: 0.05 });
  try {
    if (saved) optimizer.loadStateDict(decodeState(saved));
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
    return { bytes: encodeState(optimizer.stateDict()), answer: { updates: step, probabilities } };
  } finally {
    optimizer.dispose();
  }
}

/** @param event of an HTTP API: its body is [{features: number[4], label: 0 | 1}, …] */
export async function handler(event) {
  const samples = JSON.parse(event.body);
  for (;;) {
    const latest = await store.load();
    const { bytes, answer } = await learn(latest?.bytes ?? null, samples);
    try {
      await store.save(bytes, { ifVersion: latest?.version ?? null });
      return { statusCode: 200, body: JSON.stringify(answer) };
    } catch (error) {
      if (!(error instanceof CheckpointConflictError)) throw error; // another instance saved first: learn from there
    }
  }
}
