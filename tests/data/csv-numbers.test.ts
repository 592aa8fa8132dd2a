/** Fields of CSV files: what is a number, and that telling so takes linear time and memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/data';
import {
  isDigits,
  isInteger,
  isMissing,
  isNonFinite,
  parseDecimal,
} from '../../src/data/csv-numbers';
import { csvRecords } from '../../src/data/csv-records';
import { ArgumentError, DataError } from '../../src/errors';
import { caught } from '../support/errors';

describe('parseDecimal', () => {
  it.each([
    ['0', 0],
    ['-3.5e1', -35],
    ['+.25', 0.25],
    ['1.', 1],
    ['007', 7],
    ['1E+2', 100],
    ['1e400', Infinity],
    ['100000000000000000000000000000', 1e29],
  ])('reads %s', (text, value) => {
    expect(parseDecimal(text)).toBe(value);
  });

  it.each([
    '',
    '.',
    '+',
    '-',
    '+-1',
    'e5',
    '1e',
    '1e+',
    '1.2.3',
    '0x10',
    '0b1',
    '1_000',
    '1,000',
    '1 2',
    '١',
    'NaN',
    'Infinity',
    '1n',
  ])('refuses %j', (text) => {
    expect(parseDecimal(text)).toBeNaN();
  });

  it('takes what the grammar of decimal numbers takes, and nothing else', () => {
    const text = fc.string({
      unit: fc.constantFrom('0', '7', '.', '+', '-', 'e', 'E', 'x'),
      maxLength: 10,
    });
    fc.assert(
      fc.property(text, (field) => {
        const grammatical = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(field);
        expect(parseDecimal(field)).toBe(grammatical ? Number(field) : Number.NaN);
        expect(isInteger(field)).toBe(/^[+-]?\d+$/.test(field));
        expect(isDigits(field)).toBe(/^\d+$/.test(field));
      }),
      { numRuns: 5000 },
    );
  });

  it('reads a million digits, and refuses them with a letter behind, in one pass', () => {
    const digits = '1'.repeat(1e6);
    expect(parseDecimal(`0.${digits}`)).toBeCloseTo(1 / 9, 15);
    expect(parseDecimal(`${digits}x`)).toBeNaN();
    expect(() => parseCsv(`a,k\n${digits}x,c\n`, { target: 'k' })).toThrow(
      new DataError(
        `csv, line 2, column 1 ("a"): expected a number, got "${digits.slice(0, 60)}…"`,
      ),
    );
  });

  it('leaves missing and non-finite values to their own words', () => {
    for (const text of ['', '?', 'na', 'N/A', 'NULL']) expect(isMissing(text)).toBe(true);
    for (const text of ['nan', '-INF', '+Infinity']) expect(isNonFinite(text)).toBe(true);
    for (const text of ['none', '??', '0', 'infinit'])
      expect(isMissing(text) || isNonFinite(text)).toBe(false);
  });
});

describe('errors about a CSV file', () => {
  it('show what it holds without characters that steer a terminal', () => {
    const hostile = '\u001b[2J\u009b31m\u202ecsv\u2028!';
    for (const text of [`a,k\n${hostile},x\n`, `a,k,${hostile}\n1,x,NaN\n`]) {
      const { message } = caught(() => parseCsv(text, { target: 'k' })) as Error;
      expect(message).toContain('\\u001b[2J\\u009b31m\\u202ecsv\\u2028!');
      for (const character of hostile.replace(/[ -~]/g, ''))
        expect(message).not.toContain(character);
    }
  });

  it('are ArgumentErrors for what is no text', () => {
    for (const text of [undefined, null, 5, new Uint8Array(3)]) {
      expect(() => parseCsv(text as never, { target: 0 })).toThrow(ArgumentError);
    }
    expect(() => parseCsv('1,2\n', undefined as never)).toThrow(
      '"options" expected an options object, got undefined',
    );
  });
});

describe('large texts', () => {
  const records = (text: string, limit: number) =>
    [...csvRecords(text, ',', 'csv', () => limit)].map((r) => ({ ...r, fields: [...r.fields] }));

  it('are read without keeping the fields of records that are too long', () => {
    const [record] = records('1,2,3,4,5', 2);
    expect(record).toMatchObject({ fields: ['1', '2'], fieldCount: 5 });
    expect(() => parseCsv(`1,2\n${'1,'.repeat(1e6)}1\n`, { target: 0, header: false })).toThrow(
      new DataError('csv, line 2: expected 2 fields, got 1000001'),
    );
    expect(() => parseCsv(`${'a,'.repeat(300_000)}b\n`, { target: 0 })).toThrow(
      new DataError('csv, line 1: expected at most 262144 columns, got 300001'),
    );
  });

  it('may have a label of many quotes and lines', () => {
    const label = `${'"\n'.repeat(1e5)}.`;
    const dataset = parseCsv(`a,k\n1,"${label.replaceAll('"', '""')}"\n2,b\n`, { target: 'k' });
    expect(dataset.classNames).toContain(label);
    expect(() =>
      parseCsv(`a,k\n1,"${label.replaceAll('"', '""')}"\nx,b\n`, { target: 'k' }),
    ).toThrow('csv, line 100003, column 1 ("a"): expected a number, got "x"');
  });

  it('may have 131,072 classes, and no more', () => {
    const rows = (count: number) =>
      `x,k\n${Array.from({ length: count }, (_, i) => `1,${i}\n`).join('')}`;
    expect(() => parseCsv(rows(2 ** 17 + 1), { target: 'k' })).toThrow(
      `csv, line ${2 ** 17 + 2}, column 2 ("k"): expected at most 131072 classes (task: ` +
        "'regression' learns numbers), got more",
    );
    expect(parseCsv(rows(70_000), { target: 'k' }).classCount).toBe(70_000);
    expect(parseCsv(rows(2 ** 19 + 1), { target: 'k', task: 'regression' }).count).toBe(
      2 ** 19 + 1,
    );
  });
});
