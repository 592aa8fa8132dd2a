/**
 * The README's tables, made from a committed result and put between markers: figures there are
 * never typed by hand.
 */

import type { Result } from '../schema/result';
import { fail } from '../toolkit/arguments';
import { codeSpan } from './markdown';
import { comparisonOverview } from './sections/comparisons';
import { matrixTable } from './sections/matrix';
import { headlineTable } from './sections/speed';
import { Study } from './study';
import { type Table, tableMarkdown } from './table';

/** By marker. What the result has nothing for is left out. */
export function readmeTables(result: Result): Map<string, string> {
  const study = new Study(result);
  const [condition] = study.conditions();
  const tables: [string, Table | null | undefined][] = [
    ['comparisons', comparisonOverview(study)],
    ['matrix', condition && matrixTable(study, condition)],
    ['speed', measured(headlineTable(study))],
  ];
  const made = tables.filter((entry): entry is [string, Table] => Boolean(entry[1]));
  return new Map(
    made.map(([name, table]) => [name, `${tableMarkdown(table)}\n\n${originNote(result)}`]),
  );
}

/** Without the rows that have no figure: the report says why, the README has no room for it. */
function measured(table: Table | null): Table | null {
  const hasFigure = (row: Table['rows'][number]): boolean =>
    row.slice(2).some(({ text }) => /\d/.test(text));
  return table && { ...table, rows: table.rows.filter(hasFigure) };
}

const originNote = ({ date, commands }: Result): string =>
  `<sub>Measured ${date.slice(0, 10)} by ${commands.map(codeSpan).join(', then ')}.</sub>`;

const markersOf = (name: string): [string, string] => [
  `<!-- bench:${name} -->`,
  `<!-- /bench:${name} -->`,
];

/**
 * `text` with each table between its markers, `<!-- bench:name -->` and `<!-- /bench:name -->`.
 * @throws ArgumentError when the text has a marker without its end, or one that no table is for
 */
export function replaceTables(text: string, tables: ReadonlyMap<string, string>): string {
  for (const [, name] of text.matchAll(/<!-- bench:([\w-]+) -->/g)) {
    const [begin, end] = markersOf(name!);
    const table = tables.get(name!);
    if (table === undefined) fail('text', `markers of ${[...tables.keys()].join(', ')}`, begin);
    const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
    if (to < from) fail('text', `${end} after ${begin}`, begin);
    text = `${text.slice(0, from)}\n${table}\n${text.slice(to)}`;
  }
  return text;
}
