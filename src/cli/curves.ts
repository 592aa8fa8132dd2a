/** Learning curves as a static SVG. Equal runs give equal bytes. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { clipText, printable } from './printable';
import type { EpochResult } from './session';

export interface Curves {
  readonly title: string;
  readonly epochs: readonly EpochResult[];
  /** Whether to add a panel of accuracy. */
  readonly accuracy: boolean;
}

interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly values: readonly number[];
}

interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly scale: Scale;
  readonly format: (value: number) => string;
}

/** The part of d3's scales that the panels use. */
interface Scale {
  (value: number): number;
  ticks(count: number): number[];
}

const PANEL = { width: 340, height: 220, left: 52, top: 56, gap: 100, right: 64, bottom: 46 };
/** Colours that can be told apart without colour vision. */
const [TRAIN, TEST] = ['#4477aa', '#cc5533'];
const STROKE = 'stroke-width="2" stroke-linejoin="round"';
const [INK, FAINT, GRID] = ['#222222', '#666666', '#e6e6e6'];
/** Above this ratio of losses the axis is logarithmic. */
const LOG_RATIO = 50;
const MOST_POINTS = 500;
/** Curves with at most this many points show dots. */
const MOST_DOTS = 40;
const MAX_TITLE = 110;
/** Distance between the labels at the ends of curves. */
const LABEL_HEIGHT = 14;

