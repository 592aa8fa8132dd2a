/** What came from a file or an argument, as the command line shows it. */
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/cli/errors';
import { clipText, printable, printableJson, printableLines, quote } from '../../src/cli/printable';
import { displayWidth, foldedPairs, pairs, table } from '../../src/cli/table';
import { ArgumentError, DataError } from '../../src/index';

/** Characters that steer a terminal, hide or reorder text. */
const STEERING = [
  ['a line feed', '\n', '\\u{a}'],
  ['a carriage return', '\r', '\\u{d}'],
  ['an escape', '\u001b[31m', '\\u{1b}[31m'],
  ["C1's control sequence introducer", '\u009b31m', '\\u{9b}31m'],
  ['a bell', '\u0007', '\\u{7}'],
  ['delete', '\u007f', '\\u{7f}'],
  ['a right-to-left override', '\u202e', '\\u{202e}'],
  ['a first strong isolate', '\u2068', '\\u{2068}'],
  ['an Arabic letter mark', '\u061c', '\\u{61c}'],
  ['a zero width space', '\u200b', '\\u{200b}'],
  ['a line separator', '\u2028', '\\u{2028}'],
  ['a byte order mark', '\ufeff', '\\u{feff}'],
  ['a tag', '\u{e0041}', '\\u{e0041}'],
  ['half a character', '\ud800', '\\u{d800}'],
] as const;

describe('a text from outside', () => {
  test.each(STEERING)('shows %s', (_what, text, shown) => {
    expect(printable(`a${text}b`)).toBe(`a${shown}b`);
    expect(printableLines(`a${text}b`)).toBe(text === '\n' ? 'a\nb' : `a${shown}b`);
    expect(quote(text)).not.toContain(text);
  });

  test.each(STEERING)('is the same value in JSON, without %s', (_what, text) => {
    const json = printableJson(JSON.stringify({ [`a${text}`]: [text] }, null, 1));
    expect(JSON.parse(json)).toEqual({ [`a${text}`]: [text] });
    if (text !== '\n') expect(json).not.toContain(text);
  });

  test('of any language passes', () => {
    const text = 'Größe 大小 حجم 😀 ∞ · “x”';
    expect(printable(text)).toBe(text);
  });

  test('is cut between characters', () => {
    expect(clipText('abc', 3)).toBe('abc');
    expect(clipText('abcd', 3)).toBe('abc…');
    expect(clipText('ab😀cd', 3)).toBe('ab…');
  });
});

describe('a table', () => {
  test('aligns its columns by what a terminal shows', () => {
    expect(displayWidth('abc')).toBe(3);
    expect(displayWidth('大小')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(
      table(
        ['name', 'n'],
        [
          ['大小', '10'],
          ['ab', '5'],
        ],
        ['left', 'right'],
      ),
    ).toBe(['name   n', '────────', '大小  10', 'ab     5'].join('\n'));
  });

  test('folds values at commas and spaces', () => {
    const words = Array.from({ length: 40 }, (_, i) => `word${i}`);
    const lines = foldedPairs([
      ['key', words.join(', ')],
      ['k', 'v'],
    ]).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(
      lines
        .map((line) => line.slice(5))
        .join(' ')
        .replace(/ v$/, ''),
    ).toBe(words.join(', '));
    expect(lines.at(-1)).toBe('k    v');
    expect(foldedPairs([['k', 'x'.repeat(200)]])).toBe(`k  ${'x'.repeat(200)}`);
  });

  test('of many rows and of a long cell is formatted', () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => [`k${i}`, 'v'] as const);
    expect(pairs(rows).split('\n')).toHaveLength(200_000);
    const cell = Array.from({ length: 100_000 }, () => 'relu').join(', ');
    expect(foldedPairs([['model', cell]]).replace(/\s+/g, ' ')).toBe(`model ${cell}`);
  });
});

describe('an error', () => {
  const systemError = (fields: object) => Object.assign(new Error('system'), fields);

  test.each([
    [
      'of the file system',
      systemError({ code: 'ENOSPC', path: 'a/b', syscall: 'write' }),
      'a/b: no space left on the device',
      1,
    ],
    [
      'without a path',
      systemError({ code: 'EIO', syscall: 'read' }),
      'read: the device could not be read or written',
      1,
    ],
    [
      'of a size',
      systemError({ code: 'ERR_FS_FILE_TOO_LARGE' }),
      'the file is larger than 2 GiB and cannot be read',
      1,
    ],
    ['of memory', new RangeError('Array buffer allocation failed'), /^out of memory/, 1],
    [
      'of an option',
      new ArgumentError('threads', 'a number', 'x'),
      '--threads expected a number, got x',
      2,
    ],
    ['of the library', new DataError('what is wrong'), 'what is wrong', 1],
  ])('%s is told in a sentence', (_what, error, message, exitCode) => {
    const told = explain(error);
    expect(told).toMatchObject({ exitCode, isInternal: false });
    expect(told.message).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });

  test.each([
    [new TypeError('x is not a function')],
    [new RangeError('Maximum call stack size exceeded')],
    [undefined],
    ['text'],
  ])('that nobody expected is a bug of ours: %s', (error) => {
    expect(explain(error)).toMatchObject({
      exitCode: 1,
      isInternal: true,
      message: expect.stringMatching(/^internal error/),
    });
  });
});
