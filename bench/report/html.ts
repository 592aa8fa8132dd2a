/**
 * A template tag for HTML. Invariant: text becomes markup through this tag alone, which escapes
 * everything that is not `Html` already.
 */
import { gzipSync } from 'node:zlib';
import { printable } from '../toolkit/printable';

/** Markup that needs no escaping. Made by `html` and `raw` alone. */
export class Html {
  constructor(readonly markup: string) {}
}

/** What a template may hold: lists are joined, null and false leave nothing. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function markupOf(content: Content): string {
  if (content instanceof Html) return content.markup;
  if (Array.isArray(content)) return content.map(markupOf).join('');
  if (content === null || content === undefined || content === false) return '';
  return escapeText(printable(String(content)));
}

export function html(strings: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(
    strings.map((text, i) => text + (i < contents.length ? markupOf(contents[i]) : '')).join(''),
  );
}

/** Markup made elsewhere: the page's own script and style. */
export function raw(markup: string): Html {
  return new Html(markup);
}

/** Text that is too long to stand as it is: gzip in base64, which the page's script unpacks. */
export function embedGzip(id: string, text: string): Html {
  const packed = raw(gzipSync(text, { level: 9 }).toString('base64'));
  return html`<script type="text/plain" id="${id}">${packed}</script>`;
}
