/**
 * Draws every seed of every contender as a dot, in one strip each with the median, because a mean
 * with its spread hides outliers.
 */
import { median } from '../../toolkit/statistics';
import { type Html, html } from '../html';
import { type Axis, dotsPath, plot, round } from './plot';
import { seriesClass } from './series';

export interface Strip {
  label: string;
  index: number;
  /** Finite values; runs that diverged are counted apart. */
  values: readonly number[];
  diverged: number;
}

const ROW = 18;
const MARGINS = 50;
const LABELS = 138;

/** Dots that would cover each other are moved up and down, by their rank alone. */
const OFFSETS = [0, -3, 3, -5, 5];

export function stripsChart(
  title: string,
  axis: Omit<Axis, 'values'>,
  strips: readonly Strip[],
): Html {
  const height = MARGINS + ROW * strips.length;
  const values = strips.flatMap((strip) => strip.values);
  const y: Axis = { label: '', values: [], domain: [strips.length - 0.5, -0.5], ticks: [] };
  return plot({ title, x: { ...axis, values }, y, height, left: LABELS }, (toX, toY) =>
    strips.map(({ label, index, values, diverged }, row) => {
      const name = diverged > 0 ? `${label} (${diverged} diverged)` : label;
      const ascending = [...values].sort((a, b) => a - b);
      const dots = dotsPath(
        ascending.map((value, i) => [toX(value), toY(row) + OFFSETS[i % OFFSETS.length]!]),
      );
      const middle = values.length > 0 ? round(toX(median(values))) : null;
      const bar =
        middle !== null &&
        html`<line class="median" x1="${middle}" x2="${middle}"
          y1="${toY(row) - 8}" y2="${toY(row) + 8}"/>`;
      return html`<g class="${seriesClass(index)} strip"><text x="${LABELS - 6}"
        y="${toY(row) + 4}" text-anchor="end">${name}</text>${dots}${bar}</g>`;
    }),
  );
}
