/**
 * Every optimizer on every workload: one matrix for each schedule and track, relative to Adam under
 * the same conditions.
 */
import type { Workload } from '../../schema/result';
import { divergenceRate, estimateMedian, interquartileMean } from '../../toolkit/statistics';
import {
  formatEstimate,
  formatExact,
  formatNumber,
  formatRatio,
  formatShare,
  NONE,
} from '../format';
import type { Section } from '../section';
import { BASELINE, type Condition, primaries, type Study, TRACKS } from '../study';
import { type Cell, checkCells, type Table } from '../table';

function matrixCell(
  study: Study,
  workload: Workload,
  optimizer: string,
  condition: Condition,
): Cell {
  const runs = study.runs(workload.id, optimizer, condition);
  const values = primaries(runs, workload);
  if (values.length === 0) return { text: NONE, sort: null, tone: 'absent' };
  const estimate = estimateMedian(values);
  const diverged = runs.filter((run) => run.diverged).length;
  const failed = diverged ? `${diverged} of ${runs.length} diverged` : '';
  const text = Number.isFinite(estimate.value) ? formatEstimate(estimate) : 'diverged';
  const sort = Number.isFinite(estimate.value) ? estimate.value : null;
  if (optimizer === BASELINE)
    return { text, sort, note: ['×1', failed].filter(Boolean).join('; ') };
  const comparison = study.compare(workload, optimizer, BASELINE, condition);
  if (!comparison) return { text, sort, note: failed };
  return {
    text,
    sort,
    tone: comparison.tone,
    note: [formatRatio(comparison.ratio), failed].filter(Boolean).join('; '),
  };
}

const idOf = ({ track, schedule }: Condition): string => `${track}-${schedule}`.toLowerCase();

/** @param ablation the series whose optimizers are the rows; null: the contenders */
export function matrixTable(
  study: Study,
  condition: Condition,
  ablation: string | null = null,
): Table {
  const workloads = study.workloads(condition);
  const optimizers = study.optimizers(condition, ablation);
  return {
    id: `matrix-${ablation === null ? '' : `${ablation}-`}${idOf(condition)}`,
    caption:
      `${study.nameOf(condition)}: median ± 95% interval, and the ratio to ` +
      `${study.label(BASELINE)} [95% interval]`,
    columns: [
      { label: 'optimizer' },
      ...workloads.map(({ id, metric }) => ({
        label: `${id} ${metric.name} ${metric.direction === 'higher' ? '↑' : '↓'}`,
        align: 'right' as const,
      })),
    ],
    rows: optimizers.map(({ id, label }) => [
      { text: label, heading: true },
      ...workloads.map((workload) => matrixCell(study, workload, id, condition)),
    ]),
  };
}

/**
 * Final figure beside the best on validation, because that choice alone can be worth more than the
 * optimizer.
 */
function choiceTable(study: Study, condition: Condition): Table {
  const rows = study.workloads(condition).flatMap((workload) => {
    return study.optimizers(condition).flatMap(({ id, label }): Cell[][] => {
      const runs = study.runs(workload.id, id, condition);
      const finals = primaries(runs, workload).filter(Number.isFinite);
      const bests = runs
        .map(({ best }) => best.figures[workload.metric.field])
        .filter((value) => value !== null);
      if (runs.length === 0 || finals.length === 0 || bests.length === 0) return [];
      const [final, best] = [estimateMedian(finals), estimateMedian(bests)];
      const middle = interquartileMean(finals);
      return [
        [
          { text: `${workload.id} ${label}`, heading: true },
          { text: formatEstimate(final), sort: final.value },
          { text: formatEstimate(best), sort: best.value },
          { text: formatNumber(middle), sort: middle },
          { text: formatShare(divergenceRate(runs)), sort: divergenceRate(runs) },
          { text: String(runs.length), sort: runs.length },
        ],
      ];
    });
  });
  return {
    id: `choice-${idOf(condition)}`,
    caption:
      `${study.nameOf(condition)}: the final figure beside the one at the best ` +
      `validation, ` +
      `over the seeds that did not diverge`,
    columns: [
      { label: 'workload, optimizer' },
      { label: 'final', align: 'right' },
      { label: 'best validation', align: 'right' },
      { label: 'interquartile mean', align: 'right' },
      { label: 'diverged', align: 'right' },
      { label: 'seeds', align: 'right' },
    ],
    rows,
    folded: true,
  };
}

/** What each name stands for. */
function optimizerTable({ result }: Study): Table {
  return {
    id: 'optimizers',
    caption: 'What the optimizers are',
    columns: [
      { label: 'optimizer' },
      { label: 'options' },
      { label: 'state bytes/param', align: 'right' },
      { label: 'note' },
    ],
    rows: result.optimizers.map(({ label, family, options, stateBytesPerParameter, note }) => {
      const settings = Object.entries(options).map(
        ([name, value]) => `${name} ${JSON.stringify(value)}`,
      );
      return [
        { text: label, heading: true },
        { text: [family, ...settings].join(', ') },
        { text: formatExact(stateBytesPerParameter), sort: stateBytesPerParameter },
        { text: note ?? '' },
      ];
    }),
    folded: true,
  };
}

/** The series that some optimizer belongs to, each under the conditions that it ran under. */
export function ablationSection(study: Study): Section | null {
  const series = new Set(
    study.result.optimizers.map(({ ablation }) => ablation).filter((ablation) => ablation !== null),
  );
  const tables = [...series].flatMap((ablation) =>
    study
      .conditions()
      .filter((condition) => study.optimizers(condition, ablation).length > 0)
      .map((condition) => matrixTable(study, condition, ablation)),
  );
  if (tables.length === 0) return null;
  return {
    id: 'ablation',
    title: 'Ablation: is it the transformation?',
    parts: [
      `Adam on ĝ = ‖g‖₁^p·g, for several p, each with the best rate of its own grid: p = 0 is ` +
        `Adam, p = 1 has AdaL's transformation. With the norm of another batch the size of ĝ ` +
        `no longer has to do with g: what that does as well is a reweighting of batches, not ` +
        `an answer to the gradient. Read as the matrix above, relative to ` +
        `${study.label(BASELINE)}.`,
      ...tables,
    ],
  };
}

/** Optimizers and workloads without a run in common would make a matrix of nothing. */
export function checkMatrices(study: Study): void {
  for (const condition of study.conditions()) {
    checkCells(
      'optimizers and workloads',
      study.optimizerCount(condition) * study.workloads(condition).length,
      study.groupCount(condition),
    );
  }
}

export function matrixSection(study: Study): Section | null {
  const conditions = study.conditions();
  if (conditions.length === 0) return null;
  const tracks = [...new Set(conditions.map(({ track }) => track))].map(
    (track) => `${track}: ${TRACKS[track]}.`,
  );
  return {
    id: 'matrix',
    title: 'Optimizers and workloads',
    parts: [
      `The primary figure of each workload at the end of training. ↓: lower is better, ↑: ` +
        `higher is. ▲ is better and ▼ worse than ${study.label(BASELINE)}, with the interval ` +
        `of the paired difference beyond zero; ≈ shows no difference. The ratio is of ` +
        `losses, or of 1 − accuracy, so below 1 is better. A run that diverged counts as ` +
        `worse than any that did not.`,
      `${tracks.join(' ')} These intervals are not corrected for how many there are: among ` +
        `twenty, one is beyond zero by chance. Only the comparisons above were listed beforehand.`,
      ...conditions.flatMap((condition) => [
        matrixTable(study, condition),
        choiceTable(study, condition),
      ]),
      optimizerTable(study),
    ],
  };
}
