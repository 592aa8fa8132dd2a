/** Tables for terminals and logs: no colours, no lines between rows. */
import Table from 'cli-table3';

const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** @param columns {name: 'left' | 'right'} */
export function createTable(columns) {
  const style = { head: [], border: [], compact: true };
  return new Table({ head: Object.keys(columns), colAligns: Object.values(columns), style, chars });
}
