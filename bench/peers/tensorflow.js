/** TensorFlow.js' own Adam, on its cpu and wasm backends: what a page that trains uses today. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

// In a page its binaries lie where this file came from; elsewhere it finds them in its package.
if (import.meta.url.startsWith('http')) setWasmPaths(new URL('.', import.meta.url).href);

export const implementations = ['TensorFlow.js cpu', 'TensorFlow.js wasm'];

/** @param tensors [{ theta, gradient }], Float32Arrays */
export async function createAdam(implementation, tensors, { lr, betas, eps }) {
  const backend = implementation.split(' ')[1];
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js cannot start its ${backend} backend here`);
  await tf.ready();
  const variables = tensors.map(({ theta }) => tf.variable(tf.tensor1d(theta)));
  const optimizer = tf.train.adam(lr, betas[0], betas[1], eps);
  const upload = (gradients) =>
    gradients.map((gradient, i) => ({ name: variables[i].name, tensor: tf.tensor1d(gradient) }));
  const resident = upload(tensors.map(({ gradient }) => gradient));
  const use = () => {
    if (tf.getBackend() !== backend) tf.setBackend(backend);
  };
  return {
    step() {
      use();
      optimizer.applyGradients(resident);
    },
    stepWithCopies(gradients) {
      use();
      const named = upload(gradients);
      optimizer.applyGradients(named);
      for (const { tensor } of named) tensor.dispose();
      return variables.map((variable) => variable.dataSync());
    },
    params() {
      use();
      return variables.map((variable) => variable.dataSync());
    },
    dispose() {
      use();
      for (const { tensor } of resident) tensor.dispose();
      for (const variable of variables) variable.dispose();
      optimizer.dispose();
    },
  };
}
