/** The README's tables of the suite, made from a committed result. */
import type { Result } from '../schema/result';
import { codeSpan } from '../toolkit/markdown';
import { comparisonOverview } from './sections/comparisons';
import { matrixTable } from './sections/matrix';
import { headlineTable } from './sections/speed';
import { Study } from './study';
import { type Table, tableMarkdown } from './table';

/** Returns the tables by the name of their section. Those without figures are left out. */
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
