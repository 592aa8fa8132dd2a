/**
 * Sorts tables by the buttons in their headings: the first click gives the usual order of the
 * column, the second the reverse.
 */

const collator = new Intl.Collator('en', { numeric: true });

function keyOf(row: HTMLTableRowElement, column: number): string {
  return row.cells[column]?.dataset.sort ?? '';
}

/** Numbers before text; what is missing goes last in either direction. */
function compare(a: string, b: string, direction: number): number {
  if (a === '' || b === '') return Number(a === '') - Number(b === '');
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return direction * (x - y);
  return direction * collator.compare(a, b);
}

function sortBy(table: HTMLTableElement, heading: HTMLTableCellElement): void {
  const descending = heading.getAttribute('aria-sort') === 'ascending';
  for (const each of table.tHead!.rows[0]!.cells) each.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  const body = table.tBodies[0]!;
  const rows = [...body.rows];
  rows.sort((a, b) =>
    compare(keyOf(a, heading.cellIndex), keyOf(b, heading.cellIndex), descending ? -1 : 1),
  );
  body.append(...rows);
}

export function enableSorting(): void {
  for (const table of document.querySelectorAll<HTMLTableElement>('table.sortable')) {
    for (const heading of table.tHead!.rows[0]!.cells) {
      heading.querySelector('button')?.addEventListener('click', () => sortBy(table, heading));
    }
  }
}
