/** Text as windows of characters, and the n-gram models that a language model is compared with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { characterVocabulary, ngramLosses, textWindows } from '../../src/data';
import { countCharacters, splitCharacters } from '../../src/data/text';
import { ArgumentError, DataError } from '../../src/index';

describe('windows of text', () => {
  it('predict each character from those before it', () => {
    const { features, labels, ...rest } = textWindows('banana', { context: 3 });
    expect([...features]).toEqual([1, 0, 2, 0, 2, 0, 2, 0, 2]);
    expect([...labels]).toEqual([0, 2, 0]);
    expect(rest).toEqual({
      name: 'text',
      count: 3,
      featureCount: 3,
      classCount: 3,
      classNames: ['a', 'b', 'n'],
    });
  });

  it('spell the text again, code point by code point', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 4, maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        (text, context) => {
          const characters = [...text];
          fc.pre(characters.length > context);
          const { features, labels, classNames } = textWindows(text, { context });
          const codes = [...features.slice(0, context), ...labels];
          expect(codes.map((code) => classNames![code])).toEqual(characters);
          for (let i = 1; i < labels.length; i++)
            expect(features[(i + 1) * context - 1]).toBe(labels[i - 1]);
        },
      ),
    );
  });

  it('refuse what makes none', () => {
    expect(() => textWindows('abc', { context: 3, name: 'book' })).toThrow(
      new DataError('book: expected more than 3 characters, got 3'),
    );
    expect(() => textWindows('abc', { context: 1, vocabulary: ['a', 'b'] })).toThrow(
      '"vocabulary" expected to have "c"',
    );
    expect(() => textWindows('abc', { context: 0 })).toThrow(ArgumentError);
    expect(() => characterVocabulary(5 as never)).toThrow(ArgumentError);
    expect(() => textWindows('', { context: 1 })).toThrow(
      new DataError('text: expected more than 1 characters, got 0'),
    );
    expect(() => textWindows(undefined as never, { context: 1 })).toThrow(
      '"text" expected a string, got undefined',
    );
    expect(() => textWindows('abc', undefined as never)).toThrow(
      '"options" expected an options object, got undefined',
    );
    expect(() => textWindows('abc', { context: 1, vocabulary: 5 as never })).toThrow(
      '"vocabulary" expected an array of names, got 5',
    );
    expect(() => textWindows('abc', { context: 1, vocabulary: ['a', 'b', 'c', 'a'] })).toThrow(
      '"vocabulary[3]" expected a name that no other entry has, got "a"',
    );
    expect(() => textWindows('abc', { context: 1, vocabulary: ['a', 'bc'] })).toThrow(
      '"vocabulary[1]" expected a single character, got "bc"',
    );
  });

  it('are refused before memory is taken for them', () => {
    // 2^29 features would be 2 GiB, and one more is refused; the text itself is 4 MB.
    const text = 'ab'.repeat(2 ** 21);
    const before = process.memoryUsage().rss;
    expect(() => textWindows(text, { context: 2 ** 16, name: 'book' })).toThrow(
      new DataError('book: expected at most 73728 characters with a context of 65536, got 4194304'),
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  it('count and part characters without an array of them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.nat(35), (text, count) => {
        const characters = [...text];
        expect(countCharacters(text)).toBe(characters.length);
        expect(splitCharacters(text, count)).toEqual([
          characters.slice(0, count).join(''),
          characters.slice(count).join(''),
        ]);
      }),
    );
  });
});

describe('n-gram losses', () => {
  const windows = (text: string, context = 2) =>
    textWindows(text, { context, vocabulary: ['a', 'b', 'c'] });

  it('are those of Witten and Bell, worked out by hand', () => {
    // After "ab": b, a, b, then c: of "b b a c" (labels from the third character on).
    const [train, test] = [windows('ababbac'), windows('abb')];
    // Labels: a b b a c. Unigram of b: (2 + 3·⅓)/(5 + 3) = 3/8.
    const unigram = 3 / 8;
    // After b came a, b, a: N = 3, T = 2, N(b) = 1.
    const bigram = (1 + 2 * unigram) / (3 + 2);
    // After ab: a (position 2), b (position 4): N = 2, T = 2, N(b) = 1.
    const trigram = (1 + 2 * bigram) / (2 + 2);
    const losses = ngramLosses(train, test, 3);
    for (const [index, probability] of [unigram, bigram, trigram].entries()) {
      expect(losses[index]).toBeCloseTo(-Math.log(probability), 12);
    }
  });

  it('are of probabilities: over all characters they sum to 1', () => {
    const train = windows('abacabaabcbacbbacab');
    for (const context of ['aa', 'ab', 'bc', 'cc']) {
      for (const order of [1, 2, 3]) {
        const total = ['a', 'b', 'c'].reduce(
          (sum, next) =>
            sum + Math.exp(-ngramLosses(train, windows(context + next), order)[order - 1]),
          0,
        );
        expect(total).toBeCloseTo(1, 12);
      }
    }
  });

  it('of a higher order are lower where the text has that order', () => {
    const train = windows('abcabcabcabcabcabcabc');
    const [unigram, bigram] = ngramLosses(train, windows('bcabcabc'), 2);
    expect(bigram).toBeLessThan(unigram / 3);
  });

  it('refuse orders and texts that do not fit', () => {
    const train = windows('abcabc');
    expect(() => ngramLosses(train, train, 4)).toThrow(
      '"order" expected an integer in [1, 3], got 4',
    );
    expect(() => ngramLosses(train, windows('abcabc', 1), 1)).toThrow(
      '"test" expected windows of 2 among 3 classes, got 1 among 3',
    );
    const large = { ...train, classCount: 2 ** 27, classNames: undefined };
    expect(() => ngramLosses(large, large, 2)).toThrow('"order" expected classes^order ≤ 2^53');
    const other = textWindows('abcabc', { context: 2, vocabulary: ['b', 'a', 'c'] });
    expect(() => ngramLosses(train, other, 1)).toThrow(
      '"test.classNames[0]" expected "a", got "b"',
    );
    expect(() => ngramLosses(undefined as never, train, 1)).toThrow('"train" expected a dataset');
    const none = { ...train, count: 0, features: new Float32Array(0), labels: new Int32Array(0) };
    expect(() => ngramLosses(train, none, 1)).toThrow(
      '"test" expected at least one example, got 0',
    );
    const wrong = { ...train, labels: Int32Array.of(0, 1, 3, 0) };
    expect(() => ngramLosses(wrong, train, 1)).toThrow(
      '"train.labels[2]" expected the index of one of 3 classes, got 3',
    );
  });
});
