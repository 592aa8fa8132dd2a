/**
 * The README's parts that scripts write: what stands between `<!-- table:name -->` and `<!--
 * /table:name -->`.
 */
import { readFileSync } from 'node:fs';
import { replaceFile } from './replace-file.js';

const README = new URL('../README.md', import.meta.url);

/** A Markdown table: first column left, the others right. */
export function markdownTable(head, rows) {
  const lines = [head, ['---', ...head.slice(1).map(() => '--:')], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @throws Error where the README has no such part */
export function replaceSection(name, text) {
  const readme = readFileSync(README, 'utf8');
  const marked = new RegExp(`(<!-- table:${name} -->\n)[\\s\\S]*?(<!-- /table:${name} -->)`);
  if (!marked.test(readme)) throw new Error(`README.md has no place for the table of ${name}`);
  replaceFile(
    README,
    readme.replace(marked, (_, begin, end) => `${begin}${text}\n${end}`),
  );
}
