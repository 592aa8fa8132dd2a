/** Text of a result in Markdown: it stays text, whatever it looks like. */
import { printable } from './printable';

/**
 * Escapes text for a line of Markdown, of a table too: no markup, no HTML, no link and no second
 * line comes of it. What has no meaning where it stands, such as a bracket or a hyphen within a
 * line, stays as it is.
 */
export function inMarkdown(text: string): string {
  return printable(text)
    .replace(/\n/g, ' ')
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replace(/[\\`*|]|~(?=\S)|(?<=\S)~/g, '\\$&')
    .replace(/(^|[^\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '$1\\_')
    .replace(/\](?=[[(:])/g, '\\]')
    .replace(/<(?=[a-z/!?])/gi, '&lt;')
    .replace(/^([#>+-]|\d+[.)])(?= )/, '\\$1');
}

/** The longest run of backticks in a text. */
const longestFence = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 0);

/** Code within a line, which shows backticks too. */
export function codeSpan(text: string): string {
  const safe = printable(text).replace(/\n/g, ' ');
  const fence = '`'.repeat(longestFence(safe) + 1);
  const room = /^`|`$/.test(safe) ? ' ' : '';
  return `${fence}${room}${safe}${room}${fence}`;
}

/** A block of shell commands, a line each. */
export function codeBlock(lines: readonly string[]): string {
  const safe = lines.map((line) => printable(line).replace(/\n/g, ' '));
  const fence = '`'.repeat(Math.max(3, longestFence(safe.join('\n')) + 1));
  return `${fence}sh\n${safe.join('\n')}\n${fence}`;
}
