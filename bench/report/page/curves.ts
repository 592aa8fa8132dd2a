/**
 * Draws training curves with uPlot: the median and the 10–90% band over the seeds. Redraws when a
 * control or the colour scheme changes.
 */
import uPlot from 'uplot';
import {
  type Band,
  CURVE_METRICS,
  type CurveChart,
  type CurveMetric,
  type CurveSeries,
} from '../curve-data';
import { unpack } from './unpack';

const HEIGHT = 280;
/** Half a sheet, within the margins of most printers. */
const PRINTED_WIDTH = 290;
const DASHES = [[], [6, 3], [2, 3]];
const COLOURS = 8;

interface Settings {
  condition: string;
  metric: CurveMetric;
  x: 'step' | 'time';
  logX: boolean;
  logY: boolean;
  shown: Set<string>;
}

function readSettings(form: HTMLFormElement): Settings {
  const data = new FormData(form);
  const metric = CURVE_METRICS.find((name) => name === data.get('metric')) ?? 'trainLoss';
  const x = data.get('x') === 'time' ? 'time' : 'step';
  const condition = String(data.get('condition'));
  return {
    condition,
    metric,
    x,
    logX: data.has('logX'),
    logY: data.has('logY'),
    shown: new Set(data.getAll('series').map(String)),
  };
}

/**
 * What a log scale draws of zero and of anything smaller than this: no difference between two runs
 * is as small.
 */
const LEAST_ON_LOG = 1e-16;

function onScale(values: readonly (number | null)[], log: boolean): (number | null)[] {
  return values.map((value) => (value === null || !log ? value : Math.max(value, LEAST_ON_LOG)));
}

/** x of a series and its three columns, as `uPlot.join` takes them. */
function tableOf(
  { steps, secondsPerStep }: CurveSeries,
  band: Band,
  settings: Settings,
): uPlot.AlignedData {
  const first = settings.logX ? steps.findIndex((step) => step > 0) : 0;
  const xs = steps
    .slice(first)
    .map((step) => (settings.x === 'time' ? step * secondsPerStep! : step));
  const columns = [band.median, band.low, band.high].map((column) =>
    onScale(column.slice(first), settings.logY),
  );
  return [xs, ...columns];
}

function formatTick(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(0).replace('e+', 'e')
    : String(Number(value.toPrecision(4)));
}

function axisOf(label: string, ink: string, grid: string): uPlot.Axis {
  return {
    label,
    stroke: ink,
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    labelSize: 22,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
    // uPlot leaves out crowded labels of a log scale by null.
    values: (_, splits) =>
      splits.map((value: number | null) => (value === null ? null : formatTick(value))),
  };
}

/** One chart in its place; `draw` replaces what is there. */
class Chart {
  readonly #place: HTMLElement;
  readonly #data: CurveChart;
  #plot: uPlot | null = null;

  constructor(place: HTMLElement, data: CurveChart) {
    this.#place = place;
    this.#data = data;
  }

  draw(settings: Settings, width?: number): void {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#place.closest('[hidden]')) return;
    const drawn = this.#data.series.flatMap((series) => {
      const band = series.bands[settings.metric];
      if (!band || !settings.shown.has(series.key)) return [];
      return settings.x === 'time' && series.secondsPerStep === null ? [] : [{ series, band }];
    });
    const message = this.#place.nextElementSibling as HTMLElement;
    message.hidden = drawn.length > 0;
    this.#place.dataset.series = String(drawn.length);
    if (drawn.length === 0) return;
    const joined = uPlot.join(drawn.map(({ series, band }) => tableOf(series, band, settings)));
    const options = this.#options(
      settings,
      drawn.map(({ series }) => series),
      width ?? this.#place.clientWidth,
    );
    this.#plot = new uPlot(options, joined, this.#place);
  }

  #options(settings: Settings, drawn: readonly CurveSeries[], width: number): uPlot.Options {
    const style = getComputedStyle(this.#place);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const lines = drawn.flatMap(({ index, label }): uPlot.Series[] => {
      const stroke = colour(`--c${index % COLOURS}`);
      const dash = DASHES[Math.floor(index / COLOURS) % DASHES.length];
      const edge: uPlot.Series = { stroke: 'transparent', points: { show: false } };
      return [{ label, stroke, width: 1.75, dash, points: { show: false } }, edge, edge];
    });
    const bands = drawn.map(({ index }, i): uPlot.Band => {
      return { series: [3 * i + 3, 3 * i + 2], fill: `${colour(`--c${index % COLOURS}`)}2e` };
    });
    const xLabel = settings.x === 'time' ? 'seconds' : 'steps';
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, distr: settings.logX ? 3 : 1 },
        y: { distr: settings.logY ? 3 : 1 },
      },
      axes: [
        { ...axisOf(xLabel, colour('--ink'), colour('--grid')), size: 36 },
        {
          ...axisOf(this.#data.labels[settings.metric] ?? '', colour('--ink'), colour('--grid')),
          size: 60,
        },
      ],
      series: [{}, ...lines],
      bands,
    };
  }
}

/** Draws every chart of the page, and again when something it depends on changes. */
export async function enableCurves(): Promise<void> {
  const form = document.querySelector<HTMLFormElement>('#curve-controls');
  const source = document.querySelector('#curve-data');
  if (!form || !source) return;
  const places = [...document.querySelectorAll<HTMLElement>('[data-curves]')];
  const charts = (JSON.parse(await unpack(source)) as CurveChart[]).flatMap((data) => {
    const place = places.find(({ dataset }) => dataset.curves === data.id);
    return place ? [new Chart(place, data)] : [];
  });
  const draw = (width?: number): void => {
    const settings = readSettings(form);
    for (const group of document.querySelectorAll<HTMLElement>('[data-condition]')) {
      group.hidden = group.dataset.condition !== settings.condition;
    }
    for (const chart of charts) chart.draw(settings, width);
  };
  form.addEventListener('change', () => draw());
  form.addEventListener('submit', (event) => event.preventDefault());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw());
  let width = innerWidth;
  addEventListener('resize', () => {
    // Phones report a resize when their address bar folds.
    if (innerWidth !== width) draw();
    width = innerWidth;
  });
  // Paper is white whatever the screen is.
  addEventListener('beforeprint', () => {
    document.documentElement.dataset.print = '';
    draw(PRINTED_WIDTH);
  });
  addEventListener('afterprint', () => {
    delete document.documentElement.dataset.print;
    draw();
  });
  draw();
}