/** Draws the curves; returns null if there are no epochs. */
export function drawCurves({ title, epochs, accuracy }: Curves): string | null {
  if (epochs.length === 0) return null;
  const shown = thin(epochs);
  const panels = [lossPanel(shown), ...(accuracy ? [accuracyPanel(shown)] : [])];
  const width = PANEL.left + panels.length * (PANEL.width + PANEL.gap) - PANEL.gap + PANEL.right;
  const height = PANEL.top + PANEL.height + PANEL.bottom;
  const viewBox = `viewBox="0 0 ${width} ${height}"`;
  const x = epochScale(shown);
  const clipped = clipText(title, Math.floor(MAX_TITLE / (3 - panels.length)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${viewBox}`,
    `  font-family="system-ui, sans-serif" font-size="12" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(PANEL.left, 20, clipped, `font-size="13" font-weight="600" fill="${INK}"`),
    ...panels.map((panel, index) =>
      drawPanel(panel, shown, x, PANEL.left + index * (PANEL.width + PANEL.gap)),
    ),
    '</svg>',
    '',
  ].join('\n');
}

/** Reduces the epochs to at most MOST_POINTS, including the last. */
function thin(epochs: readonly EpochResult[]): readonly EpochResult[] {
  const every = Math.ceil(epochs.length / MOST_POINTS);
  return epochs.filter((_, index) => (epochs.length - 1 - index) % every === 0);
}

function epochScale(epochs: readonly EpochResult[]): Scale {
  const [first, last] = [epochs[0].epoch, epochs[epochs.length - 1].epoch];
  const domain = first === last ? [first - 1, last + 1] : [first, last];
  return scaleLinear(domain, [0, PANEL.width]);
}

function lossPanel(epochs: readonly EpochResult[]): Panel {
  const train = epochs.map(({ trainLoss }) => trainLoss);
  const test = epochs.map(({ testLoss }) => testLoss);
  const finite = [...train, ...test].filter(Number.isFinite);
  const [low, high] = [Math.min(...finite, 1), Math.max(...finite, Number.MIN_VALUE)];
  const lowest = finite.length === 0 ? 1 : Math.min(...finite);
  const logarithmic = lowest > 0 && high / lowest > LOG_RATIO;
  const scale = logarithmic
    ? scaleLog([low, high], [PANEL.height, 0]).nice()
    : scaleLinear([Math.min(0, lowest), high], [PANEL.height, 0]).nice();
  const curves = [
    { label: 'train', colour: TRAIN, values: train },
    { label: 'test', colour: TEST, values: test },
  ];
  return { title: logarithmic ? 'loss (logarithmic)' : 'loss', curves, scale, format: formatTick };
}

function accuracyPanel(epochs: readonly EpochResult[]): Panel {
  const values = epochs.map(({ testAccuracy }) => testAccuracy!);
  const scale = scaleLinear(
    [Math.min(...values) - 0.01, Math.max(...values) + 0.01],
    [PANEL.height, 0],
  );
  const format = (value: number) => `${Number((100 * value).toFixed(2))}%`;
  return {
    title: 'test accuracy',
    curves: [{ label: format(values[values.length - 1]), colour: TEST, values }],
    scale,
    format,
  };
}

function drawPanel(
  { title, curves, scale, format }: Panel,
  epochs: readonly EpochResult[],
  x: Scale,
  left: number,
): string {
  const { width, height, top } = PANEL;
  const parts = [text(0, -12, title, `fill="${INK}"`)];
  for (const tick of thinTicks(scale.ticks(5))) {
    const y = fixed(scale(tick));
    parts.push(`<path d="M0,${y}H${width}" stroke="${GRID}"/>`);
    parts.push(text(-8, Number(y) + 4, format(tick), `text-anchor="end" fill="${FAINT}"`));
  }
  for (const tick of x.ticks(6).filter(Number.isInteger)) {
    if (tick < epochs[0].epoch || tick > epochs[epochs.length - 1].epoch) continue;
    parts.push(
      text(
        Number(fixed(x(tick))),
        height + 18,
        String(tick),
        `text-anchor="middle" fill="${FAINT}"`,
      ),
    );
  }
  parts.push(text(width / 2, height + 36, 'epoch', `text-anchor="middle" fill="${FAINT}"`));
  parts.push(`<path d="M0,${height}H${width}" stroke="${FAINT}"/>`);
  for (const curve of curves) parts.push(drawCurve(curve, epochs, x, scale));
  parts.push(...drawLabels(curves, scale));
  return `<g transform="translate(${left},${top})">\n${parts.join('\n')}\n</g>`;
}

function drawCurve(
  { colour, values }: Curve,
  epochs: readonly EpochResult[],
  x: Scale,
  y: Scale,
): string {
  const points = values.map((value, index): [number, number] => [x(epochs[index].epoch), y(value)]);
  const path = line()
    .defined(([, at]) => Number.isFinite(at))
    .digits(1)(points);
  const parts = path ? [`<path d="${path}" fill="none" stroke="${colour}" ${STROKE}/>`] : [];
  if (points.length <= MOST_DOTS) {
    for (const [cx, cy] of points) {
      if (Number.isFinite(cy))
        parts.push(`<circle cx="${fixed(cx)}" cy="${fixed(cy)}" r="2.5" fill="${colour}"/>`);
    }
  }
  return parts.join('\n');
}

/** Draws labels at the ends of curves, and moves them apart if they would overlap. */
function drawLabels(curves: readonly Curve[], scale: Scale): string[] {
  const ends = curves
    .map(({ label, colour, values }) => ({ label, colour, y: scale(values[values.length - 1]) }))
    .filter(({ y }) => Number.isFinite(y))
    .sort((a, b) => a.y - b.y);
  for (let i = 1; i < ends.length; i++)
    ends[i].y = Math.max(ends[i].y, ends[i - 1].y + LABEL_HEIGHT);
  return ends.map(({ label, colour, y }) =>
    text(PANEL.width + 8, Number(fixed(y)) + 4, label, `fill="${colour}"`),
  );
}

/** Formats a tick with at most six characters. */
function formatTick(value: number): string {
  const size = Math.abs(value);
  return value !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(0)
    : String(Number(value.toPrecision(4)));
}

/** Reduces the ticks: logarithmic scales return more than requested. */
function thinTicks(ticks: readonly number[]): readonly number[] {
  if (ticks.length <= 8) return ticks;
  const decades = ticks.filter((tick) => Number.isInteger(Math.log10(tick)));
  return decades.length >= 2
    ? decades
    : ticks.filter((_, index) => index % Math.ceil(ticks.length / 8) === 0);
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeXml(content)}</text>`;
}

function fixed(coordinate: number): string {
  return String(Number(coordinate.toFixed(1)));
}

/** Escapes text from files for XML, and removes characters that reorder text. */
function escapeXml(content: string): string {
  return printable(content)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
