/**
 * Results of the benchmark, as `adal report` reads them: bytes damaged, fields of other types,
 * texts that want to be markup or formulas, lists of any length. What is taken is rendered in every
 * form, and must be inert there; what is refused is refused by name.
 */
import { readFileSync } from 'node:fs';
import {
  parseResult,
  readmeTables,
  renderCsv,
  renderMarkdown,
  renderReport,
} from '../../../bench/dist/report.js';

export const runs = 200_000;

const example = JSON.parse(
  readFileSync(new URL('../../../bench/schema/example.json', import.meta.url), 'utf8'),
);

/** The example with a few entries of each list: small, so that there is time for many. */
function shorten({
  environments,
  workloads,
  optimizers,
  schedules,
  comparisons,
  micro,
  training,
  hashes,
  ...rest
}) {
  const [first] = training.runs;
  const cut = (list, count) => list.slice(0, count);
  const curve = ({ curve: each, ...run }) => ({
    ...run,
    curve:
      each &&
      Object.fromEntries(
        Object.entries(each).map(([name, values]) => [name, values && cut(values, 3)]),
      ),
  });
  return {
    ...rest,
    environments: cut(environments, 1),
    workloads: workloads.map((workload) => ({
      ...workload,
      references: cut(workload.references, 1),
    })),
    optimizers,
    schedules,
    comparisons: cut(comparisons, 1),
    micro: cut(micro, 2).map((row) => ({ ...row, samples: cut(row.samples, 3) })),
    training: {
      runs: cut(
        training.runs.filter(
          ({ workload, schedule }) => workload === first.workload && schedule === first.schedule,
        ),
        3,
      ).map(curve),
      searches: cut(training.searches, 1),
      selections: cut(training.selections, 1),
      speed: cut(training.speed, 1),
    },
    hashes: cut(hashes, 1),
    coldStart: cut(rest.coldStart, 1),
    threadScaling: cut(rest.threadScaling, 1),
    streams: cut(rest.streams, 1),
  };
}

const BASE = JSON.stringify(shorten(example));

const SCRIPT = '</script><script>alert(1)</script>';
const TEXTS = [
  '',
  SCRIPT,
  `" onload="alert(1)`,
  `-2+3+cmd|' /C calc'!A0`,
  '=1+1',
  '\u001b[2J\u0007\u009b31m',
  'a\nb\r\nc\u2028d',
  '| a | b |',
  '```\n# x',
  '[a](javascript:alert(1))',
  '\ud800',
  '__proto__',
  'constructor',
  'W1',
  'adal',
  'x'.repeat(3000),
];
const NUMBERS = [
  0,
  -0,
  -1,
  1,
  0.5,
  1e-300,
  5e-324,
  1.7976931348623157e308,
  -1.7976931348623157e308,
  2 ** 31,
  2 ** 53,
  1e21,
  1e-7,
];
const OTHERS = [null, true, false, [], {}, [[]], [null], { a: 1 }];

const pick = (prng, list) => list[prng() % list.length];

/** All places of a value, each as the object or list that it is in and its key there. */
function placesOf(value, found = []) {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    placesOf(value[key], found);
  }
  return found;
}

/** Another value, mostly of the same type, so that what lies behind the schema is reached. */
function otherThan(value, prng) {
  if (prng() % 8 === 0) return pick(prng, [...OTHERS, ...TEXTS, ...NUMBERS]);
  if (typeof value === 'string') return pick(prng, TEXTS);
  if (typeof value === 'number') return prng() % 2 ? pick(prng, NUMBERS) : value * (prng() % 1000);
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return changeList(value, prng);
  return null;
}

function changeList(list, prng) {
  const kind = prng() % 4;
  if (kind === 0) return [];
  if (kind === 1) return list.slice(prng() % (list.length + 1));
  if (kind === 2) return [...list, ...list];
  const most = prng() % 32 === 0 ? 1200 : 12;
  return Array.from(
    { length: prng() % most },
    (_, i) => list[i % Math.max(1, list.length)] ?? null,
  );
}

function changeValue(value, prng) {
  const [owner, key] = pick(prng, placesOf(value));
  if (prng() % 12 === 0 && !Array.isArray(owner)) delete owner[key];
  else owner[key] = otherThan(owner[key], prng);
}

/** Damaged text: it is cut, doubled, nested, or has other characters. */
function changeText(text, prng) {
  const at = prng() % (text.length + 1);
  const end = at + (prng() % 50);
  const kind = prng() % 6;
  if (kind === 0) return text.slice(0, at);
  if (kind === 1) return text.slice(0, at) + text.slice(end);
  if (kind === 2) return text.slice(0, end) + text.slice(at);
  if (kind === 3) return text.slice(0, at) + '['.repeat(prng() % 100_000) + text.slice(at);
  if (kind === 4)
    return text.slice(0, at) + JSON.stringify(pick(prng, [...TEXTS, ...NUMBERS])) + text.slice(end);
  return text.slice(0, at) + String.fromCharCode(prng() % 0x10000) + text.slice(at + 1);
}

