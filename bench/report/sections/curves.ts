/** Training curves: their data, the controls, and the places that the page's script draws in. */
import { swatch } from '../charts/series';
import type { CurveChart } from '../curve-data';
import { curveChart } from '../curves';
import { embedGzip, type Html, html } from '../html';
import type { Section } from '../section';
import { BASELINE, type Condition, type Study } from '../study';

/** Curves shown at first: what the listed comparisons are about. More would hide each other. */
function shownAtFirst(study: Study): Set<string> {
  return new Set([BASELINE, ...study.result.comparisons.flatMap(({ a, b }) => [a, b])]);
}

function radio(name: string, value: string, label: string, checked = false): Html {
  return html`<label><input type="radio" name="${name}"
    value="${value}"${checked && html` checked`}> ${label}</label>`;
}

function controls(
  study: Study,
  charts: readonly CurveChart[],
  conditions: readonly string[],
): Html {
  const shown = shownAtFirst(study);
  const keys = new Set(charts.flatMap(({ series }) => series.map(({ key }) => key)));
  const optimizers = study.result.optimizers.filter(({ id }) => keys.has(id));
  const toggles = optimizers.map(({ id, label }) => {
    const checked = (shown.has(id) || optimizers.length <= 4) && html` checked`;
    return html`<li><label><input type="checkbox" name="series"
        value="${id}"${checked}>${swatch(study.index(id))}${label}</label></li>`;
  });
  const under = conditions.map((condition, i) => radio('condition', condition, condition, i === 0));
  const figures = [
    radio('metric', 'trainLoss', 'train loss', true),
    radio('metric', 'validationLoss', 'validation loss'),
    radio('metric', 'metric', 'validation metric'),
  ];
  return html`<form id="curve-controls">
<fieldset><legend>Curves</legend><ul class="legend">${toggles}</ul></fieldset>
<div class="controls">
<fieldset><legend>Under</legend>${under}</fieldset>
<fieldset><legend>Figure</legend>${figures[0]} ${figures[1]} ${figures[2]}</fieldset>
<fieldset><legend>Over</legend>${radio('x', 'step', 'steps', true)}
${radio('x', 'time', 'time')}</fieldset>
<fieldset><legend>Logarithmic</legend><label><input type="checkbox"
  name="logX"> across</label> <label><input type="checkbox"
    name="logY" checked> up</label></fieldset>
</div></form>`;
}

interface Place {
  condition: string;
  chart: CurveChart;
  caption: string;
}

function placesOf(study: Study, condition: Condition): Place[] {
  return [true, false].flatMap((ranked) =>
    study.workloads(condition, ranked).flatMap((workload) => {
      const chart = curveChart(study, workload, condition);
      const caption = `${workload.id}: ${workload.title}; ${study.nameOf(condition)}`;
      return chart ? [{ condition: study.nameOf(condition), chart, caption }] : [];
    }),
  );
}

function figureOf({ chart, caption }: Place): Html {
  return html`<figure><figcaption>${caption}</figcaption><div class="curves"
    data-curves="${chart.id}" role="img" aria-label="Curves of ${caption}"></div>
<p class="absent" hidden>None of the curves chosen has this figure here.</p></figure>`;
}

export function curveSection(study: Study): Section | null {
  const places = study.conditions().flatMap((condition) => placesOf(study, condition));
  if (places.length === 0) return null;
  const conditions = [...new Set(places.map(({ condition }) => condition))];
  const figures = conditions.map((condition, i) => {
    const here = places.filter((place) => place.condition === condition);
    const hidden = i > 0 && html` hidden`;
    const drawn = here.map(figureOf);
    return html`<div class="figures" data-condition="${condition}"${hidden}>${drawn}</div>`;
  });
  const charts = places.map(({ chart }) => chart);
  const data = embedGzip('curve-data', JSON.stringify(charts));
  return {
    id: 'curves',
    title: 'Curves',
    parts: [
      'Line: the median over the seeds. Band: 10% to 90% of them. A run that diverged counts ' +
        'as worse than all others from then on. On a logarithmic scale whatever is below 10⁻¹⁶ ' +
        'lies there. Time is the number of steps times the time of one, measured alone on ' +
        'the machine; where that was not measured there is no curve over time.',
      html`<p class="unscripted">Curves need the script of this page; all figures are in the
tables.</p>${controls(study, charts, conditions)}${figures}${data}`,
    ],
  };
}
