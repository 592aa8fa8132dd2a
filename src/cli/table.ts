/**
 * Tables as plain text, at most 80 columns wide if the contents allow it.
 *
 * Invariant: time and memory are linear in the length of the text.
 */

const COLUMNS = 80;
const GAP = 2;

export type Alignment = 'left' | 'right';
type Row = readonly string[];

/** Formats names and values as two columns. Values may have several lines. */
export function pairs(rows: readonly (readonly [string, string])[]): string {
  return render(rows, []).join('\n');
}

/** Formats pairs, breaking values at commas and spaces to keep lines within 80 columns. */
export function foldedPairs(rows: readonly (readonly [string, string])[]): string {
  const names = rows.reduce((widest, [name]) => Math.max(widest, displayWidth(name)), 0);
  // Values keep some room even beside long names.
  const width = Math.max(COLUMNS - GAP - names, COLUMNS / 4);
  return pairs(rows.map(([name, value]) => [name, fold(value, width)]));
}

/**
 * Formats a table with a line below its head.
 *
 * @param alignments alignments of the columns
 * @default alignments left
 */
export function table(
  head: Row,
  rows: readonly Row[],
  alignments: readonly Alignment[] = [],
): string {
  const [title, ...lines] = render([head, ...rows], alignments);
  const widths = columnWidths([head, ...rows]);
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)));
  return [title, rule, ...lines].join('\n');
}

/**
 * Returns the width of a text in columns of a terminal: two for wide characters (CJK, most emoji),
 * none for combining marks.
 */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (COMBINING.test(character)) continue;
    width += isWide(character.codePointAt(0)!) ? 2 : 1;
  }
  return width;
}

const COMBINING = /\p{M}/u;
/**
 * Ranges of code points that terminals show in two columns (Unicode's East Asian Width W and F,
 * rounded to blocks).
 */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function isWide(codePoint: number): boolean {
  return WIDE.some(([first, last]) => codePoint >= first && codePoint <= last);
}

/** Returns the lines of a table; a cell with several lines makes its row taller. */
function render(rows: readonly Row[], alignments: readonly Alignment[]): string[] {
  const widths = columnWidths(rows);
  const lines: string[] = [];
  for (const row of rows) {
    const cells = row.map((cell) => cell.split('\n'));
    const height = cells.reduce((tallest, { length }) => Math.max(tallest, length), 1);
    for (let line = 0; line < height; line++) {
      const parts = widths.map((width, column) =>
        pad(cells[column]?.[line] ?? '', width, alignments[column]),
      );
      lines.push(parts.join(' '.repeat(GAP)).trimEnd());
    }
  }
  return lines;
}

function columnWidths(rows: readonly Row[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      for (const line of cell.split('\n'))
        widths[column] = Math.max(widths[column] ?? 0, displayWidth(line));
    }
  }
  return widths;
}

function pad(text: string, width: number, alignment: Alignment = 'left'): string {
  const space = ' '.repeat(width - displayWidth(text));
  return alignment === 'right' ? space + text : text + space;
}

/** Breaks a text at commas and spaces into lines of `width` columns; longer words stay whole. */
function fold(text: string, width: number): string {
  const lines: string[] = [];
  let line: string[] = [];
  let used = 0;
  for (const part of text.split(/(?<=[ ,])(?! )/)) {
    if (used > 0 && used + displayWidth(part.trimEnd()) > width) {
      lines.push(line.join('').trimEnd());
      line = [];
      used = 0;
    }
    line.push(part);
    used += displayWidth(part);
  }
  lines.push(line.join('').trimEnd());
  return lines.join('\n');
}
