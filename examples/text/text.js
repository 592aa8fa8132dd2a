// A text as samples of a language model that predicts the character after each of `steps`.
import { existsSync, readFileSync } from 'node:fs';
import { characterVocabulary, ngramLosses, textWindows } from 'adal-wasm/data';

/** Label of the positions that an evaluation leaves out. */
export const IGNORED = -1;

/** Returns the text of a file; without a name, of the benchmark's 128 kB of Jane Austen. */
export function readText(file) {
  const own = ['pride-and-prejudice.txt', '../../bench/data/pride-and-prejudice.txt']
    .map((path) => new URL(path, import.meta.url))
    .find((path) => existsSync(path));
  return readFileSync(file ?? own, 'utf8');
}

export class Text {
  /** @param share share of the text, at its end, that is left for the test */
  constructor(text, { steps, share = 0.1 }) {
    this.characters = characterVocabulary(text);
    this.codes = Int32Array.from(text, (character) => this.characters.indexOf(character));
    this.text = text;
    this.steps = steps;
    this.end = Math.floor(this.codes.length * (1 - share));
  }

  /** Windows side by side over the training part; another `offset` shifts them all. */
  train(offset) {
    return this.#windows(offset % this.steps, this.end, this.steps, 0);
  }

  /**
   * Windows that overlap by half over the test part. Only their second halves count, so that every
   * character is predicted once, from at least steps/2 characters before it.
   */
  test() {
    const half = this.steps / 2;
    return this.#windows(this.end - half - 1, this.codes.length, half, half);
  }

  /** Bits per character that n-gram models of orders 1, 2, … reach on the test part. */
  ngrams(order) {
    const options = { context: order - 1, vocabulary: this.characters };
    const train = textWindows(this.text.slice(0, this.end), options);
    const test = textWindows(this.text.slice(this.end - options.context), options);
    return ngramLosses(train, test, order).map((nats) => nats / Math.LN2);
  }

  /**
   * Windows `stride` apart over characters begin…end-1, the last one at the end. The first leaves
   * out `ignored` labels, and every other one those of the windows before it.
   */
  #windows(begin, end, stride, ignored) {
    const { steps, codes } = this;
    const last = end - 1 - steps;
    const count = Math.ceil((last - begin) / stride) + 1;
    const features = new Float32Array(count * steps);
    const labels = new Int32Array(count * steps).fill(IGNORED);
    let predicted = begin + ignored;
    for (let i = 0; i < count; i++) {
      const at = Math.min(begin + i * stride, last);
      features.set(codes.subarray(at, at + steps), i * steps);
      labels.set(codes.subarray(predicted + 1, at + steps + 1), i * steps + predicted - at);
      predicted = at + steps;
    }
    return { features, labels };
  }
}
