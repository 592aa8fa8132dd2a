/**
 * Shows whether every runtime computed the same: hashes of trained parameters, and the checks
 * before timing.
 */
import type { HashEntry, Micro } from '../../schema/result';
import { formatNumber, NONE } from '../format';
import { firstBy, groupBy, keyOfNames } from '../group';
import type { Part, Section } from '../section';
import type { Study } from '../study';
import { type Cell, checkCells, type Table } from '../table';

const jobOf = ({ workload, optimizer, steps }: HashEntry): string =>
  keyOfNames(workload, optimizer, steps);

/** How many jobs have one hash on all runtimes that ran them, and how many have several. */
export function hashCounts(hashes: readonly HashEntry[]): { equal: number; different: number } {
  const seen = new Map<string, Set<string>>();
  for (const entry of hashes) {
    if (entry.hash === null) continue;
    const job = jobOf(entry);
    seen.set(job, (seen.get(job) ?? new Set()).add(entry.hash));
  }
  const different = [...seen.values()].filter((set) => set.size > 1).length;
  return { equal: seen.size - different, different };
}

function hashTable(study: Study): Table {
  const { hashes, environments } = study.result;
  const jobs = [...groupBy(hashes, jobOf).values()];
  checkCells('the hashes', jobs.length * environments.length, hashes.length);
  return {
    id: 'hashes',
    folded: true,
    caption: 'Hash of the parameters after the same steps',
    columns: [
      { label: 'workload' },
      { label: 'optimizer' },
      { label: 'equal' },
      ...environments.map(({ id }) => ({ label: id })),
    ],
    rows: jobs.map((entries) => {
      const byEnvironment = firstBy(entries, ({ environment }) => environment);
      const distinct = new Set(entries.map(({ hash }) => hash).filter((hash) => hash !== null));
      const { workload, optimizer, steps } = entries[0]!;
      const cells = environments.map(({ id }): Cell => {
        const entry = byEnvironment.get(id);
        if (!entry) return { text: NONE, sort: null, tone: 'absent' };
        return entry.hash === null
          ? { text: entry.status, note: entry.reason ?? '', tone: 'absent' }
          : { text: entry.hash.slice(0, 16) };
      });
      const verdict: Cell =
        distinct.size > 1
          ? { text: 'DIFFERENT', tone: 'worse' }
          : { text: distinct.size === 1 ? 'equal' : NONE };
      return [
        { text: `${workload}, ${steps} steps`, heading: true },
        { text: study.label(optimizer) },
        verdict,
        ...cells,
      ];
    }),
  };
}

function checkTable(checked: readonly Micro[]): Table {
  return {
    id: 'checks',
    folded: true,
    caption: 'Before timing: some steps against the oracle',
    columns: [
      { label: 'runtime' },
      { label: 'benchmark, n' },
      { label: 'implementation' },
      { label: 'bit for bit' },
      { label: 'largest relative error', align: 'right' },
      { label: 'ULP', align: 'right' },
      { label: 'passed' },
    ],
    rows: checked.map(({ environment, benchmark, n, implementation, check }) => [
      { text: environment, heading: true },
      { text: `${benchmark}, ${formatNumber(n, 0)}` },
      { text: implementation },
      { text: check!.bitwise ? 'yes' : 'no' },
      { text: formatNumber(check!.maxRelativeError), sort: check!.maxRelativeError },
      { text: formatNumber(check!.maxUlp), sort: check!.maxUlp },
      check!.passed ? { text: 'yes' } : { text: 'NO', tone: 'worse' },
    ]),
  };
}

/** What the hashes say, in a sentence; that there are none is said too. */
function verdictOf(hashes: readonly HashEntry[]): string {
  const { equal, different } = hashCounts(hashes);
  const total = equal + different;
  if (total === 0)
    return (
      'Not measured: whether trainings give the same parameters on every runtime (adal ' +
      'bench ' +
      '--only hashes).'
    );
  const runtimes = new Set(
    hashes.filter(({ hash }) => hash !== null).map(({ environment }) => environment),
  ).size;
  if (runtimes === 1)
    return `${total} trainings were hashed on one runtime alone: nothing to compare with.`;
  if (different === 0)
    return (
      `All ${total} trainings gave the same parameters, bit for bit, on every runtime that ` +
      `ran them.`
    );
  return (
    `${different} of ${total} trainings gave DIFFERENT parameters on different runtimes. ` +
    `The ` +
    `figures of this report must not be trusted until that is explained.`
  );
}

export function correctnessSection(study: Study): Section | null {
  const { hashes, micro, training } = study.result;
  if (hashes.length + micro.length + training.runs.length === 0) return null;
  const checked = micro.filter(({ check }) => check !== null);
  const parts: Part[] = [verdictOf(hashes)];
  if (hashes.length > 0) parts.push(hashTable(study));
  if (checked.length > 0) {
    parts.push(
      'Peers compute in other orders and with other roundings, so for them the largest error ' +
        'counts, with the same eps passed to each.',
      checkTable(checked),
    );
  }
  return { id: 'correctness', title: 'Same numbers everywhere', parts };
}
