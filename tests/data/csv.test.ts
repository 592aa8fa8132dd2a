import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, parseCsv } from '../../src/data';
import { ArgumentError, DataError } from '../../src/errors';

const last: CsvOptions = { target: -1 };
const plain: CsvOptions = { target: -1, header: false };

describe('parseCsv', () => {
  it('reads numbers as features and one column as the label', () => {
    const dataset = parseCsv('width,kind,height\n1,dog,2\n-3.5e1,cat,.25\n', {
      target: 'kind',
      name: 'pets',
    });
    expect(dataset).toEqual({
      name: 'pets',
      features: Float32Array.of(1, 2, -35, 0.25),
      labels: Int32Array.of(1, 0),
      count: 2,
      featureCount: 2,
      classCount: 2,
      classNames: ['cat', 'dog'],
      columns: ['width', 'height'],
    });
  });

  it('sorts integer labels by value, and others by text', () => {
    expect(parseCsv('1,10\n1,9\n1,-2\n', last).classNames).toEqual(['-2', '9', '10']);
    expect(parseCsv('1,b10\n1,b9\n1,B\n', last).classNames).toEqual(['B', 'b10', 'b9']);
    expect(parseCsv('1,1.5\n1,10\n1,9\n', last).classNames).toEqual(['1.5', '10', '9']);
  });

  it('is told whether there is a header', () => {
    const without = parseCsv('1,2\n3,4\n', { target: 1, header: false });
    expect(without).toMatchObject({ count: 2, classNames: ['2', '4'] });
    expect(without).not.toHaveProperty('columns');
    const withNames = parseCsv('1,2\n3,4\n', { target: 1, header: true });
    expect(withNames).toMatchObject({ count: 1, classNames: ['4'], columns: ['1'] });
    expect(() => parseCsv('a,b\n1,2\n', { target: 0, header: false })).toThrow(
      /line 1, column 2: expected a number, got "b"/,
    );
  });

  it.each([
    ['\ufeff1,a\n2,b\n', 'a byte order mark'],
    ['1,a\r\n2,b\r\n', 'CR LF'],
    ['1,a\r2,b', 'CR, and no end of the last line'],
    ['\n\n1,a\n\r\n\n2,b\n\n', 'empty lines'],
    [' 1 ,a \n2,\tb\n', 'spaces around fields'],
    ['"1","a"\n"2","b"\n', 'quoted fields'],
    ['+1.0,a\n20e-1,b\n', 'other spellings of numbers'],
  ])('takes %j: %s', (text) => {
    const dataset = parseCsv(text, plain);
    expect([...dataset.features]).toEqual([1, 2]);
    expect(dataset.classNames).toEqual(['a', 'b']);
  });

  it('takes quotes, delimiters and line ends inside quoted fields', () => {
    expect(parseCsv('1,"a,""b""\r\nc"\n2,d\n', plain).classNames).toEqual(['a,"b"\r\nc', 'd']);
    expect(parseCsv('1;x,y\n', { ...plain, delimiter: ';' }).classNames).toEqual(['x,y']);
    expect(parseCsv('1\tx\n', { ...plain, delimiter: '\t' }).classNames).toEqual(['x']);
  });

  it.each([
    ['', 'csv: expected at least one record, got none'],
    ['\n\r\n', 'csv: expected at least one record, got none'],
    ['a,b\n', 'csv: expected at least one record after the header, got none'],
    ['1\n2\n', 'csv, line 1: expected at least 2 columns, got 1'],
    ['1,2\n3\n', 'csv, line 2: expected 2 fields, got 1'],
    ['1,2\n\n3,4,5\n', 'csv, line 3: expected 2 fields, got 3'],
    ['1,2\n3,4,\n', 'csv, line 2: expected 2 fields, got 3'],
    ['1,2\n,4\n', 'csv, line 2, column 1: expected a value, got an empty field'],
    ['1,2\n3,\n', 'csv, line 2, column 2: expected a value, got an empty field'],
    ['1,2\n?,4\n', 'csv, line 2, column 1: expected a value, got "?"'],
    ['1,2\nNA,4\n', 'csv, line 2, column 1: expected a value, got "NA"'],
    ['a,b\n1,2\nnull,4\n', 'csv, line 3, column 1 ("a"): expected a value, got "null"'],
    ['1,2\nx,4\n', 'csv, line 2, column 1: expected a number, got "x"'],
    ['1,2\n0x10,4\n', 'csv, line 2, column 1: expected a number, got "0x10"'],
    ['1,2\n1 2,4\n', 'csv, line 2, column 1: expected a number, got "1 2"'],
    ['1,2\nNaN,4\n', 'csv, line 2, column 1: expected a finite number, got "NaN"'],
    ['1,2\n-Infinity,4\n', 'csv, line 2, column 1: expected a finite number, got "-Infinity"'],
    ['1,2\n1e39,4\n', 'csv, line 2, column 1: expected a number within float32, got "1e39"'],
    ['1,2\n3,a"b\n', 'csv, line 2: expected no quote inside an unquoted field, got one'],
    ['1,"a"b\n', 'csv, line 1: expected a delimiter after a closing quote, got "b"'],
    ['1,2\n3,"a\nb', 'csv, line 2: expected a closing quote, got the end of the text'],
    ['1,"a\nb"\n3\n', 'csv, line 3: expected 2 fields, got 1'],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text, last)).toThrow(new DataError(message));
  });

  it('refuses a target that is not there, or there twice', () => {
    expect(() => parseCsv('a,b\n1,2\n', { target: 'c' })).toThrow(
      new DataError('csv, line 1: expected a column "c", got "a, b"'),
    );
    expect(() => parseCsv('a,a\n1,2\n', { target: 'a' })).toThrow(
      new DataError('csv, line 1: expected one column "a", got several'),
    );
    expect(() => parseCsv('a,b\n1,2\n', { target: 2 })).toThrow(
      '"target" expected a column index in [-2, 1], got 2',
    );
    expect(() => parseCsv('a,b\n1,2\n', { target: -3 })).toThrow(ArgumentError);
  });

  it.each([
    [{}, /^"target" expected/],
    [{ target: 1.5 }, /^"target" expected/],
    [{ target: 'a', header: false }, /^"target" expected a column index/],
    [{ target: 0, delimiter: '' }, /^"delimiter" expected/],
    [{ target: 0, delimiter: '||' }, /^"delimiter" expected/],
    [{ target: 0, delimiter: '"' }, /^"delimiter" expected/],
    [{ target: 0, header: 'yes' }, /^"header" expected/],
    [{ target: 0, sep: ',' }, /^"options.sep" expected/],
  ])('refuses the options %o', (options, message) => {
    expect(() => parseCsv('1,2\n', options as CsvOptions)).toThrow(message);
    expect(() => parseCsv('1,2\n', options as CsvOptions)).toThrow(ArgumentError);
  });

  it('reads back any table that was written by the rules', () => {
    const label = fc
      .string({ unit: fc.constantFrom('a', 'é', ',', '"', '\n', '\r', ' ', '5'), minLength: 1 })
      .map((text) => `x${text}x`);
    const row = fc.tuple(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      label,
    );
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        (rows, lineEnd) => {
          const text = rows
            .map(([x, y, name]) => `${x},"${y}","${name.replaceAll('"', '""')}"`)
            .join(lineEnd);
          const dataset = parseCsv(text, { target: 2, header: false });
          // + 0: "-0" is not what JavaScript writes for -0.
          expect([...dataset.features]).toEqual(rows.flatMap(([x, y]) => [x + 0, y + 0]));
          expect([...dataset.labels].map((label) => dataset.classNames![label])).toEqual(
            rows.map((r) => r[2]),
          );
          expect(dataset.classNames).toEqual([...new Set(rows.map((r) => r[2]))].sort());
        },
      ),
    );
  });

  it('answers any text with a dataset or a DataError', () => {
    const text = fc.string({
      unit: fc.constantFrom('1', '2', 'a', ',', '"', '\n', '\r', '.', '-', ' '),
      maxLength: 40,
    });
    fc.assert(
      fc.property(text, (some) => {
        try {
          const { features, labels, count, featureCount, classCount } = parseCsv(some, last);
          expect(features.length).toBe(count * featureCount);
          expect(labels.length).toBe(count);
          expect(features.every(Number.isFinite)).toBe(true);
          expect(labels.every((label) => label >= 0 && label < classCount)).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('grows beyond its first buffer', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `${i},${i % 7}`);
    const dataset = parseCsv(rows.join('\n'), plain);
    expect(dataset.count).toBe(3000);
    expect([...dataset.features]).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  });
});
