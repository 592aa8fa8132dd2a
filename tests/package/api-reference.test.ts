/** The API reference (`npm run docs`) covers every entry of the package. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ENTRIES, ROOT } from './declarations';

const { entryPoints, treatWarningsAsErrors } = JSON.parse(
  readFileSync(join(ROOT, 'typedoc.json'), 'utf8'),
) as { entryPoints: string[]; treatWarningsAsErrors: boolean };

it('has a page for every entry, by its own name', () => {
  const modules = entryPoints.map(
    (file) => /@module (\S+)/.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1],
  );
  expect(modules.sort()).toEqual([...ENTRIES.keys()].sort());
});

it('fails on a warning', () => expect(treatWarningsAsErrors).toBe(true));
