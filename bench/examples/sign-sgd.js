/**
 * An optimizer of one's own in plain JavaScript: signSGD (Bernstein et al. 2018), which moves every
 * weight by the learning rate against the sign of its gradient.
 *
 *   adal-bench run --with sign-sgd.js --workloads W1,W3 --optimizers sign-sgd,adam
 */

/** @type {import('adal-bench/extend').OwnOptimizer[]} */
export const optimizers = [
  {
    id: 'sign-sgd',
    label: 'signSGD',
    lr: 1e-3,
    create: () => ({
      step(params, grads, lr) {
        for (const [name, weights] of Object.entries(params)) {
          const gradient = grads[name];
          for (let i = 0; i < weights.length; i++) weights[i] -= lr * Math.sign(gradient[i]);
        }
      },
    }),
  },
];
