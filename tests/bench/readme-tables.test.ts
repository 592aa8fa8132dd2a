/** The README's tables: each is what its committed result gives. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { readResult } from '../../bench/compare/read-result';
import { README, sectionsOf } from '../../bench/readme/sections';
import { outdatedSections, replaceSections } from '../../bench/toolkit/readme-sections';

const RESULTS = resolve(import.meta.dirname, '../../bench/results');

it.each([
  ['train-2026-12-01-node24.json', ['train']],
  ['optimizers-2026-11-23-node20.json', ['optimizers']],
  ['standard-2026-11-23.json.gz', ['comparisons', 'speed']],
])('%s gives what the README has', (file, names) => {
  const sections = sectionsOf(readResult(`${RESULTS}/${file}`));
  const readme = readFileSync(README, 'utf8');
  for (const name of names) {
    expect(sections.has(name)).toBe(true);
    expect(readme).toContain(`<!-- table:${name} -->`);
  }
  expect(outdatedSections(README, sections)).toEqual([]);
});

it('has no marker that nothing writes', () => {
  const markers = [...readFileSync(README, 'utf8').matchAll(/<!-- (\w+):([\w-]+) -->/g)];
  expect(markers.map(([, kind]) => kind)).toEqual(markers.map(() => 'table'));
  expect(markers.map(([, , name]) => name).sort()).toEqual(
    ['comparisons', 'optimizers', 'speed', 'train'].sort(),
  );
});

it('leaves the rest of a text alone', () => {
  const text =
    'a\n<!-- table:x -->\nold\n<!-- /table:x -->\nb\n<!-- table:y -->\n<!-- /table:y -->';
  const replaced = text.replace('old', 'new');
  const sections = new Map([['x', 'new']]).set('z', 'not in the text');
  expect(replaceSections(text, sections)).toBe(replaced);
});
