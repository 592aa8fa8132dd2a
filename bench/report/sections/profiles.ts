/** Time to target over all workloads: performance profiles, and the time of each run. */
import { divergenceRate, median, performanceProfile } from '../../toolkit/statistics';
import { linesChart } from '../charts/lines';
import { legend } from '../charts/series';
import { secondsPerStep } from '../curves';
import { formatCount, formatDuration, formatExact, formatShare, NONE } from '../format';
import { firstBy, keyOfNames, largest } from '../group';
import { type Html, html } from '../html';
import type { Section } from '../section';
import type { Condition, Study } from '../study';
import type { Cell, Table } from '../table';

/**
 * A problem of a profile is a workload and a seed: steps to the target of each, null where it was
 * not reached.
 */
function stepsByOptimizer(study: Study, condition: Condition): Map<string, (number | null)[]> {
  const workloads = study.workloads(condition).filter(({ target }) => target !== null);
  const optimizers = study.optimizers(condition);
  const problems = workloads.flatMap(({ id }) => {
    const seeds = new Set(
      optimizers.flatMap((each) => study.runs(id, each.id, condition).map(({ seed }) => seed)),
    );
    return [...seeds].map((seed) => ({ id, seed }));
  });
  const entries = optimizers.map(({ id: optimizer }): [string, (number | null)[]] => {
    const runs = workloads.flatMap(({ id }) => study.runs(id, optimizer, condition));
    const found = firstBy(runs, ({ workload, seed }) => keyOfNames(workload, seed));
    return [
      optimizer,
      problems.map(({ id, seed }) => found.get(keyOfNames(id, seed))?.stepsToTarget ?? null),
    ];
  });
  return new Map(problems.length ? entries : []);
}

/** Profiles end where the last has reached all it reaches, and a little later. */
const ROOM = 1.5;

function profileFigure(study: Study, condition: Condition) {
  const profiles = performanceProfile(stepsByOptimizer(study, condition));
  if (profiles.size === 0) return null;
  const end =
    ROOM * largest([...profiles.values()].flatMap((points) => points.map(({ factor }) => factor)));
  const lines = [...profiles].map(([optimizer, points]) => ({
    label: study.label(optimizer),
    index: study.index(optimizer),
    points: [...points, { factor: end, share: points.at(-1)!.share }].map(({ factor, share }) => ({
      x: factor,
      y: share,
    })),
  }));
  const chart = linesChart({
    title: `Performance profile, ${study.nameOf(condition)}`,
    x: { label: 'times the fewest steps', log: true, domain: [1, end] },
    y: {
      label: 'share of targets reached',
      domain: [0, 1],
      format: (share) => `${Math.round(100 * share)}%`,
    },
    lines,
    steps: true,
  });
  return html`<figure><figcaption>${study.nameOf(condition)}</figcaption>${chart}</figure>`;
}

function targetTable(study: Study, condition: Condition): Table {
  const rows = study.workloads(condition).flatMap((workload) => {
    if (!workload.target) return [];
    return study
      .optimizers(condition)
      .flatMap(({ id, label, stateBytesPerParameter }): Cell[][] => {
        const runs = study.runs(workload.id, id, condition);
        if (runs.length === 0) return [];
        const reached = runs
          .map(({ stepsToTarget }) => stepsToTarget)
          .filter((steps) => steps !== null);
        // Where half of the runs or more miss the target, so does the median.
        const steps = median(runs.map(({ stepsToTarget }) => stepsToTarget ?? Infinity));
        const seconds = secondsPerStep(study, workload.id, id);
        const time = seconds === null || steps === Infinity ? null : seconds * steps * 1e9;
        return [
          [
            { text: label, heading: true },
            { text: `${workload.id}: ${workload.target!.value}` },
            { text: `${reached.length} of ${runs.length}`, sort: reached.length / runs.length },
            {
              text: steps === Infinity ? NONE : formatCount(Math.round(steps)),
              sort: steps === Infinity ? null : steps,
            },
            { text: formatDuration(time), sort: time },
            { text: formatShare(divergenceRate(runs)), sort: divergenceRate(runs) },
            { text: formatExact(stateBytesPerParameter), sort: stateBytesPerParameter },
          ],
        ];
      });
  });
  return {
    id: `targets-${condition.track}-${condition.schedule}`.toLowerCase(),
    caption: `${study.nameOf(condition)}: reaching the target`,
    columns: [
      { label: 'optimizer' },
      { label: 'workload: target' },
      { label: 'reached', align: 'right' },
      { label: 'median steps', align: 'right' },
      { label: 'time', align: 'right' },
      { label: 'diverged', align: 'right' },
      { label: 'state bytes/param', align: 'right' },
    ],
    rows,
    folded: true,
  };
}

/** One legend for all: an optimizer looks the same in each. */
function legendOf(study: Study, conditions: readonly Condition[]): Html {
  const shown = new Set(
    conditions.flatMap((condition) => study.optimizers(condition).map(({ id }) => id)),
  );
  return legend([...shown].map((id) => ({ label: study.label(id), index: study.index(id) })));
}

export function profileSection(study: Study): Section | null {
  const conditions = study
    .conditions()
    .filter((condition) => stepsByOptimizer(study, condition).size > 0);
  if (conditions.length === 0) return null;
  return {
    id: 'profiles',
    title: 'Time to target',
    parts: [
      'How many of the targets (every workload, every seed) an optimizer reaches within so ' +
        'many times the fewest steps that any optimizer listed took. At the left edge: how ' +
        'often it was the fastest; at the right: how often it arrived at all. A profile says ' +
        'who is ahead in this company, not by how much between two.',
      html`${legendOf(study, conditions)}<div class="figures">${conditions.map((condition) =>
        profileFigure(study, condition),
      )}</div>`,
      ...conditions.map((condition) => targetTable(study, condition)),
    ],
  };
}
