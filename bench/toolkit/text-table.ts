/** Tables for terminals and logs: no colours, no lines between rows. */
import Table from 'cli-table3';

export type Alignment = 'left' | 'right';

const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/**
 * Formats rows as a table of text.
 * @param columns alignment of each column, by heading
 */
export function textTable(
  columns: Readonly<Record<string, Alignment>>,
  rows: readonly (readonly (string | number)[])[],
): string {
  const table = new Table({
    head: Object.keys(columns),
    colAligns: Object.values(columns),
    style: { head: [], border: [], compact: true },
    chars,
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
