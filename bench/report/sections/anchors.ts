/** Ours beside figures that others have published, or that were measured before: is the suite itself to be believed? */
import type { Reference, Run, Workload } from '../../schema/result';
import { formatSpread, NONE } from '../format';
import type { Section } from '../section';
import { primaryOf, type Study } from '../study';
import type { Cell } from '../table';

/** Learning rates are written with few digits: this near is the same. */
const SAME_RATE = 0.01;

/** Final runs made as the reference was: the same optimizer and, where it names one, learning rate. */
function matching(study: Study, workload: Workload, reference: Reference): Run[] {
  const rate = reference.options.lr;
  const runs = study.result.training.runs.filter(
    (run) =>
      run.workload === workload.id &&
      run.phase === 'final' &&
      run.status === 'ok' &&
      run.schedule === 'constant' &&
      run.optimizer === reference.optimizer,
  );
  return typeof rate === 'number' ? runs.filter(({ lr }) => Math.abs(lr / rate - 1) <= SAME_RATE) : [];
}

/** Mean and standard deviation, because that is what was published. */
function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

/** Standard deviations apart, of the reference; null where it gives none. */
function verdictCell(mean: number, reference: Reference): Cell {
  if (!Number.isFinite(mean)) return { text: 'diverged', sort: null, tone: 'worse' };
  if (reference.spread === null || reference.spread === 0) return { text: NONE, sort: null };
  const apart = Math.abs(mean - reference.value) / reference.spread;
  return { text: `${apart.toFixed(1)} of its deviations`, sort: apart, tone: apart <= 2 ? undefined : 'worse' };
}

function anchorRow(study: Study, workload: Workload, reference: Reference): Cell[] {
  const values = matching(study, workload, reference)
    .map((run) => primaryOf(run, workload))
    .filter((value) => value !== null);
  const rate = reference.options.lr;
  const head: Cell[] = [
    { text: `${workload.id} ${workload.metric.name}`, heading: true },
    {
      text: reference.optimizer === null ? 'as such' : study.label(reference.optimizer),
      note: typeof rate === 'number' ? `lr ${rate}` : '',
    },
    {
      text: formatSpread(reference.value, reference.spread),
      note: `${reference.kind}, ${reference.seeds ?? 'unknown'} seeds`,
      sort: reference.value,
    },
  ];
  const source: Cell = { text: reference.source };
  if (values.length === 0)
    return [...head, { text: 'not run so', sort: null, tone: 'absent' }, { text: NONE, sort: null }, source];
  const { mean, deviation } = momentsOf(values);
  const ours: Cell = {
    text: Number.isFinite(mean) ? formatSpread(mean, deviation) : 'diverged',
    note: `${values.length} seeds`,
    sort: Number.isFinite(mean) ? mean : null,
  };
  return [...head, ours, verdictCell(mean, reference), source];
}

export function anchorSection(study: Study): Section | null {
  const rows = study.result.workloads.flatMap((workload) =>
    workload.references.map((reference) => anchorRow(study, workload, reference)),
  );
  if (rows.length === 0) return null;
  return {
    id: 'anchors',
    title: 'Anchors: ours beside known figures',
    parts: [
      'Mean ± standard deviation over seeds, because that is what was published. Only runs with a constant rate equal to the reference’s are set beside it. Beyond two of its deviations a row is marked.',
      {
        id: 'anchors-table',
        caption: 'Known figures, and ours under the same conditions',
        columns: [
          { label: 'workload' },
          { label: 'optimizer' },
          { label: 'known', align: 'right' },
          { label: 'ours', align: 'right' },
          { label: 'apart', align: 'right' },
          { label: 'source' },
        ],
        rows,
      },
    ],
  };
}
