/** Plots every seed of every optimizer. */
import { stripsChart } from '../charts/strips';
import { type Html, html } from '../html';
import { folded, type Section } from '../section';
import { type Condition, primaries, type Study } from '../study';

function stripsOf(study: Study, condition: Condition): Html[] {
  return study.workloads(condition).map((workload) => {
    const { name, scale, direction } = workload.metric;
    const strips = study.optimizers(condition).flatMap(({ id, label }) => {
      const runs = study.runs(workload.id, id, condition);
      const values = primaries(runs, workload).filter(Number.isFinite);
      const diverged = runs.filter((run) => run.diverged).length;
      return runs.length ? [{ label, index: study.index(id), values, diverged }] : [];
    });
    const caption = `${workload.id}, ${study.nameOf(condition)}; ${direction} is better`;
    const axis = { label: name, log: scale === 'log' };
    const chart = stripsChart(`Every seed of ${caption}`, axis, strips);
    return html`<figure><figcaption>${caption}</figcaption>${chart}</figure>`;
  });
}

export function seedSection(study: Study): Section | null {
  const conditions = study.conditions();
  if (conditions.length === 0) return null;
  return {
    id: 'seeds',
    title: 'Every seed',
    parts: [
      'A dot is a run, the bar their median.',
      ...conditions.map((condition, i) =>
        folded(study.nameOf(condition), i === 0, stripsOf(study, condition)),
      ),
    ],
  };
}
