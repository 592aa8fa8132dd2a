/** Random numbers of the fuzz harness: any input can be made again from a seed and its index. */

/**
 * @param {number} seed any integer
 * @param {number} index of the input
 * @returns {() => number} gives integers in [0, 2^32)
 */
export function createPrng(seed, index) {
  const start = mixer(mixer(seed >>> 0)() ^ (index >>> 0));
  let [a, b, c, d] = [start(), start(), start(), start() | 1];
  return () => {
    let t = a ^ (a << 11);
    [a, b, c] = [b, c, d];
    t ^= t >>> 8;
    d = d ^ (d >>> 19) ^ t;
    return d >>> 0;
  };
}

/** Spreads a number over 32 bits, over and over. */
function mixer(state) {
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return x ^ (x >>> 15);
  };
}

/** What inputs are put together with. */
export class Random {
  #prng;

  /** @param {() => number} prng */
  constructor(prng) {
    this.#prng = prng;
  }

  /** An integer in [0, limit). */
  below(limit) {
    return Math.floor((this.#prng() / 2 ** 32) * limit);
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)];
  }
}
