/**
 * Random numbers that are a function of (seed, stream, position) alone: the same bits on every
 * engine.
 *
 * Counter-based (philox.ts): streams of one seed never overlap, and the whole state is three
 * numbers. Not for secrets.
 */
import { checkInteger, fail } from '../validate';
import { cos } from './cos';
import { log } from './log';
import { philoxInto } from './philox';

// Streams below 2^50 are for callers (weight initialisation, dropout, …); the library's own lie
// above.
/** The stream that `trainTestSplit` draws from. */
export const STREAM_SPLIT = 1125899906842624; // 2^50
/** The stream of epoch k of a `BatchOrder` is this plus k. */
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
  /** The counter to be encrypted next. */
  #counter = 0;
  /** Words used of the current counter's four; 4 when a new one is needed. */
  #lane = 4;
  readonly #words = new Uint32Array(4);

  /**
   * @param seed whole number in [0, 2^53 - 1]
   * @param stream whole number in [0, 2^53 - 1]: an independent sequence of the same seed
   * @default stream 0
   * @throws ArgumentError for other seeds or streams
   */
  constructor(seed: number, stream: number = 0) {
    checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
    checkInteger('stream', stream, 0, Number.MAX_SAFE_INTEGER);
    this.#seed = seed;
    this.#stream = stream;
  }

  /** Everything that determines the numbers to come: `[seed, stream, words drawn]`. */
  state(): number[] {
    return [this.#seed, this.#stream, 4 * this.#counter - 4 + this.#lane];
  }

  /**
   * Continues where `state()` was taken.
   * @throws ArgumentError when `state` is not three whole numbers in [0, 2^53 - 1]; the generator
   * is then unchanged
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

  /** The next 32 random bits, a whole number in [0, 2^32). Draws one word. */
  nextU32(): number {
    if (this.#lane === 4) this.#fill();
    return this.#words[this.#lane++]!;
  }

  /** A uniform number in [0, 1): a multiple of 2^-53, each equally likely. Draws two words. */
  uniform(): number {
    const high = this.nextU32() >>> 5;
    const low = this.nextU32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /**
   * A number from the standard normal distribution (mean 0, variance 1), |x| ≤ 8.6. Always draws
   * four words.
   *
   * √(-2·log u)·cos(2π·w), u in (0, 1] and w in [0, 1) uniform (Box & Muller 1958); the sine twin
   * is not used, so that no half-spent pair is part of the state.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    return radius * cos(TWO_PI * this.uniform());
  }

  /**
   * A whole number in [0, n), each exactly equally likely. Draws one word, or more when words must
   * be rejected.
   * @param n whole number in [1, 2^32]
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
   * Brings `items` into random order, in place, each order equally likely (Fisher & Yates, from the
   * end).
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
   * The four words of the next counter: (counter, stream) under the key seed, each as two u32, the
   * lower first.
   */
  #fill(): void {
    const counter = this.#counter++;
    const [stream, seed] = [this.#stream, this.#seed];
    philoxInto(this.#words, counter, upper(counter), stream, upper(stream), seed, upper(seed));
    this.#lane = 0;
  }
}

/** Bits 32 and up; philoxInto drops them from the lower word itself. */
function upper(x: number): number {
  return Math.floor(x / 4294967296);
}
