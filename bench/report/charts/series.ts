/**
 * The look of series in charts: eight colours that colour-blind readers can tell apart (Okabe & Ito
 * 2008), then the same dashed, then dotted.
 */
import { type Html, html } from '../html';

const COLOURS = 8;
const DASHES = ['', '6 3', '1.5 2.5'] as const;

/**
 * Classes of the n-th series; the colour is a variable of the style sheet, so that it follows light
 * and dark.
 */
export function seriesClass(index: number): string {
  return `series c${index % COLOURS}`;
}

/** Its dashes, as SVG writes them; '' for a solid line. */
export function seriesDash(index: number): string {
  return DASHES[Math.floor(index / COLOURS) % DASHES.length]!;
}

/** A piece of the series' line, for legends. */
export function swatch(index: number): Html {
  return html`<svg class="swatch ${seriesClass(index)}" viewBox="0 0 24 8"
    aria-hidden="true"><line x1="0" x2="24" y1="4" y2="4"
      stroke-dasharray="${seriesDash(index)}"/></svg>`;
}

/**
 * More lines than this nobody tells apart, and more charts nobody looks at; the tables have them
 * all.
 */
export const MOST_LINES = 50;
export const MOST_FIGURES = 50;

/** The series of a chart by name, under it. */
export function legend(entries: readonly { label: string; index: number }[]): Html {
  const more = entries.length - MOST_LINES;
  const shown = entries
    .slice(0, MOST_LINES)
    .map(({ label, index }) => html`<li>${swatch(index)}${label}</li>`);
  const rest = more > 0 && html`<li>and ${more} more, which are not drawn</li>`;
  return html`<ul class="legend">${shown}${rest}</ul>`;
}
