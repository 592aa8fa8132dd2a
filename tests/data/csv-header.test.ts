/** Whether the first record of a CSV file names its columns: by evidence, or not at all. */
import { describe, expect, it } from 'vitest';
import { type CsvOptions, type CsvRegressionOptions, parseCsv } from '../../src/data';
import { DataError } from '../../src/errors';

const rows = (line: (i: number) => string, count = 60) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('');
const numbers = rows((i) => `${i % 7},${i % 5},${i % 3}`);
const labelled = rows((i) => `k${i % 2},${i},${i % 4}`);

describe("header: 'auto'", () => {
  it.each<[string, string, number, number, string[]?]>([
    ['text in every column', `a,b,c\n${numbers}`, -1, 60, ['a', 'b']],
    ['text in every feature', `a,b,3\n${numbers}`, -1, 60, ['a', 'b']],
    [
      'text beside a number that is no value of its column',
      `a,99,c\n${numbers}`,
      -1,
      60,
      ['a', '99'],
    ],
    ['text over a target of numbers', `3,4,kind\n${numbers}`, -1, 60, ['3', '4']],
    ['the indices of the columns', `0,1,2\n${numbers}`, -1, 60, ['0', '1']],
    [
      'the indices of the columns beside the name of the target',
      `label,1,2\n${labelled}`,
      0,
      60,
      ['1', '2'],
    ],
    ['years', `2019,2020,2021\n${numbers}`, -1, 60, ['2019', '2020']],
    [
      'years beside the name of the target',
      `label,2019,2020\n${labelled}`,
      0,
      60,
      ['2019', '2020'],
    ],
    [
      'years in other columns than the first',
      `2019,2020,2021\n${numbers}`,
      0,
      60,
      ['2020', '2021'],
    ],
  ])('takes %s for names', (_, text, target, count, columns) => {
    expect(parseCsv(text, { target })).toMatchObject({ count, columns });
  });

  it.each<[string, string, number]>([
    ['a label that occurs again', `100,200,2\n${numbers}`, -1],
    ['a label of text that occurs again', `k1,1,2\n${labelled}`, 0],
    ['a value in the range of its column', `3,900,77\n${numbers}`, -1],
    ['two equal fields', `800,800,77\n${numbers}`, -1],
    ['a point in a number', `800.5,700,77\n${numbers}`, -1],
    ['a sign', `-800,700,77\n${numbers}`, -1],
    ['a label that occurs once, beside values in range', `k9,5,3\n${labelled}`, 0],
  ])('takes a first record with %s for an example', (_, text, target) => {
    const dataset = parseCsv(text, { target });
    expect(dataset.count).toBe(61);
    expect(dataset).not.toHaveProperty('columns');
    const again = parseCsv(text, { target, header: false });
    expect(dataset).toEqual(again);
  });

  it.each<[string, string, number]>([
    ['numbers beyond the range of every column', `1034,2291,877\n${numbers}`, -1],
    ['two numbers that count up', '1,2\n3,4\n5,6\n', -1],
    ['numbers that count up as those below do', '0,1,2\n3,4,5\n6,7,8\n', -1],
    ['wavelengths', `400.5,401,401.5\n${numbers}`, -1],
    [
      'years one of which is a label below',
      `2019,2020,2021\n${rows((i) => `${i % 7},${i % 5},${2021 + (i % 3)}`)}`,
      -1,
    ],
    ['a label that occurs once, beside a value beyond the range', '1,kind\n3,x\n4,y\n', -1],
    ['an ascending feature beside labels that occur once', '1,a\n2,b\n3,c\n', -1],
    ['text beside a label that occurs again', `1.2.3,4,2\n${numbers}`, -1],
    ['one record of numbers', '1,2\n', -1],
  ])('refuses to guess what %s are', (_, text, target) => {
    const first = text.slice(0, text.indexOf('\n')).replaceAll(',', ', ');
    expect(() => parseCsv(text, { target })).toThrow(
      new DataError(
        `csv, line 1: the first record, "${first}", may name the columns or be an example: ` +
          'set the option "header" to true or to false',
      ),
    );
    if (!text.startsWith('1.2.3'))
      expect(parseCsv(text, { target, header: false })).not.toHaveProperty('columns');
    if (text !== '1,2\n') expect(parseCsv(text, { target, header: true }).columns).toBeDefined();
  });

  it('judges the target of a regression as it does a feature', () => {
    const options: CsvRegressionOptions = { target: -1, task: 'regression' };
    expect(parseCsv('1,price\n2,30\n3,40\n', options)).toMatchObject({ count: 2, columns: ['1'] });
    expect(parseCsv('1,35\n2,30\n3,40\n', options)).toMatchObject({ count: 3 });
    expect(() => parseCsv('1,20\n2,30\n3,40\n', options)).toThrow(
      /may name the columns or be an example/,
    );
  });

  it('does not pass over a missing value in the first record', () => {
    expect(() => parseCsv(`,5,1\n${numbers}`, { target: -1 })).toThrow(
      'csv, line 1, column 1: expected a value, got an empty field',
    );
    expect(() => parseCsv(`5,nan,1\n${numbers}`, { target: -1 })).toThrow(
      'line 1, column 2: expected a finite number, got "nan"',
    );
  });

  it('reads the same examples as header: true or false says, whatever it decides', () => {
    for (const first of ['0,1,2', '2019,2020,2021', 'a,b,c', '3,3,1', '100,200,2']) {
      const text = `${first}\n${numbers}`;
      const auto = parseCsv(text, { target: -1 });
      expect(auto).toEqual(parseCsv(text, { target: -1, header: auto.columns !== undefined }));
    }
  });
});

