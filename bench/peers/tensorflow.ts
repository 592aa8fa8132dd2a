/** The Adam of TensorFlow.js on its cpu and wasm backends, which most pages that train use. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { Hyperparameters, PeerAdam, PeerTensor } from '../suite/micro/contenders';

// A page loads the binaries from where this file came from; elsewhere they are in the package.
if (import.meta.url.startsWith('http')) setWasmPaths(new URL('.', import.meta.url).href);

export const implementations = ['TensorFlow.js cpu', 'TensorFlow.js wasm'];

export async function createAdam(
  implementation: string,
  tensors: readonly PeerTensor[],
  { lr, betas, eps }: Hyperparameters,
): Promise<PeerAdam> {
  const backend = implementation.split(' ')[1];
  if (!(await tf.setBackend(backend)))
    throw new Error(`TensorFlow.js cannot start its ${backend} backend here`);
  await tf.ready();
  const variables = tensors.map(({ theta }) => tf.variable(tf.tensor1d(theta)));
  const optimizer = tf.train.adam(lr, betas[0], betas[1], eps);
  const upload = (gradients: readonly Float32Array[]) =>
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
