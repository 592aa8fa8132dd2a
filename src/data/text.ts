/**
 * Text as examples for a character language model, which predicts each character from those before
 * it.
 */
import { ArgumentError, DataError } from '../errors';
import { checkInteger, checkOptions, fail } from '../validate';
import { type Dataset, quote, readNames } from './dataset';

/** Options of `textWindows`. */
export interface TextWindowsOptions {
  /** Number of characters before the one to predict, an integer in [1, 2^16]. */
  context: number;
  /**
   * Classes in order: distinct single characters that include every character of the text.
   * @default characterVocabulary(text)
   */
  vocabulary?: readonly string[];
  /** Name of the dataset, also used in errors. @default 'text' */
  name?: string;
}

/** The most features in total: 2 GiB. */
const MAX_FEATURES = 2 ** 29;

/**
 * Returns the distinct characters (Unicode code points) of a text, sorted by code point.
 *
 * @throws ArgumentError for anything but a string
 * @example characterVocabulary('banana') // ['a', 'b', 'n']
 */
export function characterVocabulary(text: string): string[] {
  if (typeof text !== 'string') fail('text', 'a string', text);
  return [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

/** Counts the characters (Unicode code points) of a text. */
export function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at = nextCharacter(text, at)) count++;
  return count;
}

/**
 * Splits a text after `count` characters (Unicode code points), without copying them.
 */
export function splitCharacters(text: string, count: number): [before: string, after: string] {
  let at = 0;
  for (let i = 0; i < count && at < text.length; i++) at = nextCharacter(text, at);
  return [text.slice(0, at), text.slice(at)];
}

function nextCharacter(text: string, at: number): number {
  return at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
}

/**
 * Returns every window of a text as an example. The features are the vocabulary indices of
 * `context` characters, as an embedding takes them; the label is the index of the character that
 * follows.
 *
 * count = characters - context. Besides the dataset, this takes 4 bytes of memory per character.
 *
 * @throws DataError for a text of at most `context` characters, and for more than 2^29 features
 *   (count·context)
 * @throws ArgumentError for options out of range, and for a character that the vocabulary lacks
 * @example textWindows('banana', { context: 3 }) // 3 examples of 3 features: ban→a, ana→n, nan→a
 */
export function textWindows(text: string, options: TextWindowsOptions): Dataset {
  if (typeof text !== 'string') fail('text', 'a string', text);
  checkOptions('options', options, ['context', 'vocabulary', 'name']);
  const { context, vocabulary, name = 'text' } = options;
  checkInteger('context', context, 1, 2 ** 16);
  if (typeof name !== 'string') fail('name', 'a string', name);
  const characters = countCharacters(text);
  const count = characters - context;
  if (count < 1)
    throw new DataError(`${name}: expected more than ${context} characters, got ${characters}`);
  if (count * context > MAX_FEATURES) {
    const most = Math.floor(MAX_FEATURES / context) + context;
    throw new DataError(
      `${name}: expected at most ${most} characters with a context of ${context}, ` +
        `got ${characters}`,
    );
  }
  const classNames =
    vocabulary === undefined ? characterVocabulary(text) : checkVocabulary(vocabulary);
  const codes = encode(text, characters, classNames);
  const features = new Float32Array(count * context);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < context; j++) features[i * context + j] = codes[i + j]!;
  const labels = codes.slice(context);
  return {
    name,
    features,
    labels,
    count,
    featureCount: context,
    classCount: classNames.length,
    classNames,
  };
}

function checkVocabulary(vocabulary: unknown): string[] {
  const characters = readNames('vocabulary', vocabulary);
  const wrong = characters.findIndex(
    (character) => nextCharacter(character, 0) !== character.length,
  );
  if (wrong >= 0) fail(`vocabulary[${wrong}]`, 'a single character', characters[wrong]);
  return characters;
}

function encode(
  text: string,
  characters: number,
  vocabulary: readonly string[],
): Int32Array<ArrayBuffer> {
  const codeOf = new Map(vocabulary.map((character, index) => [character.codePointAt(0)!, index]));
  const codes = new Int32Array(characters);
  for (let at = 0, i = 0; at < text.length; i++) {
    const code = codeOf.get(text.codePointAt(at)!);
    const next = nextCharacter(text, at);
    if (code === undefined) {
      throw new ArgumentError(
        'vocabulary',
        `to have ${quote(text.slice(at, next))}`,
        'one without it',
      );
    }
    codes[i] = code;
    at = next;
  }
  return codes;
}
