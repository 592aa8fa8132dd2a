/**
 * The parts of a report: sections of paragraphs, tables, cards and drawings, which become HTML or
 * Markdown later.
 */

import { inMarkdown } from '../toolkit/markdown';
import { type Content, Html, html } from './html';
import { type Table, tableHtml, tableMarkdown } from './table';

/** Facts about several things, a card each. */
export interface Cards {
  cards: readonly { title: string; entries: readonly (readonly [name: string, value: string])[] }[];
}

/** A string is a paragraph; `Html` is a drawing, which Markdown leaves out. */
export type Part = string | Table | Cards | Html;

export interface Section {
  /** Its anchor. */
  id: string;
  title: string;
  parts: readonly Part[];
}

/** Drawings under a heading that opens and closes them. */
export function folded(title: string, open: boolean, drawings: Content): Html {
  return html`<details${open && html` open`}><summary>${title}</summary>
<div class="figures">${drawings}</div></details>`;
}

function cardsHtml({ cards }: Cards): Html {
  const each = cards.map(
    ({ title, entries }) =>
      html`<div class="card"><h3>${title}</h3><dl>${entries.map(
        ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`,
      )}</dl></div>`,
  );
  return html`<div class="cards">${each}</div>`;
}

function partHtml(part: Part): Html {
  if (part instanceof Html) return part;
  if (typeof part === 'string') return html`<p>${part}</p>`;
  return 'cards' in part ? cardsHtml(part) : tableHtml(part);
}

export function sectionHtml({ id, title, parts }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${parts.map(partHtml)}</section>
`;
}

function partMarkdown(part: Part): string | null {
  if (part instanceof Html) return null;
  if (typeof part === 'string') return inMarkdown(part);
  if (!('cards' in part)) return tableMarkdown(part);
  return part.cards
    .map(
      ({ title, entries }) =>
        `- **${inMarkdown(title)}**: ` +
        `${entries.map((entry) => inMarkdown(entry.join(' '))).join('; ')}`,
    )
    .join('\n');
}

export function sectionMarkdown({ title, parts }: Section): string {
  return [
    `## ${inMarkdown(title)}`,
    ...parts.map(partMarkdown).filter((part) => part !== null),
  ].join('\n\n');
}

export function tablesOf({ parts }: Section): Table[] {
  return parts.filter((part): part is Table => typeof part === 'object' && 'rows' in part);
}
