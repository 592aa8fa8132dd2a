/**
 * What `adal train` makes of a CSV file: header, target, classes or numbers, and the names that a
 * run goes on with.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adal, expectRefusal, readRun, temporaryFolder } from './cli';

const cwd = temporaryFolder();
const put = (name: string, header: string, row: (i: number) => string, count = 60) =>
  writeFileSync(
    join(cwd, name),
    `${header}\n${Array.from({ length: count }, (_, i) => row(i)).join('\n')}\n`,
  );
const row = (i: number) => `${i % 7},${i % 5},${i % 3}`;

/** Trains for an epoch; what run.json says. */
async function learn(name: string, ...args: string[]) {
  const out = `run-${[name, ...args].join('')}`.replace(/[^\w-]/g, '_');
  const { code, stderr } = await adal(
    ['train', '--data', `csv:${name}`, '--epochs', '1', '--out', out, ...args],
    cwd,
  );
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  return readRun(join(cwd, out));
}

const refuse = (name: string, args: string, exitCode: number, message: string) =>
  expectRefusal(
    ['train', '--data', `csv:${name}`, '--epochs', '1', ...args.split(' ')],
    cwd,
    exitCode,
    message,
  );

describe('a header of numbers', () => {
  put('years.csv', '2019,2020,2021', row);
  put('unclear.csv', '10,20,30', (i) => `${i % 7},${i % 5},${i % 3}`);
  put('mixed.csv', 'label,2,1', (i) => `${i % 2},${100 + (i % 5)},${200 + (i % 3)}`);

  test('is found by evidence, or told by --header', async () => {
    const { data } = await learn('years.csv', '--target', '-1');
    expect(data).toMatchObject({
      header: true,
      columns: ['2019', '2020'],
      trainCount: 45,
      testCount: 15,
      classCount: 3,
    });
    expect((await learn('unclear.csv', '--target', '2', '--header', 'true')).data.trainCount).toBe(
      45,
    );
    expect((await learn('unclear.csv', '--target', '2', '--header', 'false')).data).toMatchObject({
      header: false,
      trainCount: 46,
    });
    await refuse(
      'unclear.csv',
      '--target 2',
      1,
      'unclear.csv, line 1: the first record, "10, 20, 30", may name the columns or be an ' +
        'example: use --header true or --header false',
    );
  });

  test('has digits as names for --target', async () => {
    expect((await learn('years.csv', '--target', '2020')).data.columns).toEqual(['2019', '2021']);
    expect((await learn('mixed.csv', '--target', '2', '--header', 'true')).data.columns).toEqual([
      'label',
      '1',
    ]);
    expect((await learn('mixed.csv', '--target', '0')).data.columns).toEqual(['2', '1']);
    await refuse(
      'years.csv',
      '--target 7',
      2,
      '--target expected the name of a column, or an index in [-3, 2], got 7',
    );
    await refuse(
      'unclear.csv',
      '--target 30 --header false',
      2,
      '--target expected the name of a column, or an index in [-3, 2], got 30',
    );
  });

  test('leaves no doubt whether digits are a name or an index', async () => {
    await refuse(
      'mixed.csv',
      '--target 1',
      2,
      '--target expected one column, got 1, which is the name of one and the index of another: ' +
        'use --header true for the name, or --target -2 for the index',
    );
    expect((await learn('mixed.csv', '--target', '-2')).data.columns).toEqual(['label', '1']);
  });

  test('is not taken from a first example that contains the digits of --target', async () => {
    writeFileSync(
      join(cwd, 'data.csv'),
      `${Array.from({ length: 60 }, (_, i) => `${i % 7}.5,${i % 5},${(i % 3) + 5}`).join('\n')}\n`,
    );
    await refuse(
      'data.csv',
      '--target 5',
      2,
      '--target expected the name of a column, or an index in [-3, 2], got 5 (with --header true',
    );
    expect((await learn('data.csv', '--target', '2')).data).toMatchObject({
      header: false,
      classNames: ['5', '6', '7'],
    });
  });
});