export function create(prng) {
  if (prng() % 3 === 0) {
    let text = BASE;
    for (let count = 1 + (prng() % 3); count > 0; count--) text = changeText(text, prng);
    return text;
  }
  const value = JSON.parse(BASE);
  for (let count = 1 + (prng() % 3); count > 0; count--) changeValue(value, prng);
  return JSON.stringify(value);
}

/**
 * What must not be in any form: codes that steer a terminal. The cells of a CSV end in CR and LF.
 */
function checkText(form, text) {
  const [code] = /[^\P{C}\n]/u.exec(text) ?? [];
  if (code) throw new Error(`${form} has the character ${code.codePointAt(0).toString(16)}`);
}

/** Fields of a CSV of RFC 4180. */
function* fieldsOf(csv) {
  for (const [, quoted, plain] of csv.matchAll(/(?:^|,|\r\n)(?:"((?:[^"]|"")*)"|([^,\r"]*))/g))
    yield quoted ?? plain ?? '';
}

const NUMBER = /^[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?(e[+-]?\d+)?$/i;

function checkCsv(csv) {
  for (const field of fieldsOf(csv)) {
    if (/^[=+\-@\t\r]/.test(field) && !NUMBER.test(field))
      throw new Error(`CSV has the cell ${JSON.stringify(field)}`);
  }
}

/**
 * Inputs of more characters than this are shown as a page alone, as `adal report` does by default.
 */
const ALL_FORMS = 100_000;

/**
 * A result that was taken but cannot be shown is refused as a result, by its sizes; any other error
 * is a fault.
 */
function render(result, length) {
  const page = renderReport(result);
  if (page.includes(SCRIPT)) throw new Error('the page has markup of the result');
  // Between its own style and its own script.
  const body = page.slice(page.indexOf('</style>'), page.lastIndexOf('<script>'));
  if (body.split('<script').length > 3) throw new Error('the page has a script of the result');
  checkText('the page', body);
  if (length > ALL_FORMS) return;
  checkText('Markdown', renderMarkdown(result));
  const csv = renderCsv(result);
  checkText('CSV', csv.replaceAll('\r\n', ''));
  checkCsv(csv);
  for (const table of readmeTables(result).values()) checkText('the README', table);
}

export function attempt(input) {
  const result = parseResult(input, 'fuzz.json');
  try {
    render(result, input.length);
  } catch (error) {
    if (error.code === 'RESULT') throw error;
    throw new Error(`a result that was taken cannot be shown: ${error.stack}`);
  }
}

/** Lists of about `size` bytes, each of the kind that a real study has most of. */
export function large(size) {
  const base = shorten(example);
  const repeat = (entry, make) =>
    Array.from({ length: Math.max(1, Math.floor(size / JSON.stringify(entry).length)) }, (_, i) =>
      make(i),
    );
  const [run] = base.training.runs;
  const [micro] = base.micro;
  const [hash] = base.hashes;
  const [stream] = base.streams;
  const [scaling] = base.threadScaling;
  const [selection] = base.training.selections;
  const optimizers = repeat({ ...run }, (i) => ({ ...base.optimizers[0], id: `o${i >> 5}` }));
  const distinct = [...new Map(optimizers.map((each) => [each.id, each])).values()];
  const text = (changes) => JSON.stringify({ ...base, ...changes });
  const training = (changes) => ({ training: { ...base.training, ...changes } });
  return [
    [
      'runs',
      text({
        optimizers: [...base.optimizers, ...distinct],
        ...training({ runs: repeat(run, (i) => ({ ...run, optimizer: `o${i >> 5}`, seed: i })) }),
      }),
    ],
    [
      'timings',
      text({
        micro: repeat(micro, (i) => ({
          ...micro,
          n: 1 + (i % 8),
          implementation: `engine ${i >> 3}`,
        })),
      }),
    ],
    ['hashes', text({ hashes: repeat(hash, (i) => ({ ...hash, steps: 1 + (i >> 2) })) })],
    [
      'streams',
      text({ streams: repeat(stream, (i) => ({ ...stream, id: `s${i >> 2}`, seed: i })) }),
    ],
    [
      'threads',
      text({
        threadScaling: repeat(scaling, (i) => ({
          ...scaling,
          n: 1 + (i >> 2),
          threads: 1 + (i % 4),
        })),
      }),
    ],
    [
      'selections',
      text(
        training({
          selections: repeat(selection, (i) => ({ ...selection, lr: 0.1, extended: i })),
        }),
      ),
    ],
    ['commands', text({ commands: repeat('adal bench 1', (i) => `adal bench ${i}`) })],
    ['a name', text({ package: { ...base.package, name: '`|<&_*~'.repeat(size / 7) } })],
  ];
}
