/**
 * Each way in which a safetensors file can be wrong: its own reason, and a message that names the
 * key and both sides.
 */
import { describe, expect, test } from 'vitest';
import { CheckpointError, decodeSafetensors } from '../../src/checkpoint';
import { caught } from '../support/errors';
import { assemble } from '../support/safetensors-files';
import { fuzzSafetensors, REASONS } from './safetensors-fuzz';

/** A tensor "w" with some fields replaced; those undefined are left out. */
function header(fields: Record<string, unknown>): string {
  return JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields } });
}

/** Two tensors of U8, by their offsets. */
function two(a: [number, number], b: [number, number]): string {
  const tensor = (offsets: [number, number]) => ({
    dtype: 'U8',
    shape: [offsets[1] - offsets[0]],
    data_offsets: offsets,
  });
  return JSON.stringify({ a: tensor(a), b: tensor(b) });
}

function withLength(length: bigint, rest: string): Uint8Array {
  const bytes = assemble(rest);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

const W = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';

type Case = [reason: string, what: string, file: Uint8Array, message: string | RegExp];
const CASES: Case[] = [
  ['truncated', 'no bytes', new Uint8Array(0), 'file expected at least 8 bytes, got 0'],
  ['truncated', 'seven bytes', new Uint8Array(7), 'file expected at least 8 bytes, got 7'],
  [
    'header-length',
    'a header beyond the file',
    withLength(3n, '{}'),
    'header length expected at most 2, got 3',
  ],
  [
    'header-too-large',
    'a header of 100 MB + 1',
    withLength(100_000_001n, '{}'),
    'header length expected at most 100000000, got 100000001',
  ],
  [
    'header-too-large',
    'the longest header',
    withLength(2n ** 64n - 1n, '{}'),
    /got 18446744073709551615$/,
  ],
  ['header-start', 'no header', assemble(''), "header expected to begin with '{', got nothing"],
  [
    'header-start',
    'a header that is an array',
    assemble('[]'),
    "header expected to begin with '{', got byte 91",
  ],
  [
    'header-start',
    'a header that begins with a space',
    assemble(' {}'),
    "header expected to begin with '{', got byte 32",
  ],
  [
    'header-start',
    'a header that begins with a byte order mark',
    assemble('\ufeff{}'),
    /got byte 239$/,
  ],
  [
    'utf8',
    'bytes that are not UTF-8',
    assemble(Buffer.from('{"\xff":1}', 'latin1')),
    'header expected UTF-8, got other bytes',
  ],
  ['json', 'an open object', assemble('{"a"'), "header expected ':' at byte 4, got the end"],
  [
    'json',
    'an open string',
    assemble('{"a'),
    'header expected a string that ends at byte 1, got "\\"a"',
  ],
  [
    'json',
    'text after the object',
    assemble('{} x'),
    'header expected the end of the header at byte 3, got "x"',
  ],
  [
    'json',
    'a byte 0 after the object',
    assemble('{}\0'),
    'header expected the end of the header at byte 2, got "\\u0000"',
  ],
  ['json', 'a comma too many', assemble('{"a":1,}'), 'header expected a key at byte 7, got "}"'],
  ['json', 'a key without quotes', assemble('{a:1}'), /expected a key at byte 1/],
  ['json', 'a wrong word', assemble('{"a":nul}'), /expected a value at byte 5, got "nul}"/],
  ['json', 'a number that begins with zero', assemble('{"a":01}'), /expected ',' or '}' at byte 6/],
  ['json', 'an array not closed', assemble('{"a":[1}'), /expected ',' or '\]' at byte 7/],
  [
    'json',
    'a control character',
    assemble('{"a\n":1}'),
    /expected a string without control characters/,
  ],
  [
    'json',
    'an unknown escape',
    assemble('{"\\x":1}'),
    /expected a string without control characters and unknown escapes at byte 1/,
  ],
  [
    'json',
    'an unpaired surrogate',
    assemble('{"\\ud800":1}'),
    /expected a string without unpaired surrogates at byte 1/,
  ],
  ['json', 'deep nesting', assemble(`{"a":${'['.repeat(100_000)}`), /expected at most 128 levels/],
  [
    'duplicate-key',
    'a tensor twice',
    assemble(`{"w":{${W}},"w":{${W}}}`, 8),
    'key "w" occurs twice',
  ],
  [
    'duplicate-key',
    'a tensor twice, written differently',
    assemble(`{"w":{${W}},"\\u0077":{${W}}}`, 8),
    'key "w" occurs twice',
  ],
  [
    'duplicate-key',
    'a field twice',
    assemble(`{"w":{${W},"dtype":"U8"}}`, 8),
    'key "w.dtype" occurs twice',
  ],
  [
    'duplicate-key',
    '__proto__ twice',
    assemble(`{"__proto__":{${W}},"__proto__":{${W}}}`, 8),
    'key "__proto__" occurs twice',
  ],
  [
    'duplicate-key',
    'the metadata twice',
    assemble('{"__metadata__":{},"__metadata__":{}}'),
    'key "__metadata__" occurs twice',
  ],
  [
    'metadata',
    '250,001 keys of metadata',
    assemble(`{"__metadata__":{${Array.from({ length: 250_001 }, (_, i) => `"${i}":""`).join()}}}`),
    'key "__metadata__" expected at most 250000 keys, got more',
  ],
  [
    'shape',
    '1,025 sizes',
    assemble(header({ shape: new Array(1025).fill(1), data_offsets: [0, 4] }), 4),
    /whole numbers, at most 1024, got \[1, 1/,
  ],
  [
    'json',
    'an escape in an unknown field',
    assemble('{"a":{"x":"\\q"}}'),
    /unknown escapes at byte 10, got/,
  ],
  [
    'json',
    'a control character in an unknown field',
    assemble('{"a":{"x":"\n"}}'),
    /unknown escapes at byte 10, got/,
  ],
  ['json', 'half an escape', assemble('{"a":"\\u00g0"}'), /unknown escapes at byte 5/],
  [
    'json',
    'a number that ends with a point',
    assemble('{"a":{"x":[1.]}}'),
    /expected ',' or ']' at byte 12/,
  ],
  [
    'json',
    'a number without digits',
    assemble('{"a":{"x":-}}'),
    /expected a value at byte 10, got "-}}"/,
  ],
  [
    'duplicate-key',
    'a key of the metadata twice',
    assemble('{"__metadata__":{"a":"","a":""}}'),
    'key "__metadata__.a" occurs twice',
  ],
  [
    'metadata',
    'metadata that is no object',
    assemble('{"__metadata__":[]}'),
    'key "__metadata__" expected an object, got []',
  ],
  [
    'metadata',
    'metadata that is null',
    assemble('{"__metadata__":null}'),
    'key "__metadata__" expected an object, got null',
  ],
  [
    'metadata',
    'metadata of a number',
    assemble('{"__metadata__":{"step":8}}'),
    'key "__metadata__.step" expected a string, got 8',
  ],
  [
    'metadata',
    'metadata of an object',
    assemble('{"__metadata__":{"a":{}}}'),
    'key "__metadata__.a" expected a string, got an object',
  ],
  [
    'entry',
    'a tensor that is no object',
    assemble('{"w":[0,8]}', 8),
    'tensor "w" expected an object, got [0, 8]',
  ],
  [
    'dtype',
    'no dtype',
    assemble(header({ dtype: undefined }), 8),
    /dtype expected one of F64, .*, got nothing$/,
  ],
  [
    'dtype',
    'an unknown dtype',
    assemble(header({ dtype: 'F8_E4M3' }), 8),
    /tensor "w": dtype expected one of .*, got "F8_E4M3"$/,
  ],
  [
    'dtype',
    'a dtype that objects have',
    assemble(header({ dtype: 'constructor' }), 8),
    /got "constructor"$/,
  ],
  ['dtype', 'a dtype that is no text', assemble(header({ dtype: 1 }), 8), /got 1$/],
  [
    'shape',
    'no shape',
    assemble(header({ shape: undefined }), 8),
    'tensor "w": shape expected an array of whole numbers, at most 1024, got nothing',
  ],
  ['shape', 'a negative size', assemble(header({ shape: [-2] }), 8), /got \[-2\]$/],
  ['shape', 'a fraction', assemble(header({ shape: [0.5] }), 8), /got \[0\.5\]$/],
  [
    'shape',
    'an exponent',
    assemble('{"w":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', 8),
    /got \[2e0\]$/,
  ],
  [
    'shape',
    'a size of 2^53',
    assemble(header({ shape: [2 ** 53] }), 8),
    /got \[9007199254740992\]$/,
  ],
  [
    'shape',
    'a size of 400 digits',
    assemble(`{"w":{"dtype":"F32","shape":[${'9'.repeat(400)}]}}`),
    /got \[9{56}…$/,
  ],
  ['shape', 'text', assemble(header({ shape: '2' }), 8), /got "2"$/],
  [
    'overflow',
    'too many elements',
    assemble(header({ shape: [2 ** 30, 2 ** 30] }), 8),
    'tensor "w": shape expected at most 2^53 bytes, got [1073741824, 1073741824]',
  ],
  [
    'overflow',
    'too many bytes',
    assemble(header({ shape: [2 ** 52] }), 8),
    /shape expected at most 2\^53 bytes/,
  ],
  [
    'overflow',
    'too many elements before a zero',
    assemble(header({ shape: [2 ** 52, 4, 0] }), 8),
    /shape expected at most 2\^53 bytes/,
  ],
  [
    'offsets',
    'no offsets',
    assemble(header({ data_offsets: undefined }), 8),
    /data_offsets expected two whole numbers, .* got nothing$/,
  ],
  ['offsets', 'one offset', assemble(header({ data_offsets: [0] }), 8), /got \[0\]$/],
  [
    'offsets',
    'three offsets',
    assemble(header({ data_offsets: [0, 8, 8] }), 8),
    /got \[0, 8, 8\]$/,
  ],
  [
    'offsets',
    'a negative offset',
    assemble(header({ data_offsets: [-8, 0] }), 8),
    /got \[-8, 0\]$/,
  ],
  [
    'offsets',
    'reversed offsets',
    assemble(header({ data_offsets: [8, 0] }), 8),
    /the first not above the second, got \[8, 0\]$/,
  ],
  [
    'range',
    'an end beyond the file',
    assemble(header({}), 7),
    'tensor "w": data_offsets expected to end by 7, got 8',
  ],
  [
    'range',
    'a claim of 2^50 bytes',
    assemble(header({ shape: [2 ** 48], data_offsets: [0, 2 ** 50] }), 8),
    /expected to end by 8/,
  ],
  [
    'size',
    'fewer bytes than the shape has',
    assemble(header({ data_offsets: [0, 4] }), 8),
    'tensor "w": data_offsets expected to span 8 bytes (F32 [2]), got 4',
  ],
  [
    'size',
    'bytes of an empty tensor',
    assemble(header({ shape: [0] }), 8),
    /expected to span 0 bytes \(F32 \[0\]\), got 8$/,
  ],
  [
    'overlap',
    'an overlap',
    assemble(two([0, 5], [4, 8]), 8),
    'tensor "b": data_offsets expected to begin at 5, where the previous tensor ends, got 4',
  ],
  [
    'overlap',
    'the same bytes twice',
    assemble(two([0, 8], [0, 8]), 8),
    /tensor "b": data_offsets expected to begin at 8/,
  ],
  [
    'overlap',
    'an empty tensor inside another',
    assemble(two([0, 8], [4, 4]), 8),
    /tensor "b": data_offsets expected to begin at 8/,
  ],
  [
    'hole',
    'a hole',
    assemble(two([0, 4], [5, 8]), 8),
    'tensor "b": data_offsets expected to begin at 4, without a hole, got 5',
  ],
  [
    'hole',
    'a hole before the first',
    assemble(header({ data_offsets: [4, 12] }), 12),
    /expected to begin at 0, without a hole, got 4$/,
  ],
  [
    'trailing',
    'bytes after the last tensor',
    assemble(header({}), 9),
    'file expected to end with the last tensor, 8 bytes after the header, got 9',
  ],
  [
    'trailing',
    'bytes without a tensor',
    assemble('{}', 1),
    'file expected to end with the last tensor, 0 bytes after the header, got 1',
  ],
];

describe('decodeSafetensors refuses', () => {
  test.each(CASES)('%s: %s', (reason, _, file, message) => {
    const error = caught(() => decodeSafetensors(file));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ name: 'CheckpointError', code: 'ERR_CHECKPOINT', reason });
    const text = (error as Error).message;
    if (typeof message === 'string') expect(text).toBe(`safetensors ${message}`);
    else expect(text).toMatch(message);
    expect(text.length).toBeLessThan(300);
  });

  test('every reason there is', () => {
    expect([...new Set(CASES.map(([reason]) => reason))].sort()).toEqual([...REASONS].sort());
  });

  test('long names in short messages', () => {
    const file = assemble(JSON.stringify({ ['n'.repeat(5000)]: 1 }));
    expect(() => decodeSafetensors(file)).toThrow(
      /^safetensors tensor "n{57}…" expected an object, got 1$/,
    );
  });
});

test('reads or refuses 20,000 mutated files', () => {
  const { accepted, refused } = fuzzSafetensors(20_000, 1);
  expect(accepted).toBeGreaterThan(400);
  expect(Object.values(refused).filter((count) => count > 0).length).toBeGreaterThan(15);
});

// A quadratic reader would meet the limit of the test runner; times are measured by
// tests/fuzz/run.js.
test('reads headers of a megabyte in time proportional to them', () => {
  const quotes = '\\"'.repeat(250_000);
  const read = decodeSafetensors(assemble(`{"__metadata__":{"a":${JSON.stringify(quotes)}}}`));
  expect(read.metadata.a === quotes).toBe(true);
  for (const text of [
    `{"x":"${'\\\\'.repeat(500_000)}`,
    `{"x":${'{"a":'.repeat(120)}"${'b'.repeat(1_000_000)}"`,
    `{${' '.repeat(1_000_000)}`,
    `{"x":[${'0,'.repeat(500_000)}`,
  ]) {
    const error = caught(() => decodeSafetensors(assemble(text)));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ reason: 'json' });
  }
});
