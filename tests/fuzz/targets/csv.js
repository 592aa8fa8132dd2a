/**
 * CSV texts: tables with damage of every kind, under every kind of options; what is read must be
 * consistent.
 */
import { parseCsv, standardize, trainTestSplit } from '../../../dist/node/data.js';
import { Random } from '../prng.js';

export const runs = 200_000;

/** Which of them a text is read with depends on its length. */
const OPTIONS = [
  { target: -1 },
  { target: 0 },
  { target: 'kind' },
  { target: -1, header: false },
  { target: -1, header: true },
  { target: -1, task: 'regression' },
  { target: -1, header: false, task: 'regression' },
  { target: 'kind', columns: ['b', 'a'], classNames: ['x', 'y', '1'] },
  { target: 1, header: false, columns: ['a', 'b'] },
  { target: -1, delimiter: ';' },
];

const CELLS = [
  '0',
  '1',
  '2',
  '-3.5',
  '.25',
  '1e5',
  '1700000000',
  '1700000001',
  '16777217',
  '1e-50',
  '1e38',
  '1e39',
  '1e999',
  '0x10',
  'nan',
  '-inf',
  '?',
  'NA',
  'x',
  'y',
  'kind',
  'a',
  ' 7 ',
  '"q"',
  '"a""b"',
  '"1,2"',
  '"\r\n"',
];
const KINDS = [
  CELLS.slice(0, 6),
  CELLS.slice(0, 6),
  CELLS.slice(0, 9),
  CELLS.slice(0, 11),
  ['x', 'y', '1'],
  CELLS,
];
const HEADERS = [
  'a,b,kind',
  'a,b,kind',
  'b,a,kind',
  'kind,a,b',
  '0,1,2',
  '2019,2020,2021',
  'label,1,2',
  'a,a,kind',
  ',0,1',
];
const DAMAGE = [
  '"',
  '""',
  ',',
  ';',
  '\n',
  '\r',
  '\r\n',
  '\ufeff',
  '\0',
  '\ud800',
  '٣',
  '\u2028',
  'e',
  '.',
  '-',
  ' ',
  '__proto__',
];

export function create(prng) {
  const random = new Random(prng);
  const delimiter = random.below(8) === 0 ? ';' : ',';
  const width = random.below(4) === 0 ? 1 + random.below(5) : 3;
  const lineEnd = random.pick(['\n', '\n', '\r\n', '\r']);
  const lines = random.below(2) === 0 ? [random.pick(HEADERS).replaceAll(',', delimiter)] : [];
  // Columns of one kind of cell more often than not: most texts get beyond their first line.
  const kinds = Array.from({ length: width }, () => random.pick(KINDS));
  const count = random.below(16);
  for (let i = 0; i < count; i++)
    lines.push(kinds.map((cells) => random.pick(cells)).join(delimiter));
  let text = lines.join(lineEnd) + (random.below(3) === 0 ? '' : lineEnd);
  for (let damage = random.below(5) - 2; damage > 0; damage--) {
    const at = random.below(text.length + 1);
    const end = random.below(3) === 0 ? Math.min(text.length, at + random.below(20)) : at;
    const put =
      random.below(6) === 0
        ? random.pick(DAMAGE).repeat(1 + random.below(2000))
        : random.pick([...DAMAGE, ...CELLS, '']);
    text = text.slice(0, at) + put + text.slice(end);
  }
  return text;
}

export function attempt(text) {
  const dataset = parseCsv(text, OPTIONS[text.length % OPTIONS.length]);
  check(dataset);
  if (dataset.count < 4) return;
  const parts = trainTestSplit(dataset, { seed: 1 });
  check(parts.train);
  const { train, test } = standardize(parts.train, parts.test);
  check(train);
  check(test);
}

function check({
  features,
  labels,
  targets,
  count,
  featureCount,
  classCount,
  classNames,
  columns,
}) {
  const right =
    count > 0 &&
    featureCount > 0 &&
    features.length === count * featureCount &&
    features.every(Number.isFinite) &&
    (columns === undefined || columns.length === featureCount) &&
    (targets === undefined
      ? labels.length === count &&
        classNames.length === classCount &&
        labels.every((label) => label >= 0 && label < classCount)
      : targets.length === count && targets.every(Number.isFinite));
  if (!right) throw new Error('an inconsistent dataset was returned');
}

/** @returns {[string, string][]} */
export function large(size) {
  const rows = (head, row, options = 3) => {
    const parts = [head];
    let length = head.length;
    for (let i = 0; length < size; i++) {
      const line = row(i);
      parts.push(line);
      length += line.length;
    }
    return withOptions(parts.join(''), options);
  };
  const fill = (piece) => piece.repeat(Math.ceil(size / piece.length));
  return [
    ['digits and a letter', withOptions(`${fill('1')}x,1\n`, 3)],
    ['a number of many digits', withOptions(`${fill('1')}e-${size},1\n`, 3)],
    ['one row', withOptions(fill('1,'), 3)],
    ['rows of 100,000 fields', rows('', () => `${'1,'.repeat(99_999)}1\n`)],
    ['rows of 100,000 decimals', rows('', () => `${'.1,'.repeat(99_999)}1\n`)],
    ['short rows', rows('', (i) => `${i % 7},${i % 3}\n`)],
    ['short rows of an undecided header', rows('9,9\n', (i) => `${i % 7},${i % 3}\n`, 0)],
    ['times', rows('time,kind\n', (i) => `${1_700_000_000 + i},${i % 3}\n`, 0)],
    ['short decimals', rows('', (i) => `.${i % 10},.${i % 9},.${i % 8},1\n`)],
    ['a class an example', rows('a,kind\n', (i) => `1,k${i.toString(36)}\n`, 2)],
    ['long labels', rows('', (i) => `1,${'k'.repeat(1000)}${i}\n`)],
    ['a value to learn an example', rows('a,y\n', (i) => `${i % 10},${i}\n`, 5)],
    ['a label of quotes', withOptions(`1,"${fill('""')}"\n`, 3)],
    ['a label of lines', withOptions(`1,"k${fill('\n')}k"\n`, 3)],
    ['a label of spaces', withOptions(`1,k${fill(' ')}k\n`, 3)],
    ['quoted fields', rows('', (i) => `"${i % 7}","k""${i % 3}"\n`)],
    ['empty lines', withOptions(fill('\r\n'), 3)],
    ['a quote that is never closed', withOptions(`1,"${fill('a,\n')}`, 3)],
    ['a header alone', withOptions(`${fill('a,')}b`, 4)],
    ['columns to find', withOptions(`${names(size)},a,b,kind\n${'1,'.repeat(NAMES + 2)}x\n`, 7)],
  ];
}

const NAMES = 100_000;

/** Names of columns, longer for a larger size. */
function names(size) {
  return Array.from({ length: NAMES }, (_, i) =>
    `${i}`.padStart(Math.floor(size / NAMES), 'c'),
  ).join(',');
}

/** The text with as many empty lines at its end as it takes to be read with these options. */
function withOptions(text, index) {
  return (
    text + '\n'.repeat((OPTIONS.length + index - (text.length % OPTIONS.length)) % OPTIONS.length)
  );
}
