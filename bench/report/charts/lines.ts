/**
 * Lines over a numeric axis, with optional intervals: sensitivity, throughput, scaling, streams,
 * profiles.
 */
import { curveLinear, curveStepAfter, line } from 'd3-shape';
import { type Html, html } from '../html';
import { type Axis, dotsPath, type PlotOptions, plot, round } from './plot';
import { MOST_LINES, seriesClass, seriesDash } from './series';

export interface Point {
  x: number;
  y: number;
  /** Ends of the interval of y. */
  low?: number;
  high?: number;
}

export interface Line {
  label: string;
  /** Of its colour and dashes: the same optimizer looks the same in every chart. */
  index: number;
  /** Ascending in x. */
  points: readonly Point[];
}

type AxisOptions = Omit<Axis, 'values'>;

export interface LinesOptions extends Omit<PlotOptions, 'x' | 'y'> {
  x: AxisOptions;
  y: AxisOptions;
  lines: readonly Line[];
  /** The value holds until the next point, as a distribution's does. */
  steps?: boolean;
  /** Dots at the points. */
  dots?: boolean;
}

export function linesChart({ lines: all, steps, dots, ...options }: LinesOptions): Html {
  const lines = all.slice(0, MOST_LINES);
  const points = lines.flatMap((each) => each.points);
  const ends = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const x = { ...options.x, values: points.map((point) => point.x) };
  const expected = [
    ...(options.levels ?? []).map(({ at }) => at),
    options.range?.low ?? null,
    options.range?.high ?? null,
  ];
  const y = { ...options.y, values: [...ends, ...expected.filter((value) => value !== null)] };
  const drawable = (point: Point): boolean =>
    Number.isFinite(point.y) && !(y.log && point.y <= 0) && !(x.log && point.x <= 0);
  return plot({ ...options, x, y }, (toX, toY) =>
    lines.map(({ index, points }) => {
      const path = line<Point>((point) => round(toX(point.x)), (point) => round(toY(point.y)))
        .defined(drawable)
        // biome-ignore format: the chain reads as one
        .curve(steps ? curveStepAfter : curveLinear)(points as Point[]);
      const shown = points.filter(drawable);
      const spreads = shown.map(({ x, low, high }) =>
        low === undefined || high === undefined || (options.y.log && low <= 0)
          ? null
          : html`<line class="spread" x1="${round(toX(x))}" x2="${round(toX(x))}"
            y1="${round(toY(low))}" y2="${round(toY(high))}"/>`,
      );
      const circles = dots && dotsPath(shown.map((point) => [toX(point.x), toY(point.y)]));
      return html`<g class="${seriesClass(index)}"><path d="${path ?? ''}"
        stroke-dasharray="${seriesDash(index)}"/>${spreads}${circles}</g>`;
    }),
  );
}