describe('names given', () => {
  const train = parseCsv('x,y,kind\n1,2,ant\n3,4,bee\n5,6,cat\n', { target: 'kind' });
  const again = (text: string, options: Partial<CsvOptions> = {}) =>
    parseCsv(text, {
      target: 'kind',
      columns: train.columns,
      classNames: train.classNames,
      ...options,
    });

  it('number the labels of another file as those of the first', () => {
    const test = again('x,y,kind\n7,8,cat\n9,10,bee\n');
    expect([...test.labels]).toEqual([2, 1]);
    expect(test).toMatchObject({ classCount: 3, classNames: ['ant', 'bee', 'cat'] });
  });

  it('find the columns in any order, and leave out others', () => {
    const test = again('kind,note,y,x\nbee,hello,2,1\n');
    expect([...test.features]).toEqual([1, 2]);
    expect(test).toMatchObject({ columns: ['x', 'y'], featureCount: 2 });
    expect(again('y,x,kind\n2,1,ant\n').features).toEqual(Float32Array.of(1, 2));
  });

  it('find columns called by numbers', () => {
    const text = '2019,2020,2021\n1,2,0\n3,4,1\n';
    const { columns } = parseCsv(text, { target: '2021' });
    expect(columns).toEqual(['2019', '2020']);
    const swapped = parseCsv('2020,2021,2019\n2,0,1\n', { target: '2021', columns });
    expect([...swapped.features]).toEqual([1, 2]);
  });

  it('name the columns of a file without a header', () => {
    const options = { target: -1, header: false, columns: ['x', 'y'] } as const;
    expect(parseCsv('1,2,ant\n', options)).toMatchObject({ columns: ['x', 'y'], count: 1 });
    expect(() => parseCsv('1,2,3,ant\n', options)).toThrow(
      'csv, line 1: expected 2 columns and the target, got 4 fields',
    );
  });

  it.each<[string, Partial<CsvOptions>, string]>([
    ['x,kind\n1,ant\n', {}, 'csv, line 1: expected a column "y", got "x, kind"'],
    ['1,2,ant\n', { target: -1 }, 'csv, line 1: expected a column "x", got "1, 2, ant"'],
    ['x,y,x,kind\n1,2,3,ant\n', {}, 'csv, line 1: expected one column "x", got several'],
    [
      'x,y,kind\n1,2,ant\n1,2,dog\n',
      {},
      'csv, line 3, column 3 ("kind"): expected one of the classes "ant", "bee", "cat", got "dog"',
    ],
    [
      'x,y,kind\n1,2,Ant\n',
      {},
      'csv, line 2, column 3 ("kind"): expected one of the classes "ant", "bee", "cat", got "Ant"',
    ],
  ])('refuse %j by name', (text, options, message) => {
    expect(() => again(text, options)).toThrow(new DataError(message));
  });

  it.each<[Partial<CsvOptions>, string]>([
    [{ columns: [] }, '"columns" expected an array of names, got []'],
    [{ columns: ['x', 'x'] }, '"columns[1]" expected a name that no other entry has, got "x"'],
    [{ columns: 'x' as never }, '"columns" expected an array of names, got "x"'],
    [
      { columns: ['x', 'kind'] },
      `"columns" expected names without the target's, "kind", got ["x", "kind"]`,
    ],
    [
      { columns: ['x', 'kind'], target: -1 },
      `"columns" expected names without the target's, "kind", got ["x", "kind"]`,
    ],
    [{ classNames: ['ant', 5 as never] }, '"classNames[1]" expected a name, got 5'],
    [{ classNames: ['ant', ''] }, '"classNames[1]" expected a name, got ""'],
    [
      { task: 'regression' as never },
      `"classNames" expected nothing with task: 'regression', got ["ant", "bee", "cat"]`,
    ],
    [
      { task: 'ranking' as never },
      `"task" expected 'classification' or 'regression', got "ranking"`,
    ],
  ])('refuse the options %j', (options, message) => {
    expect(() => again('x,y,kind\n1,2,ant\n', options)).toThrow(message);
  });
});
