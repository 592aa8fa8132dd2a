/** Text as examples for a language model over characters: each is predicted from those before it. */
import { ArgumentError, DataError } from '../errors';
import { checkInteger, checkOptions, fail } from '../validate';
import type { Dataset } from './dataset';

/** Options of `textWindows`. */
export interface TextWindowsOptions {
  /** Characters before the one to predict: an integer in [1, 2^16]. */
  context: number;
  /** What the classes are, in order; every character of the text is among them. @default characterVocabulary(text) */
  vocabulary?: readonly string[];
  /** The dataset's name, also in errors. @default 'text' */
  name?: string;
}

/**
 * The distinct characters (Unicode code points) of a text, by code point.
 * @example characterVocabulary('banana') // ['a', 'b', 'n']
 */
export function characterVocabulary(text: string): string[] {
  if (typeof text !== 'string') fail('text', 'a string', text);
  return [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
}

/**
 * Every window of a text as an example: features are the indices of `context` characters in the vocabulary, as an embedding takes
 * them, and the label is the index of the character that follows.
 *
 * count = characters - context.
 *
 * @throws DataError for a text of no more than `context` characters
 * @throws ArgumentError for options out of range, and for a character that the vocabulary lacks
 * @example textWindows('banana', { context: 3 }) // 3 examples of 3 features: ban→a, ana→n, nan→a
 */
export function textWindows(text: string, options: TextWindowsOptions): Dataset {
  checkOptions('options', options, ['context', 'vocabulary', 'name']);
  const { context, vocabulary = characterVocabulary(text), name = 'text' } = options;
  checkInteger('context', context, 1, 2 ** 16);
  const codes = encode(text, vocabulary);
  const count = codes.length - context;
  if (count < 1) throw new DataError(`${name}: expected more than ${context} characters, got ${codes.length}`);
  const features = new Float32Array(count * context);
  for (let i = 0; i < count; i++) for (let j = 0; j < context; j++) features[i * context + j] = codes[i + j];
  const labels = codes.slice(context);
  return { name, features, labels, count, featureCount: context, classCount: vocabulary.length, classNames: [...vocabulary] };
}

function encode(text: string, vocabulary: readonly string[]): Int32Array {
  const codeOf = new Map(vocabulary.map((character, index) => [character, index]));
  return Int32Array.from([...text], (character) => {
    const code = codeOf.get(character);
    if (code === undefined) throw new ArgumentError('vocabulary', `to have ${JSON.stringify(character)}`, 'one without it');
    return code;
  });
}
