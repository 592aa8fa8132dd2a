/**
 * A random number generator whose numbers depend only on (seed, stream, position), so that every
 * engine computes the same bits.
 *
 * The generator is counter-based (philox.ts): streams of one seed never overlap, and its state is
 * three numbers. It is not cryptographically secure.
 */
import { checkInteger, fail } from '../validate';
import { cos } from './cos';
import { log } from './log';
import { philoxInto } from './philox';

// Streams below 2^50 are for callers (weight initialisation, dropout, …); the following are above.
/** The stream of `trainTestSplit`. */
export const STREAM_SPLIT = 1125899906842624; // 2^50
/** The stream of epoch 0 of a `BatchOrder`; epoch k uses this plus k. */
export const STREAM_BATCHES = 2251799813685248; // 2^51

const TWO_PI = 2 * Math.PI;

/**
 * A seeded random number generator (Philox4x32-10).
 *
 * @example
 * const prng = new Prng(42);
 * prng.uniform(); // always the same number
 */
export class Prng {
  #seed = 0;
  #stream = 0;
  /** The next counter to encrypt. */
  #counter = 0;
  /** Number of words of the current counter that have been used, out of 4. */
  #lane = 4;
  readonly #words = new Uint32Array(4);

  /**
   * Creates a generator at the start of a stream.
   * @param seed an integer in [0, 2^53 - 1]
   * @param stream an integer in [0, 2^53 - 1]: the index of an independent sequence of this seed
   * @throws ArgumentError for other seeds or streams
   */
  constructor(seed: number, stream: number = 0) {
    checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
    checkInteger('stream', stream, 0, Number.MAX_SAFE_INTEGER);
    this.#seed = seed;
    this.#stream = stream;
  }

  /** Returns the state that determines all further numbers: `[seed, stream, words drawn]`. */
  state(): number[] {
    return [this.#seed, this.#stream, 4 * this.#counter - 4 + this.#lane];
  }

  /**
   * Restores a state that `state()` returned.
   * @throws ArgumentError if `state` is not three integers in [0, 2^53 - 1]; the generator is
   * unchanged then
   */
  restore(state: readonly number[]): void {
    if (!Array.isArray(state) || state.length !== 3)
      fail('state', 'three numbers, as state() returns', state);
    for (let i = 0; i < 3; i++) checkInteger(`state[${i}]`, state[i], 0, Number.MAX_SAFE_INTEGER);
    this.#seed = state[0]!;
    this.#stream = state[1]!;
    const position = state[2]!;
    this.#counter = Math.floor(position / 4);
    this.#lane = 4;
    if (position % 4 !== 0) {
      this.#fill();
      this.#lane = position % 4;
    }
  }

  /** Returns the next 32 random bits, an integer in [0, 2^32). Draws one word. */
  nextU32(): number {
    if (this.#lane === 4) this.#fill();
    return this.#words[this.#lane++]!;
  }

  /**
   * Returns a uniformly distributed number in [0, 1), a multiple of 2^-53. Draws two words.
   */
  uniform(): number {
    const high = this.nextU32() >>> 5;
    const low = this.nextU32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /**
   * Returns a number from the standard normal distribution (mean 0, variance 1), |x| ≤ 8.6. Always
   * draws four words.
   *
   * It is √(-2·log u)·cos(2π·w) with uniform u in (0, 1] and w in [0, 1) (Box & Muller 1958). The
   * sine is not used, so that the state needs no second number of a pair.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    return radius * cos(TWO_PI * this.uniform());
  }

  /**
   * Returns a uniformly distributed integer in [0, n). Draws one word, or more if words must be
   * rejected.
   * @param n an integer in [1, 2^32]
   * @throws ArgumentError for other n
   */
  below(n: number): number {
    checkInteger('n', n, 1, 4294967296);
    const limit = 4294967296 - (4294967296 % n);
    let word = this.nextU32();
    while (word >= limit) word = this.nextU32();
    return word % n;
  }

  /**
   * Shuffles `items` in place; all orders are equally likely (Fisher & Yates, from the end).
   */
  shuffle(items: Uint32Array): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const item = items[i]!;
      items[i] = items[j]!;
      items[j] = item;
    }
  }

  /**
   * Fills `#words` from the next counter: encrypts (counter, stream) with the seed as key, each as
   * two u32 words, the lower one first.
   */
  #fill(): void {
    const counter = this.#counter++;
    const [stream, seed] = [this.#stream, this.#seed];
    philoxInto(this.#words, counter, upper(counter), stream, upper(stream), seed, upper(seed));
    this.#lane = 0;
  }
}

/** Returns the bits from 32 up; philoxInto ignores those of the lower word. */
function upper(x: number): number {
  return Math.floor(x / 4294967296);
}
