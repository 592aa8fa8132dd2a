/** Tables as Markdown. Cells are written as they are: text from files is escaped before. */
import type { Alignment } from './text-table';

/**
 * Formats rows as a Markdown table.
 * @param columns heading and alignment of each column
 */
export function markdownTable(
  columns: readonly (readonly [heading: string, alignment: Alignment])[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = line(columns.map(([heading]) => heading));
  const rule = line(columns.map(([, alignment]) => (alignment === 'right' ? '---:' : '---')));
  return [head, rule, ...rows.map(line)].join('\n');
}
