/** Lists what could not be measured, and why: nothing is skipped silently. */
import type { Outcome } from '../../schema/result';
import type { Section } from '../section';
import type { Study } from '../study';
import type { Cell } from '../table';

export function missingSection({ result }: Study): Section | null {
  const counts = new Map<
    string,
    { what: string; where: string; outcome: Outcome; count: number }
  >();
  const add = (what: string, where: string, outcome: Outcome): void => {
    if (outcome.status === 'ok') return;
    const key = [what, where, outcome.status, outcome.reason].join('\n');
    const entry = counts.get(key);
    if (entry) entry.count++;
    else counts.set(key, { what, where, outcome, count: 1 });
  };
  for (const row of result.micro)
    add(`${row.benchmark}: ${row.implementation}`, row.environment, row);
  for (const workload of result.workloads) add(`workload ${workload.id}`, '', workload);
  for (const run of result.training.runs)
    add(`${run.workload}: ${run.optimizer}`, run.environment, run);
  for (const row of result.training.speed)
    add(`training speed of ${row.workload}`, row.environment, row);
  for (const row of result.hashes) add(`hash of ${row.workload}`, row.environment, row);
  for (const row of result.coldStart) add(`cold start, ${row.backend}`, row.environment, row);
  for (const row of result.threadScaling) add(`${row.threads} threads`, row.environment, row);
  if (counts.size === 0) return null;
  const rows = [...counts.values()].map(({ what, where, outcome, count }): Cell[] => [
    { text: what, heading: true },
    { text: where },
    { text: String(count), sort: count },
    { text: outcome.status, tone: outcome.status === 'failed' ? 'worse' : undefined },
    { text: outcome.reason ?? 'no reason given' },
  ]);
  const columns = [
    { label: 'what' },
    { label: 'runtime' },
    { label: 'rows', align: 'right' as const },
    { label: 'status' },
    { label: 'reason' },
  ];
  return {
    id: 'missing',
    title: 'What is not here',
    parts: [{ id: 'missing-table', caption: 'Not measured, and why', columns, rows }],
  };
}
