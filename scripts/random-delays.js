/**
 * A Rollup plugin that delays each module by a random time wherever Rollup resolves, loads or
 * transforms it. A build must not depend on the order in which modules arrive;
 * scripts/check-build.js builds with different delays and compares the results.
 */

/**
 * Returns a delay: none for most modules, some for others, a long one for a few. Uniform delays
 * would hardly change the order.
 */
const milliseconds = (random) =>
  random < 0.5 ? 0 : random < 0.92 ? 30 * random : 400 * (random - 0.9);

/**
 * Creates the plugin.
 * @param seed seed of the delays, an integer in [1, 2^32); without it, returns no plugin
 * @returns {{ delays: import('rollup').Plugin[] }}
 */
export function randomDelays(seed) {
  if (!seed) return { delays: [] };
  let state = Number(seed) >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const wait = () =>
    new Promise((resolve) => setTimeout(() => resolve(null), milliseconds(random())));
  const hook = { order: 'pre', handler: wait };
  return {
    delays: [
      {
        name: 'random-delays',
        resolveId: hook,
        load: hook,
        transform: hook,
        resolveDynamicImport: wait,
      },
    ],
  };
}
