/** The report as one page: what its policy allows, what it holds, what it says first. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { renderCsv, renderReport } from '../../bench/report';
import { stripsChart } from '../../bench/report/charts/strips';
import { html } from '../../bench/report/html';
import type { Result } from '../../bench/schema/result';
import { parseResult } from '../../bench/suite/validate';
import { syntheticResult } from './synthetic-result';

const result = syntheticResult();
const page = renderReport(result);

/** Where the figures do not matter. */
const small = syntheticResult(3);

describe('the page', () => {
  const contentOf = (element: string): string =>
    page.match(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`))![1]!;
  const hashOf = (text: string): string =>
    `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

  it('allows its own script and style by hash, and nothing else', () => {
    const policy = page.match(/Content-Security-Policy" content="([^"]*)"/)![1]!;
    expect(policy).toContain(`script-src ${hashOf(contentOf('script'))};`);
    expect(policy).toContain(`style-src ${hashOf(contentOf('style'))};`);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(page.match(/<script>/g)).toHaveLength(1);
  });

  it('has nothing that such a policy forbids, nor anything to load', () => {
    const markup = page
      .replace(/<script[\s\S]*?<\/script>/g, '')
      .replace(/<style>[\s\S]*?<\/style>/, '');
    expect(markup).not.toMatch(/\sstyle="/);
    expect(markup).not.toMatch(/\son\w+="/);
    expect(markup).not.toMatch(/\s(src|href)="(?!#|data:,")/);
    expect(contentOf('style')).not.toMatch(/url\(|@import/);
    expect(contentOf('script')).not.toMatch(/\beval\(|new Function|import\(|fetch\(/);
  });

  it('is the same each time', () => {
    expect(renderReport(syntheticResult(3))).toBe(renderReport(small));
  });

  it('holds the result as it was', () => {
    const embedded = page.match(
      /<script type="text\/plain" id="result-data">([\s\S]*?)<\/script>/,
    )![1]!;
    const text = gunzipSync(Buffer.from(embedded, 'base64')).toString();
    expect(parseResult(text, 'embedded')).toEqual(JSON.parse(JSON.stringify(result)));
  });

  it('draws zeros on log axes', () => {
    const chart = stripsChart('t', { label: 'loss', log: true }, [
      { label: 'a', index: 0, values: [0, 1e-9, 1], diverged: 0 },
    ]);
    expect(chart.markup).not.toContain('NaN');
    expect(chart.markup).toContain('class="dots"');
    expect(page).not.toContain('NaN,');
  });

  it('has anchors for all of its sections, and ids once', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor);
    expect(ids).toEqual(expect.arrayContaining(anchors));
    const sections = [...page.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);
    expect(sections.length).toBeGreaterThan(5);
    expect(anchors).toEqual(expect.arrayContaining(sections));
  });

  it('shows text as text, whatever it is', () => {
    const label = '</script><script>alert(1)</script>"\'&';
    const named = { ...small, optimizers: result.optimizers.map((each) => ({ ...each, label })) };
    const shown = renderReport(named);
    expect(shown.match(/<script>/g)).toHaveLength(1);
    expect(shown).not.toContain('<script>alert');
    const escaped = '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;';
    expect(html`<i title="${label}">${[label, null, false, 3]}</i>`.markup).toBe(
      `<i title="${escaped}">${escaped}3</i>`,
    );
  });

  it('says what a reader must know first', () => {
    expect(renderReport({ ...small, complete: false })).toContain('This result is incomplete');
    expect(renderReport({ ...small, tier: 'smoke' })).toContain('its figures mean nothing');
    expect(page).not.toContain('role="note"');
    for (const command of result.commands) expect(page).toContain(command);
  });

  it('leaves out what there is nothing of, and stands a result that has nothing', () => {
    const empty: Result = {
      ...result,
      workloads: [],
      micro: [],
      hashes: [],
      coldStart: [],
      threadScaling: [],
      streams: [],
      comparisons: [],
      training: { runs: [], searches: [], selections: [], speed: [] },
    };
    const shown = renderReport(empty);
    expect([...shown.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id)).toEqual([
      'environments',
    ]);
    expect(renderCsv(empty)).toBe('table,row,column,text,value\r\n');
  });

  it('names whatever could not be measured, with its reason', () => {
    expect(page).toContain('this runtime has no workers and no code generation');
  });
});
