/**
 * Compares our figures with published ones and with earlier measurements, to test the suite itself.
 */
import type { Reference, Run, Workload } from '../../schema/result';
import { formatSpread, NONE } from '../format';
import { groupBy, keyOfNames } from '../group';
import type { Section } from '../section';
import { primaries, type Study } from '../study';
import type { Cell } from '../table';

/** Learning rates are written with few digits: this near is the same. */
const SAME_RATE = 0.01;

/**
 * Values of this run of the suite that a reference may be held against, and what both are figures
 * of.
 */
interface Anchor {
  what: string;
  values: number[];
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** What references are held against, taken apart once. */
interface Sources {
  study: Study;
  /** Runs with a constant rate, by workload and optimizer. */
  constant: ReadonlyMap<string, readonly Run[]>;
  /** Runs that recorded figures before their first step, by workload. */
  recorded: ReadonlyMap<string, readonly Run[]>;
}

function sourcesOf(study: Study): Sources {
  const { runs } = study.result.training;
  const constant = runs.filter(
    ({ status, schedule }) => status === 'ok' && schedule === 'constant',
  );
  const recorded = runs.filter(({ curve }) => curve?.steps[0] === 0);
  return {
    study,
    constant: groupBy(constant, ({ workload, optimizer }) => keyOfNames(workload, optimizer)),
    recorded: groupBy(recorded, ({ workload }) => workload),
  };
}

/**
 * Final runs made as the reference was: the same optimizer, and the learning rate that it names.
 */
function runsLike(
  { constant }: Sources,
  workload: Workload,
  { optimizer, options }: Reference,
): number[] {
  const rate = options.lr;
  if (!isNumber(rate)) return [];
  const runs = constant.get(keyOfNames(workload.id, optimizer!)) ?? [];
  return primaries(
    runs.filter((run) => Math.abs(run.lr / rate - 1) <= SAME_RATE),
    workload,
  );
}

/** The primary figure before the first step, of every final run that recorded it. */
function atStart({ recorded }: Sources, { id, metric: { field } }: Workload): number[] {
  return (recorded.get(id) ?? []).flatMap(({ curve }) => {
    const value = field === 'testLoss' || field === 'testMetric' ? null : curve![field]?.[0];
    return isNumber(value) ? [value] : [];
  });
}

/**
 * Milliseconds of a whole fit, by runtime in the order of the result: the first that measured it.
 */
function fitTimes(study: Study, { id }: Workload): number[] {
  const row = study.result.micro.find(
    ({ benchmark, status, samples }) =>
      benchmark === `fit-${id}` && status === 'ok' && samples.length > 0,
  );
  return row ? row.samples.map((nanoseconds) => nanoseconds / 1e6) : [];
}

/**
 * References name an optimizer, or `fitMs` for the time of a whole fit, or neither for the figure
 * at the start.
 */
function anchorOf(sources: Sources, workload: Workload, reference: Reference): Anchor {
  const { name } = workload.metric;
  if (reference.optimizer !== null)
    return { what: name, values: runsLike(sources, workload, reference) };
  if (isNumber(reference.options.fitMs))
    return { what: 'a whole fit, ms', values: fitTimes(sources.study, workload) };
  return { what: `${name} at the start`, values: atStart(sources, workload) };
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
  return {
    text: `${apart.toFixed(1)} of its deviations`,
    sort: apart,
    tone: apart <= 2 ? undefined : 'worse',
  };
}

function anchorRow(sources: Sources, workload: Workload, reference: Reference): Cell[] {
  const { what, values } = anchorOf(sources, workload, reference);
  const { optimizer, options, value, spread, seeds, kind, source } = reference;
  const head: Cell[] = [
    { text: `${workload.id} ${what}`, heading: true },
    {
      text: optimizer === null ? NONE : sources.study.label(optimizer),
      note: isNumber(options.lr) ? `lr ${options.lr}` : '',
    },
    {
      text: formatSpread(value, spread),
      note: seeds === null ? kind : `${kind}, ${seeds} seeds`,
      sort: value,
    },
  ];
  const last: Cell = { text: source };
  if (values.length === 0)
    return [
      ...head,
      { text: 'not run so', sort: null, tone: 'absent' },
      { text: NONE, sort: null },
      last,
    ];
  const { mean, deviation } = momentsOf(values);
  const finite = Number.isFinite(mean);
  const ours: Cell = {
    text: finite ? formatSpread(mean, deviation) : 'diverged',
    note: `${values.length} values`,
    sort: finite ? mean : null,
  };
  return [...head, ours, verdictCell(mean, reference), last];
}

export function anchorSection(study: Study): Section | null {
  const sources = sourcesOf(study);
  const rows = study.allWorkloads.flatMap((workload) =>
    workload.references.map((reference) => anchorRow(sources, workload, reference)),
  );
  if (rows.length === 0) return null;
  return {
    id: 'anchors',
    title: 'Anchors: ours beside known figures',
    parts: [
      'Mean ± standard deviation over seeds, because that is what was published. Only runs ' +
        'with a constant rate equal to the reference’s are set beside it. Beyond two of its ' +
        'deviations a row is marked.',
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
