/**
 * Draws the frame of a static SVG chart: scales, axes, grid and marks. Callers draw what is inside.
 */
import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import { largest, smallest } from '../group';
import { type Content, type Html, html } from '../html';

/** Small enough to be legible unscaled on a phone. */
const WIDTH = 400;
const HEIGHT = 250;
const MARGIN = { top: 10, right: 16, bottom: 40, left: 52 };

export interface Axis {
  label: string;
  /** All values that must fit. */
  values: readonly number[];
  log?: boolean;
  /** Ends, where they are known beforehand. */
  domain?: readonly [number, number];
  format?: (value: number) => string;
  /** @default chosen by the scale */
  ticks?: readonly number[];
}

export interface Mark {
  at: number;
  label: string;
}

export interface PlotOptions {
  title: string;
  x: Axis;
  y: Axis;
  /** Vertical lines: cache sizes. */
  marks?: readonly Mark[];
  /** Horizontal lines: targets. */
  levels?: readonly Mark[];
  /** A range of y that is to be expected, shaded; an end left open is the frame's. */
  range?: { low: number | null; high: number | null; label: string };
  height?: number;
  /** Room for the labels of the y axis. */
  left?: number;
}

export type Scale = ScaleContinuousNumeric<number, number>;

/** Coordinates to a tenth of a pixel: files stay small. */
export function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/**
 * Dots as one path of lines without length, whose round caps are the dots: a tenth of what as many
 * circles take.
 */
export function dotsPath(points: readonly (readonly [x: number, y: number])[]): Html {
  const moves = points.map(([x, y]) => `M${round(x)},${round(y)}h0`);
  return html`<path class="dots" d="${moves.join('')}"/>`;
}

function domainOf({ values, log, domain }: Axis): [number, number] {
  if (domain) return [domain[0], domain[1]];
  const fit = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (fit.length === 0) return log ? [1, 10] : [0, 1];
  const [low, high] = [smallest(fit), largest(fit)];
  if (low < high) return [low, high];
  return log ? [low / 2, high * 2] : [low - 1, high + 1];
}

/** Below this span a log scale is a linear one with odd labels. */
const LEAST_SPAN = 5;

/**
 * Whether the axis is drawn on a log scale: when it is asked for, and its values are far enough
 * apart.
 */
function isLog(axis: Axis): boolean {
  const [low, high] = domainOf(axis);
  return axis.log === true && low > 0 && high / low >= LEAST_SPAN;
}

function createScale(axis: Axis, range: readonly [number, number]): Scale {
  const log = isLog(axis);
  // Zeros lie on the edge of a log axis, not nowhere.
  const scale: Scale = log ? scaleLog().clamp(true) : scaleLinear();
  scale.domain(domainOf(axis)).range(range);
  return axis.domain || log ? scale : scale.nice(5);
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 1000 → "10³", and numbers near 1 in full. */
function formatPower(value: number): string {
  if (value >= 0.01 && value < 1000) return String(Number(value.toPrecision(2)));
  const [mantissa, exponent] = value.toExponential(0).split('e') as [string, string];
  const digits = [...String(Math.abs(Number(exponent)))]
    .map((digit) => SUPERSCRIPTS[Number(digit)])
    .join('');
  return `${mantissa === '1' ? '' : `${mantissa}·`}10${Number(exponent) < 0 ? '⁻' : ''}${digits}`;
}

/** At most six labels: a log scale over many decades offers far more. */
function ticksOf(scale: Scale, axis: Axis): readonly number[] {
  if (axis.ticks) return axis.ticks;
  const [low, high] = scale.domain() as [number, number];
  if (!isLog(axis)) return scale.ticks(5);
  const powers = scale
    .ticks()
    .filter((value) => /^1e/.test(value.toExponential(6).replace('1.000000', '1')));
  if (powers.length < 2 || high / low < 20)
    return scaleLinear()
      .domain([low, high])
      .ticks(4)
      .filter((value) => value > 0);
  const every = Math.ceil(powers.length / 6);
  return powers.filter((_, i) => i % every === 0);
}

function rangeHtml(
  { low, high, label }: NonNullable<PlotOptions['range']>,
  y: Scale,
  left: number,
  right: number,
): Html {
  const [least, most] = y.domain() as [number, number];
  const [top, bottom] = [round(y(high ?? most)), round(y(low ?? least))];
  return html`<g class="range"><rect x="${left}" width="${right - left}" y="${top}"
    height="${bottom - top}"/><text x="${left + 4}" y="${bottom - 4}">${label}</text></g>`;
}

/** Ticks whose labels keep this many pixels between them; the first always stays. */
function uncrowded(ticks: readonly number[], scale: Scale, pixels: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    if (kept.length === 0 || Math.abs(scale(tick) - scale(kept.at(-1)!)) >= pixels) kept.push(tick);
  }
  return kept;
}

/** @param draw what stands inside the frame, given both scales */
export function plot(options: PlotOptions, draw: (x: Scale, y: Scale) => Content): Html {
  const height = options.height ?? HEIGHT;
  const [left, right, top, bottom] = [
    options.left ?? MARGIN.left,
    WIDTH - MARGIN.right,
    MARGIN.top,
    height - MARGIN.bottom,
  ];
  const x = createScale(options.x, [left, right]);
  const y = createScale(options.y, [bottom, top]);
  const text = (axis: Axis, value: number): string =>
    (axis.format ?? (isLog(axis) ? formatPower : (n) => n.toLocaleString('en-US')))(value);
  const [toX, toY] = [(value: number) => round(x(value)), (value: number) => round(y(value))];
  const columns = uncrowded(ticksOf(x, options.x), x, 36).map(
    (value) =>
      html`<g class="tick"><line x1="${toX(value)}" x2="${toX(value)}" y1="${top}" y2="${bottom}"/>
        <text x="${toX(value)}" y="${bottom + 14}"
          text-anchor="middle">${text(options.x, value)}</text></g>`,
  );
  const rows = uncrowded(ticksOf(y, options.y), y, 16).map(
    (value) =>
      html`<g class="tick"><line x1="${left}" x2="${right}" y1="${toY(value)}" y2="${toY(value)}"/>
        <text x="${left - 5}" y="${round(y(value) + 4)}"
          text-anchor="end">${text(options.y, value)}</text></g>`,
  );
  const marks = (options.marks ?? []).map(
    ({ at, label }) =>
      html`<g class="mark"><line x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${bottom}"/>
        <text x="${x(at) + (x(at) > WIDTH / 2 ? -3 : 3)}" y="${top + 9}"
          text-anchor="${x(at) > WIDTH / 2 ? 'end' : 'start'}">${label}</text></g>`,
  );
  const levels = (options.levels ?? []).map(
    ({ at, label }) =>
      html`<g class="mark"><line x1="${left}" x2="${right}" y1="${y(at)}" y2="${y(at)}"/>
        <text x="${right - 2}" y="${y(at) < top + 12 ? y(at) + 11 : y(at) - 3}"
          text-anchor="end">${label}</text></g>`,
  );
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img"
    aria-label="${options.title}">
${columns}${rows}
<g class="axes"><line x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
<line x1="${left}" x2="${left}" y1="${top}" y2="${bottom}"/></g>
<text class="label" x="${Math.min((left + right) / 2, WIDTH / 2 + 20)}"
  y="${height - 6}" text-anchor="middle">${options.x.label}</text>
<text class="label" transform="translate(12 ${(top + bottom) / 2}) rotate(-90)"
  text-anchor="middle">${options.y.label}</text>
${options.range && rangeHtml(options.range, y, left, right)}${marks}${levels}${draw(x, y)}
</svg>`;
}
