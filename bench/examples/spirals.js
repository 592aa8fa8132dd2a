/**
 * A workload of one's own: two spirals, told apart by a small network. Every run draws its samples
 * from its seed.
 *
 *   adal-bench run --with spirals.js --workloads X-spirals --optimizers adal,adam
 */
import { createNetworkProblem } from 'adal-bench/extend';
import { cos, Prng, sin } from 'adal-wasm/math';
import { dense, tanh } from 'adal-wasm/nn';

const COUNT = 200;

function drawSpirals(seed, stream) {
  const prng = new Prng(seed, stream);
  const features = new Float32Array(2 * COUNT);
  const labels = new Int32Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    const [label, radius] = [i % 2, 0.1 + 0.9 * prng.uniform()];
    const angle = 2 * Math.PI * radius + Math.PI * label;
    features[2 * i] = radius * cos(angle) + 0.02 * prng.normal();
    features[2 * i + 1] = radius * sin(angle) + 0.02 * prng.normal();
    labels[i] = label;
  }
  return { name: 'spirals', features, labels, count: COUNT, featureCount: 2, classCount: 2 };
}

/** @type {import('adal-bench/extend').OwnWorkload[]} */
export const workloads = [
  {
    id: 'X-spirals',
    title: 'Two spirals, MLP 2-16-2',
    parameters: 82,
    epochs: 100,
    batchSize: 20,
    samples: { train: COUNT, validation: COUNT, test: 0 },
    selectBy: { field: 'validationLoss', direction: 'lower' },
    prepare: async () => ({
      create(runtime, seed) {
        const [train, validation] = [drawSpirals(seed, 1), drawSpirals(seed, 2)];
        const settings = { inputShape: [2], layers: [dense(16), tanh(), dense(2)], batchSize: 20 };
        return createNetworkProblem(runtime, seed, { train, validation, test: null }, settings);
      },
    }),
  },
];
