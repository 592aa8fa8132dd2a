/**
 * The cost of a learning rate beside the best one: the scores of the search over its grid, and the
 * width of the good range.
 */
import type { Selection, Workload } from '../../schema/result';
import { type SensitivityWidth, sensitivityWidth } from '../../toolkit/statistics';
import { linesChart } from '../charts/lines';
import { legend, MOST_FIGURES, MOST_LINES } from '../charts/series';
import { formatExact, NONE } from '../format';
import { groupBy, largest, smallest } from '../group';
import { type Html, html } from '../html';
import { folded, type Section } from '../section';
import type { Study } from '../study';
import type { Cell, Table } from '../table';

/** Scores this near to the best count as good: a share of a loss, or points of an accuracy. */
const LOSS_TOLERANCE = 0.1;
const METRIC_TOLERANCE = 0.02;

function widthOf(
  { field, grid, scores }: Selection,
  { metric }: Workload,
): SensitivityWidth | null {
  const points = grid.map((lr, i) => ({ lr, score: scores[i] ?? null }));
  const higher = field === 'validationMetric' && metric.direction === 'higher';
  const known = scores.filter((score) => score !== null);
  if (known.length === 0) return null;
  const tolerance = higher ? METRIC_TOLERANCE : LOSS_TOLERANCE * Math.abs(smallest(known));
  return sensitivityWidth(points, higher ? 'higher' : 'lower', tolerance);
}

function rowOf(study: Study, selection: Selection, workload: Workload): Cell[] {
  const width = widthOf(selection, workload);
  const range = width ? `${formatExact(width.low)} to ${formatExact(width.high)}` : NONE;
  const remarks = [
    selection.lr === null && 'every rate diverged',
    selection.extended > 0 && `${selection.extended} rates beyond the budget`,
    selection.edge && 'the best is on an edge',
    width?.open && 'the range reaches an end of the grid',
  ];
  return [
    { text: study.label(selection.optimizer), heading: true },
    { text: `${workload.id}, ${study.schedule(selection.schedule)}` },
    { text: formatExact(selection.lr), sort: selection.lr },
    { text: range, sort: width?.low ?? null },
    {
      text: width ? `${width.open ? '≥ ' : ''}${width.decades.toFixed(1)}` : NONE,
      sort: width?.decades ?? null,
    },
    { text: remarks.filter(Boolean).join('; ') },
  ];
}

/**
 * Losses beyond this many times what every optimizer reaches are off the chart: one that all but
 * diverged would flatten the rest.
 */
const MOST = 1000;

/** What is drawn of a score; NaN breaks the line. */
function drawn(score: number | null | undefined, reached: number): number {
  return score === null || score === undefined || score > MOST * reached ? NaN : score;
}

function chartOf(
  study: Study,
  workload: Workload,
  schedule: string,
  selections: readonly Selection[],
): Html {
  const title = `${workload.id}, ${study.schedule(schedule)}`;
  const log = selections.every(({ scores }) =>
    scores.every((score) => score === null || score > 0),
  );
  const bests = selections.map(({ scores }) => smallest(scores.filter((score) => score !== null)));
  const reached = Math.abs(largest(bests.filter(Number.isFinite)));
  const lines = selections.slice(0, MOST_LINES).map(({ optimizer, grid, scores }) => ({
    label: study.label(optimizer),
    index: study.index(optimizer),
    points: grid.map((x, i) => ({ x, y: drawn(scores[i], reached) })).sort((a, b) => a.x - b.x),
  }));
  const field = selections[0]!.field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const options = {
    title: `Learning rates on ${title}`,
    x: { label: 'learning rate', log: true },
    lines,
    dots: true,
  };
  const linear = field.endsWith('metric');
  const chart = linesChart({ ...options, y: { label: field, log: log && !linear } });
  return html`<figure><figcaption>${title}</figcaption>${chart}</figure>`;
}

/** One legend for all: an optimizer looks the same in each. */
function legendOf(study: Study): Html {
  const shown = new Set(contendersOf(study).map(({ optimizer }) => optimizer));
  return legend([...shown].map((id) => ({ label: study.label(id), index: study.index(id) })));
}

/** Without ablations: twenty lines are more than enough. */
function contendersOf(study: Study): Selection[] {
  const contenders = new Set(
    study.result.optimizers.filter(({ ablation }) => ablation === null).map(({ id }) => id),
  );
  return study.result.training.selections.filter(({ optimizer }) => contenders.has(optimizer));
}

/** The charts of one schedule, in the order of the workloads. @param selections of that schedule */
function figuresOf(study: Study, schedule: string, selections: readonly Selection[]): Html[] {
  const groups = groupBy(selections, ({ workload }) => workload);
  const workloads = groups.size ? study.allWorkloads.filter(({ id }) => groups.has(id)) : [];
  return workloads
    .slice(0, MOST_FIGURES)
    .map((workload) => chartOf(study, workload, schedule, groups.get(workload.id)!));
}

function widthTable(study: Study): Table {
  const groups = groupBy(study.result.training.selections, ({ workload }) => workload);
  const rows = study.allWorkloads.flatMap((workload) => {
    return (groups.get(workload.id) ?? []).map((selection) => rowOf(study, selection, workload));
  });
  return {
    id: 'sensitivity-table',
    caption: 'How wide the range of good learning rates is',
    columns: [
      { label: 'optimizer' },
      { label: 'workload, schedule' },
      { label: 'chosen', align: 'right' },
      { label: 'good range', align: 'right' },
      { label: 'decades', align: 'right' },
      { label: 'remarks' },
    ],
    rows,
    folded: true,
  };
}

export function sensitivitySection(study: Study): Section | null {
  const used = groupBy(contendersOf(study), ({ schedule }) => schedule);
  if (used.size === 0) return null;
  const schedules = study.result.schedules.filter(({ id }) => used.has(id));
  return {
    id: 'sensitivity',
    title: 'Learning rates',
    parts: [
      `Scores of the search, on validation alone. A line that breaks off diverged, or went ` +
        `beyond ${formatExact(MOST)} times the loss that every optimizer can reach. The range ` +
        `holds the rates beside the best that score within ${100 * LOSS_TOLERANCE}% of its ` +
        `loss, or ${100 * METRIC_TOLERANCE} points of its accuracy; its width is in ` +
        `factors of ten.`,
      legendOf(study),
      ...schedules.map(({ id, label }, i) =>
        folded(label, i === 0, figuresOf(study, id, used.get(id)!)),
      ),
      widthTable(study),
    ],
  };
}
