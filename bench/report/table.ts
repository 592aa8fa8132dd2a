/**
 * A table as data, and its three forms: sortable HTML, Markdown and CSV. All figures of the report
 * pass through here.
 */

import { ResultError } from '../suite/validate';
import { inMarkdown } from '../toolkit/markdown';
import { markdownTable } from '../toolkit/markdown-table';
import { printable } from '../toolkit/printable';
import { type Html, html } from './html';

/** How a figure compares; shown by a sign as well as by colour. */
export type Tone = 'better' | 'worse' | 'undecided' | 'absent';

export interface Cell {
  text: string;
  /** What sorting compares: numbers, or text; null goes last in either direction. @default text */
  sort?: number | string | null;
  /** A second, smaller line. */
  note?: string;
  tone?: Tone;
  /** The cell names its row. */
  heading?: boolean;
}

export interface Column {
  label: string;
  /** Numbers stand to the right. @default 'left' */
  align?: 'left' | 'right';
}

export interface Table {
  /** Unique in the report: its anchor, and its name in the CSV. */
  id: string;
  caption: string;
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  /** Details that most readers skip: closed in the HTML until opened. */
  folded?: boolean;
}

/** Signs that carry what colour carries, for whoever sees none. */
const SIGNS: Record<Tone, string> = { better: '▲', worse: '▼', undecided: '≈', absent: '' };
const MEANINGS: Record<Tone, string> = {
  better: 'better: ',
  worse: 'worse: ',
  undecided: 'undecided: ',
  absent: '',
};

/** Cells that a table of the report may have besides those that something was measured for. */
const SPARE_CELLS = 1000;
/** What a table may grow by for each entry of the result: most of a table is to be filled. */
const CELLS_PER_ENTRY = 16;

/**
 * Checks the size of a table that has a row for each of one kind and a column for each of another,
 * before it is made.
 * @param entries of the result that fill its cells
 * @throws ResultError when nearly all of its cells would be empty: such a table grows with the
 * square of its result
 */
export function checkCells(what: string, cells: number, entries: number): void {
  const most = SPARE_CELLS + CELLS_PER_ENTRY * entries;
  if (cells > most) {
    throw new ResultError(
      `the table of ${what} would have ${cells} cells for ${entries} entries of the result, ` +
        `which is more than ${most}`,
    );
  }
}

/** A cell of text, or of a formatted number that sorts by its value. */
export function cell(text: string, sort?: number | null): Cell {
  return sort === undefined ? { text } : { text, sort };
}

function cellHtml(each: Cell, column: Column): Html {
  const sort = each.sort === undefined ? each.text : each.sort;
  const sign = each.tone && SIGNS[each.tone];
  const content = html`${
    sign &&
    html`<span class="sign"
    aria-hidden="true">${sign}</span><span class="sr">${MEANINGS[each.tone!]}</span>`
  }${each.text}${each.note && html`<small>${each.note}</small>`}`;
  const classes = [column.align === 'right' && 'number', each.tone].filter(Boolean).join(' ');
  const attributes = html` class="${classes}" data-sort="${sort ?? ''}"`;
  return each.heading
    ? html`<th scope="row"${attributes}>${content}</th>`
    : html`<td${attributes}>${content}</td>`;
}

/**
 * Headings are buttons; without the page's script they do nothing and the order is the report's.
 */
export function tableHtml({ id, caption, columns, rows, folded }: Table): Html {
  const head = columns.map(
    ({ label, align }) =>
      html`<th scope="col" class="${align === 'right' ? 'number' : ''}"><button
        type="button">${label}<span class="arrow" aria-hidden="true"></span></button></th>`,
  );
  const body = rows.map(
    (row) => html`<tr>${row.map((each, i) => cellHtml(each, columns[i]!))}</tr>\n`,
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}-caption">
<table id="${id}" class="sortable" aria-labelledby="${id}-caption">
<thead><tr>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
  if (!folded) return html`<p class="caption" id="${id}-caption">${caption}</p>${table}`;
  const summary = html`<summary id="${id}-caption">${caption} (${rows.length} rows)</summary>`;
  return html`<details>${summary}${table}</details>`;
}

function cellMarkdown({ text, note, tone, heading }: Cell): string {
  const sign = tone && SIGNS[tone] ? `${SIGNS[tone]} ` : '';
  const whole = inMarkdown(`${sign}${text}${note ? ` (${note})` : ''}`);
  return heading ? `**${whole}**` : whole;
}

export function tableMarkdown({ caption, columns, rows }: Table): string {
  const table = markdownTable(
    columns.map(({ label, align = 'left' }) => [inMarkdown(label), align] as const),
    rows.map((row) => row.map(cellMarkdown)),
  );
  return `*${inMarkdown(caption)}*\n\n${table}`;
}

/**
 * What spreadsheets begin a formula with, in their East Asian forms too, and what they skip before
 * one.
 */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
/** A number and nothing else; thousands may be apart. */
const NUMBER = /^[+-]?(?:(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * RFC 4180, with an apostrophe before what a spreadsheet would take for a formula: nothing but a
 * whole number begins with a sign.
 */
function inCsv(text: string): string {
  const formula = FORMULA.test(text) && !NUMBER.test(text);
  const safe = printable(formula ? `'${text}` : text);
  return /[",;\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/**
 * One line a cell: table, row, column, text, value. Tables differ in their columns, so this is the
 * one shape that holds them all; `value` is the number that the text was made of.
 */
export function tableCsv({ id, columns, rows }: Table): string {
  return rows
    .flatMap((row) =>
      row.map(({ text, note, sort }, i) => {
        const value = typeof sort === 'number' ? String(sort) : '';
        return [id, row[0]!.text, columns[i]!.label, note ? `${text} (${note})` : text, value]
          .map(inCsv)
          .join(',');
      }),
    )
    .join('\r\n');
}
