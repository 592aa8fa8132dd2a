/** Renders the rows of the matrix as Markdown, and lists their failures. */

const COLUMNS = ['oracle', 1, 2, 4];
const short = (fingerprint) => fingerprint?.slice(0, 12) ?? '';

/** Returns every failure of a row, including fingerprints other than `expected`. */
export function failuresOf(row, expected) {
  const found = row.failures.map(({ name, error }) => `${row.runtime}: ${name}: ${error}`);
  for (const { configuration, failures, fingerprint } of row.cells) {
    const cell = `${row.runtime}, threads ${configuration}`;
    found.push(...failures.map(({ name, error }) => `${cell}: ${name}: ${error}`));
    if (fingerprint !== expected)
      found.push(`${cell}: fingerprint ${fingerprint}, expected ${expected}`);
  }
  return found;
}

export function passedOf(row) {
  return row.passed + row.cells.reduce((sum, { passed }) => sum + passed, 0);
}

function markdown(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function cellText(row, configuration) {
  const cell = row.cells.find((each) => each.configuration === configuration);
  if (!cell) return '–';
  return cell.failures.length === 0
    ? String(cell.passed)
    : `${cell.passed}, ${cell.failures.length} failed`;
}

function mainTable(rows) {
  const header = [
    'runtime',
    ...COLUMNS.map((n) => (n === 'oracle' ? n : `${n} thread${n > 1 ? 's' : ''}`)),
    'other',
    'fingerprint',
  ];
  const body = rows.map((row) => {
    const name =
      row.version && !row.runtime.startsWith(row.version)
        ? `${row.runtime}: ${row.version}`
        : row.runtime;
    if (row.unavailable)
      return [name, ...COLUMNS.map(() => '–'), '–', `not run: ${row.unavailable}`];
    const other = row.failures.length
      ? `${row.passed}, ${row.failures.length} failed`
      : String(row.passed);
    const fingerprints = [
      ...new Set(row.cells.map(({ fingerprint }) => short(fingerprint) || 'none')),
    ];
    return [
      name,
      ...COLUMNS.map((configuration) => cellText(row, configuration)),
      other,
      fingerprints.join(' ≠ '),
    ];
  });
  return markdown(header, body);
}

function frameTable(rows) {
  const measured = rows.filter(({ frames }) => frames);
  if (measured.length === 0) return null;
  const header = [
    'longest frame gap, ms',
    'idle',
    'a worker trains',
    'stepAsync on the main thread',
  ];
  const text = ({ gapMs, steps }) => `${gapMs} (${steps} steps)`;
  return markdown(
    header,
    measured.map(({ runtime, frames }) => [
      runtime,
      String(frames.idle.gapMs),
      text(frames.worker),
      text(frames.main),
    ]),
  );
}

function lifetimeTable(rows) {
  const measured = rows.filter(({ lifetimes }) => lifetimes);
  if (measured.length === 0) return null;
  const mib = (bytes) => (bytes === null ? 'not told' : (bytes / 2 ** 20).toFixed(2));
  return markdown(
    ['MiB after 1,000 and 10,000 lives', 'JavaScript heap', 'linear memory', 'of it allocated'],
    measured.map(({ runtime, lifetimes: l }) => [
      runtime,
      `${mib(l.heapBefore)} → ${mib(l.heapAfter)}`,
      `${mib(l.memoryBefore)} → ${mib(l.memoryAfter)}`,
      `${l.usedBefore} → ${l.usedAfter} bytes`,
    ]),
  );
}

function noteList(rows) {
  const notes = rows.flatMap(({ runtime, notes }) =>
    notes.filter(Boolean).map((note) => `- ${runtime}: ${note}`),
  );
  return notes.length ? notes.join('\n') : null;
}

/** Returns the tests passed in each cell, and the other measurements, as Markdown. */
export function renderTable(rows) {
  return [mainTable(rows), frameTable(rows), lifetimeTable(rows), noteList(rows)]
    .filter(Boolean)
    .join('\n\n');
}
