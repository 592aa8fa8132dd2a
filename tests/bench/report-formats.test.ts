/** Tables, numbers and files of the report: HTML, Markdown, CSV, the README, `adal report`. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { report } from '../../bench/cli/report';
import {
  readmeTables,
  renderCsv,
  renderMarkdown,
  renderReport,
  replaceSections,
} from '../../bench/report';
import {
  formatDuration,
  formatEstimate,
  formatExact,
  formatNumber,
  formatRatio,
  formatSpread,
} from '../../bench/report/format';
import { sectionHtml } from '../../bench/report/section';
import { matrixTable } from '../../bench/report/sections/matrix';
import { Study } from '../../bench/report/study';
import { tableCsv, tableHtml, tableMarkdown } from '../../bench/report/table';
import example from '../../bench/schema/example.json';
import type { Result } from '../../bench/schema/result';
import { parseResult } from '../../bench/suite/validate';
import { syntheticResult } from './synthetic-result';

const result = syntheticResult();
const study = new Study(result);
const page = renderReport(result);
const CONSTANT = { track: 'T1', schedule: 'constant' } as const;

describe('tables', () => {
  const table = {
    id: 'sizes',
    caption: 'Sizes',
    columns: [{ label: 'name' }, { label: 'a|b', align: 'right' as const }],
    rows: [
      [
        { text: '=1+1', heading: true },
        { text: '1,000 ± 2', sort: 1000, note: 'x', tone: 'better' as const },
      ],
    ],
  };

  it('are the same in HTML, Markdown and CSV', () => {
    expect(tableHtml(table).markup).toContain('data-sort="1000"');
    expect(tableHtml(table).markup).toContain(
      '<span class="sr">better: </span>1,000 ± 2<small>x</small>',
    );
    expect(tableMarkdown(table)).toBe(
      '*Sizes*\n\n| name | a\\|b |\n| --- | ---: |\n| **=1+1** | ▲ 1,000 ± 2 (x) |',
    );
    expect(tableCsv(table)).toBe(`sizes,'=1+1,name,'=1+1,\r\nsizes,'=1+1,a|b,"1,000 ± 2 (x)",1000`);
  });

  it('of the report are all in its Markdown and its CSV', () => {
    const ids = [...page.matchAll(/<table id="([^"]+)"/g)].map(([, id]) => id!);
    const inCsv = new Set(
      renderCsv(result)
        .split('\r\n')
        .map((line) => line.split(',')[0]!),
    );
    expect([...inCsv].sort()).toEqual([...ids, 'table', ''].sort());
    const markdown = renderMarkdown(result);
    expect(markdown.match(/^\| ---|^\| ---:/gm)).toHaveLength(ids.length);
    const { rows } = matrixTable(study, CONSTANT);
    for (const row of rows) for (const { text } of row) expect(markdown).toContain(text);
  });

  it('that are folded open with a summary', () => {
    const section = sectionHtml({ id: 's', title: 'S', parts: [{ ...table, folded: true }] });
    expect(section.markup).toContain(
      '<details><summary id="sizes-caption">Sizes (1 rows)</summary>',
    );
  });
});

describe('numbers', () => {
  it('have the digits that their uncertainty leaves them', () => {
    expect(formatEstimate({ value: 87.11234, interval: [87.1, 87.136], count: 9 })).toBe(
      '87.112 ± 0.024',
    );
    expect(formatEstimate({ value: 0.97634, interval: null, count: 2 })).toBe('0.9763');
    expect(formatEstimate({ value: Infinity, interval: [3, Infinity], count: 9 })).toBe('∞ [3, ∞]');
    expect(formatEstimate({ value: 2, interval: [2, 2], count: 9 })).toBe('2.000 ± 0');
    expect(formatRatio({ value: 1.0412, interval: [0.981, 1.094], count: 9 })).toBe(
      '×1.04 [0.98, 1.09]',
    );
    expect(formatSpread(87.112, 0.024)).toBe('87.112 ± 0.024');
  });

  it('are short where they are exact', () => {
    expect([0.03981, 8, 1e-8, 0, 12345].map(formatExact)).toEqual([
      '0.03981',
      '8',
      '1e-8',
      '0',
      '12,350',
    ]);
    const numbers = [0, 1234.5, 1e-7, NaN, null, -Infinity].map((value) => formatNumber(value));
    expect(numbers).toEqual(['0', '1,235', '1.00e-7', '–', '–', '-∞']);
    expect([12.3, 4560, 1.24e6, 3.4e9].map(formatDuration)).toEqual([
      '12.3 ns',
      '4.56 µs',
      '1.24 ms',
      '3.4 s',
    ]);
  });
});

describe('the README', () => {
  const tables = readmeTables(result);

  it('gets its tables between their markers, as often as one likes', () => {
    const text = 'a\n<!-- table:comparisons -->\nold\n<!-- /table:comparisons -->\nb';
    const once = replaceSections(text, tables);
    expect(once).toContain('no difference shown');
    expect(once).toContain('Measured 2026-11-23 by `adal bench');
    expect(once).not.toContain('old');
    expect(replaceSections(once, tables)).toBe(once);
    expect(once.startsWith('a\n') && once.endsWith('\nb')).toBe(true);
  });

  it('has no rows without a figure', () => {
    const rows = tables
      .get('speed')!
      .split('\n')
      .filter((line) => line.startsWith('| **'));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.split('|').slice(3).join()).toMatch(/\d/);
  });

  it('is refused with markers that lead nowhere', () => {
    expect(() => replaceSections('<!-- table:other -->', tables)).toThrow(
      '"text" expected a marker <!-- table:… --> of comparisons, matrix, speed',
    );
    expect(() => replaceSections('<!-- table:speed -->', tables)).toThrow(
      'expected <!-- /table:speed --> after',
    );
  });
});

describe('adal report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-report-'));
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('whole.json'), JSON.stringify(example));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes what the extensions ask for, by default a page beside the result', () => {
    report([path('whole.json')]);
    expect(readFileSync(path('whole.html'), 'utf8')).toBe(
      renderReport(example as unknown as Result),
    );
    report([path('whole.json')], [path('a.md'), path('a.csv'), path('a.json')]);
    expect(readFileSync(path('a.md'), 'utf8')).toContain('| --- |');
    expect(parseResult(readFileSync(path('a.json'), 'utf8'), 'a.json')).toEqual(example);
  });

  it('refuses a broken result and writes nothing', () => {
    const text = JSON.stringify(example);
    const broken: [string, string][] = [
      [text.slice(0, 5000), 'no JSON, or not all of it'],
      [text.replace('"schemaVersion":2', '"schemaVersion":1'), '"schemaVersion" expected 2, got 1'],
      [text.replace('"seed":0', '"seed":-1'), 'must be >= 0'],
      [
        text.replace('"optimizer":"sgd-momentum"', '"optimizer":"sdg"'),
        'no optimizer "sdg" in this result',
      ],
      ['', 'no JSON'],
    ];
    for (const [content, message] of broken) {
      writeFileSync(path('broken.json'), content);
      expect(() => report([path('broken.json')], [path('broken.html')])).toThrow(message);
      expect(existsSync(path('broken.html'))).toBe(false);
    }
    expect(() => report([path('whole.json')], [path('report.pdf')])).toThrow(
      '"out[0]" expected a file ending in .html, .md, .csv, .json',
    );
  });
});
