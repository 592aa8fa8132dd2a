/**
 * Sections of README.md that benchmarks write: the text between `<!-- table:name -->` and
 * `<!-- /table:name -->`. Figures there are never typed by hand.
 */
import { readFileSync } from 'node:fs';
import { ArgumentError } from 'adal-wasm';
import { replaceText } from './replace-text';

const markersOf = (name: string): [begin: string, end: string] => [
  `<!-- table:${name} -->`,
  `<!-- /table:${name} -->`,
];

/**
 * Returns `text` with the given sections replaced. Sections that have no markers in the text, and
 * markers of other sections, are left alone.
 * @param sections text of each section, by name
 * @throws ArgumentError when the text has none of the sections, or a begin marker without an end
 */
export function replaceSections(text: string, sections: ReadonlyMap<string, string>): string {
  let found = 0;
  for (const [name, section] of sections) {
    const [begin, end] = markersOf(name);
    if (!text.includes(begin)) continue;
    const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
    if (to < from) throw new ArgumentError('text', `${end} after ${begin}`, begin);
    text = `${text.slice(0, from)}\n${section}\n${text.slice(to)}`;
    found++;
  }
  if (found === 0) {
    const names = [...sections.keys()].join(', ');
    throw new ArgumentError('text', `a marker <!-- table:… --> of ${names}`, 'none');
  }
  return text;
}

/**
 * Replaces sections of a file.
 * @throws ArgumentError as `replaceSections` does; the file system's errors
 */
export function writeSections(path: string, sections: ReadonlyMap<string, string>): void {
  replaceText(path, replaceSections(readFileSync(path, 'utf8'), sections));
}

/** Returns the names of the sections whose text in a file differs from the given one. */
export function outdatedSections(path: string, sections: ReadonlyMap<string, string>): string[] {
  const text = readFileSync(path, 'utf8');
  return [...sections]
    .filter(([name]) => text.includes(markersOf(name)[0]))
    .filter(([name, section]) => replaceSections(text, new Map([[name, section]])) !== text)
    .map(([name]) => name);
}
