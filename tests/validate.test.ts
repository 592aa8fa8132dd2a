/** How error messages show values: short, in bounded time, and without ever failing themselves. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ArgumentError, createRuntime } from '../src/index';
import { checkNoMore, checkOptions, describe as show, showName } from '../src/validate';

const cyclic: unknown[] = [];
cyclic.push(cyclic, cyclic);
const nested = (depth: number): unknown[] =>
  depth === 0 ? [] : Array.from({ length: 8 }, () => nested(depth - 1));
const throwing = () => {
  throw new Error('hostile');
};
const revoked = Proxy.revocable([], {});
revoked.revoke();

const HOSTILE: [string, unknown][] = [
  ['a cyclic array', cyclic],
  ['a deep array', nested(6)],
  ['a huge array', new Array(2 ** 32 - 1)],
  ['a huge bigint', 10n ** 100_000n],
  ['a huge string', 'x'.repeat(1e7)],
  ['a huge symbol', Symbol('x'.repeat(1e6))],
  [
    'a class with a huge name',
    new (Object.defineProperty(class {}, 'name', { value: 'x'.repeat(1e6) }))(),
  ],
  ['a constructor without a name', { __proto__: { constructor: { name: 7 } } }],
  [
    'a getter that throws',
    Object.create({
      get constructor() {
        return throwing();
      },
    }),
  ],
  ['an array whose elements throw', Object.defineProperty([1], 0, { get: throwing })],
  ['a toString that throws', { toString: throwing, [Symbol.toPrimitive]: throwing }],
  ['an object without prototype', Object.create(null)],
  [
    'a proxy that throws',
    new Proxy({}, { getPrototypeOf: throwing, get: throwing, ownKeys: throwing }),
  ],
  ['a revoked proxy', revoked.proxy],
  [
    'a view whose length throws',
    Object.defineProperty(new Uint8Array(2), 'length', { get: throwing }),
  ],
];

describe('describe', () => {
  // Not by it.each, whose titles cannot be made of such values.
  for (const [name, value] of HOSTILE) {
    it(`${name}: a short text`, () => {
      expect(show(value).length).toBeLessThan(200);
    });

    it(`createRuntime({ threads: ${name} }) is refused with a sentence`, async () => {
      const error = await createRuntime({ threads: value } as never).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(/^"threads" expected 'auto' or an integer in \[1, 64\], got /);
      expect(error.message.length).toBeLessThan(300);
    });
  }

  it('a cyclic array by its outermost levels', () => {
    expect(show([cyclic])).toMatch(/^an array of 1|^\[+an array of 2/);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [1.5, '1.5'],
    [12n, '12n'],
    ['a"b', '"a\\"b"'],
    ['\x1b[31m\u009b\u202e', '"\\u001b[31m\\u{9b}\\u{202e}"'],
    ['x'.repeat(61), 'a string of 61 characters'],
    [[1, 'b', [2, [3]]], '[1, "b", [2, [3]]]'],
    [new Array(9), 'an array of 9'],
    [['x'.repeat(60), 'y'.repeat(60)], 'an array of 2'],
    [() => 0, 'a function'],
    [new Float32Array(3), 'Float32Array(3)'],
    [new DataView(new ArrayBuffer(5)), 'DataView(5)'],
    [{}, 'an object'],
    [runInNewContext('({})'), 'an object'],
    [new Map(), 'an instance of Map'],
    [Promise.resolve(), 'a Promise (is an `await` missing?)'],
  ])('%o', (value, text) => {
    expect(show(value)).toBe(text);
  });
});

it('names are cut, and cannot steer a terminal', () => {
  expect(showName('conv1.weight')).toBe('conv1.weight');
  expect(showName('a\x1b]0;b\n')).toBe('a\\u{1b}]0;b\\u{a}');
  expect(showName('x'.repeat(1e6))).toBe(`${'x'.repeat(60)}…`);
});

describe('checkOptions', () => {
  it.each([
    ['a promise', Promise.resolve({}), 'a Promise (is an `await` missing?)'],
    ['a map', new Map([['a', 1]]), 'an instance of Map'],
    ['a date', new Date(0), 'an instance of Date'],
    ['an array', [], '[]'],
    ['nothing', undefined, 'undefined'],
  ])('refuses %s, which would silently mean the defaults', (_, value, text) => {
    expect(() => checkOptions('options', value, ['a'])).toThrow(
      `"options" expected an options object, got ${text}`,
    );
  });

  it.each([
    ['a literal', { a: 1 }],
    ['no prototype', Object.assign(Object.create(null), { a: 1 })],
    ["another realm's", runInNewContext('({ a: 1 })')],
    [
      'a class',
      new (class {
        a = 1;
      })(),
    ],
    [
      'a class with getters',
      new (class {
        get a() {
          return 1;
        }
      })(),
    ],
  ])('takes %s', (_, value) => {
    expect(() => checkOptions('options', value, ['a'])).not.toThrow();
  });
});

it('checkNoMore refuses what JavaScript would drop', () => {
  expect(() => checkNoMore('relu()', [], 'none')).not.toThrow();
  expect(() => checkNoMore('relu()', [3], 'it has no options')).toThrow(
    '"relu()" expected no further argument (it has no options), got 3',
  );
});
