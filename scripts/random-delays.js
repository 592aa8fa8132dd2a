/**
 * A Rollup plugin that makes modules wait, each a random time, wherever Rollup resolves, loads or
 * transforms them. What a build gives must not depend on which module comes first;
 * scripts/check-build.js builds with different delays and compares.
 */

/**
 * Most modules come at once, some late, and some very late: uniform delays hardly change an order.
 */
const milliseconds = (random) =>
  random < 0.5 ? 0 : random < 0.92 ? 30 * random : 400 * (random - 0.9);

/**
 * @param seed of the delays, an integer in [1, 2^32); without one there is no plugin
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