describe('a target', () => {
  put('price.csv', 'a,price', (i) => `${i % 7},${(i * 37) % 500}.5`, 600);
  put('id.csv', 'a,id', (i) => `${i},n${i}`);
  put('grade.csv', 'a,grade', (i) => `${i % 7},${(i % 7) / 2}`);
  put('one.csv', 'a,b', (i) => `${i},x`);
  put('same.csv', 'a,b', (i) => `${i},3`);

  test('of many different numbers is no list of classes, unless told', async () => {
    await refuse(
      'price.csv',
      '--target price',
      2,
      '--task expected regression (to learn numbers) or classification (to insist on 500 ' +
        'classes), since the target column has 500 distinct numbers in 600 examples, got nothing',
    );
    expect(
      (await learn('price.csv', '--target', 'price', '--task', 'classification')).data.classCount,
    ).toBe(500);
    await refuse(
      'id.csv',
      '--target id',
      2,
      '--task expected classification (to insist on 60 classes), since the target column has 60',
    );
    expect((await learn('grade.csv', '--target', 'grade')).data.classNames).toHaveLength(7);
  });

  test('of numbers is learnt by --task regression, in units of its own spread', async () => {
    const run = await learn(
      'price.csv',
      '--target',
      'price',
      '--task',
      'regression',
      '--model',
      'mlp:8',
    );
    expect(run.model).toMatchObject({ title: '1-8-1', loss: { kind: 'meanSquaredError' } });
    expect(run.data).toMatchObject({
      classCount: null,
      standardizedTarget: { mean: expect.closeTo(250, -1) },
    });
    expect(run.result).toMatchObject({ testAccuracy: null, confusion: null });
    expect(run.result.testLoss).toBeLessThan(2);
  });

  test('that is always the same is refused', async () => {
    await refuse(
      'one.csv',
      '--target b',
      1,
      'one: expected training examples of at least 2 classes, got one class',
    );
    await refuse(
      'same.csv',
      '--target b --task regression',
      1,
      'same: expected training examples of at least 2 different values',
    );
    writeFileSync(join(cwd, 'same.txt'), 'a'.repeat(100));
    await expectRefusal(
      ['train', '--data', 'text:same.txt'],
      cwd,
      1,
      'same.txt: expected at least 2 distinct characters, got 1',
    );
  });

  test.each([
    ['--data digits --task regression', '--task expected --data csv:<file>, got --data digits'],
    ['--data digits --header true', '--header expected --data csv:<file>, got --data digits'],
    ['--header maybe', '--header expected auto, true or false, got "maybe"'],
    ['--task guess', '--task expected classification or regression, got "guess"'],
    [
      '--data csv:price.csv --target price --task classification --model ' +
        '{"inputShape":[1],"layers":[{"kind":"dense","units":1}],"loss":{"kind":"huber"}}',
      '--task expected the task of the loss huber of --model, got classification',
    ],
  ])('%s is refused', async (args, message) => {
    await expectRefusal(['train', ...args.split(' ')], cwd, 2, message);
  });
});

describe('a run that goes on with another file', () => {
  const kinds = ['ant', 'bee', 'cat'];
  put('first.csv', 'x,y,kind', (i) => `${i % 7},${i % 5},${kinds[i % 3]}`);
  put('permuted.csv', 'kind,y,z,x', (i) => `${kinds[i % 3]},${i % 5},${i},${i % 7}`);
  put('renamed.csv', 'x,w,kind', (i) => `${i % 7},${i % 5},${kinds[i % 3]}`);
  put('others.csv', 'x,y,kind', (i) => `${i % 7},${i % 5},${['ape', 'bat', 'cow'][i % 3]}`);
  const first = learn('first.csv', '--target', 'kind');
  const resume = (data: string) => [
    'train',
    '--resume',
    'run-first_csv--targetkind',
    '--epochs',
    '2',
    '--data',
    data,
  ];

  test('maps columns by their names', async () => {
    await first;
    const { code } = await adal([...resume('csv:permuted.csv'), '--out', 'mapped'], cwd);
    expect(code).toBe(0);
    expect((await adal([...resume('csv:first.csv'), '--out', 'unmapped'], cwd)).code).toBe(0);
    const [mapped, unmapped] = ['mapped', 'unmapped'].map((name) => readRun(join(cwd, name)));
    expect(mapped.parameterHash).toBe(unmapped.parameterHash);
    expect(mapped.data.columns).toEqual(['x', 'y']);
  });

  test('refuses columns and classes that are called otherwise', async () => {
    await first;
    await expectRefusal(
      resume('csv:renamed.csv'),
      cwd,
      1,
      'renamed.csv, line 1: expected a column "y", got "x, w, kind"',
    );
    await expectRefusal(
      resume('csv:others.csv'),
      cwd,
      1,
      'others.csv, line 2, column 3 ("kind"): expected one of the classes',
    );
  });

  test('refuses a text of other characters, however alike they are arranged', async () => {
    writeFileSync(join(cwd, 'a.txt'), 'abcabcaacb'.repeat(20));
    writeFileSync(join(cwd, 'b.txt'), 'bcdbcdbbdc'.repeat(20));
    expect(
      (await adal(['train', '--data', 'text:a.txt', '--epochs', '1', '--out', 'text'], cwd)).code,
    ).toBe(0);
    const args = ['train', '--resume', 'text', '--epochs', '2', '--data', 'text:b.txt'];
    const message =
      'text:b.txt: expected the classes of the checkpoint, "a" at position 1, got "b"';
    await expectRefusal(args, cwd, 1, message);
  });
});

describe('names that would steer a terminal', () => {
  test('are written out wherever they are shown', async () => {
    const name = 'evil\u001b[31m\u202e.csv';
    put(name, 'x,"k\u001b]0;title\u0007\n"', (i) => `${i},"a\u009b31m${i % 2}\nb"`);
    const { code, stdout, stderr } = await adal(
      [
        'train',
        '--data',
        `csv:${name}`,
        '--target',
        '-1',
        '--epochs',
        '1',
        '--out',
        'evil\u001b[2J',
      ],
      cwd,
    );
    expect(code).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout).toContain('evil\\u{1b}[31m\\u{202e}');
    const missing = await adal(['train', '--data', 'csv:no\n\u001b[31mfile', '--target', '0'], cwd);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      'adal: no\\u{a}\\u{1b}[31mfile: no such file or folder\n',
    ]);
    const unknown = await adal(['train', '--bo\n\u001bgus'], cwd);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      "adal: unknown option '--bo\\u{a}\\u{1b}gus'\n",
    ]);
  });
});
