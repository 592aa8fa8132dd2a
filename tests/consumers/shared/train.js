/**
 * The program that every consumer runs without any configuration; all must print the same
 * fingerprint.
 */
import { AdaL, createOptimizer, createRuntime, practical } from 'adal-wasm';
import { decodeSafetensors, encodeSafetensors } from 'adal-wasm/checkpoint';
import { loadDigits } from 'adal-wasm/data';
import { createModel, dense, fit, relu } from 'adal-wasm/nn';
import { warmup } from 'adal-wasm/schedules';

/**
 * Trains on the digits, steps an optimizer by name, and returns the line that the runner expects.
 */
export async function train() {
  const runtime = await createRuntime();
  const layers = [dense(16), relu(), dense(10)];
  const model = await createModel(runtime, { inputSize: 64, layers, seed: 7 });
  const optimizer = new AdaL(runtime, model.parameters, practical({ totalSteps: 57 }));
  await fit(model, loadDigits(), { optimizer, epochs: 1, seed: 7 });
  const { backend, threads } = runtime.info;

  const lr = warmup({ steps: 4, schedule: () => 0.1 });
  const lion = await createOptimizer('lion', { w: new Float32Array(1000).fill(1) }, { lr });
  for (let step = 0; step < 8; step++) {
    lion.grads.w.set(lion.params.w);
    lion.step();
  }

  const trained = Object.entries({ ...optimizer.params, lion: lion.params.w });
  const { tensors } = decodeSafetensors(
    encodeSafetensors(trained.map(([name, data]) => ({ name, shape: [data.length], data }))),
  );
  const bits = fingerprint(Object.values(tensors));
  const line = `fingerprint ${bits} (${backend}, ${threads} threads)`;
  lion.dispose();
  runtime.dispose();
  return line;
}

/** Returns FNV-1a over the bits. */
function fingerprint(tensors) {
  let hash = 0x811c9dc5;
  for (const { data } of tensors) {
    for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
