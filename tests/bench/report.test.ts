/** The report: its tables against a made-up result of a known truth, its page against its own security policy. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Ajv from 'ajv';
import { afterAll, describe, expect, it } from 'vitest';
import { readmeTables, renderCsv, renderMarkdown, renderReport, replaceTables } from '../../bench/report';
import { report } from '../../bench/report/command';
import { curveChart, MOST_POINTS, thin } from '../../bench/report/curves';
import { formatDuration, formatEstimate, formatExact, formatNumber, formatRatio, formatSpread } from '../../bench/report/format';
import { html } from '../../bench/report/html';
import { sectionHtml } from '../../bench/report/section';
import { earlyLoss, generalisationGap, lateUnrest } from '../../bench/report/sections/claims';
import { testedComparisons } from '../../bench/report/sections/comparisons';
import { hashCounts } from '../../bench/report/sections/correctness';
import { matrixTable } from '../../bench/report/sections/matrix';
import { Study } from '../../bench/report/study';
import { tableCsv, tableHtml, tableMarkdown } from '../../bench/report/table';
import example from '../../bench/schema/example.json';
import { unknownReference } from '../../bench/schema/references';
import type { Reference, Result, Run } from '../../bench/schema/result';
import schema from '../../bench/schema/result.schema.json';
import { WORKLOADS } from '../../bench/suite/registry';
import { parseResult } from '../../bench/suite/validate';
import { syntheticResult } from './synthetic-result';

const result = syntheticResult();
const study = new Study(result);
const page = renderReport(result);
const CONSTANT = { track: 'T1', schedule: 'constant' } as const;

/** Where the figures do not matter. */
const small = syntheticResult(3);

const withRuns = (change: (run: Run) => Run): Result => {
  return { ...result, training: { ...result.training, runs: result.training.runs.map(change) } };
};

it('types, schema and the made-up result agree', () => {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
  for (const each of [result, example]) expect(validate(each), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
});

describe('comparisons', () => {
  it('find what was put in, and nothing where nothing was', () => {
    const found = testedComparisons(study).map(({ workload, listed, tone }) => [workload.id, listed.b, tone]);
    expect(found).toEqual([
      ['W1', 'adam', 'better'],
      ['W3', 'adam', 'undecided'],
      ['W5', 'adam', 'worse'],
      ['W1', 'sgd-momentum', 'better'],
      ['W3', 'sgd-momentum', 'undecided'],
      ['W5', 'sgd-momentum', 'worse'],
    ]);
  });

  it('are those that the result lists, each corrected over its own workloads', () => {
    const tested = testedComparisons(study);
    expect(tested).toHaveLength(6);
    // Ten pairs that all agree: 2^-9, times the workloads of one comparison.
    expect(Math.min(...tested.map(({ p }) => p!))).toBeCloseTo(3 / 512, 12);
    const [first] = result.comparisons;
    const alone = testedComparisons(new Study({ ...result, comparisons: [first!] }));
    expect(alone.map(({ p }) => p)).toEqual(tested.slice(0, 3).map(({ p }) => p));
  });

  it('can be decided with the seeds of every ranked workload of the standard and the full tier', () => {
    for (const tier of ['standard', 'full'] as const) {
      const tested = WORKLOADS.filter(({ ranked, tiers }) => ranked && tiers[tier]);
      for (const { id, tiers } of tested) {
        const smallest = 2 ** (1 - tiers[tier]!.finalSeeds) * tested.length;
        expect(smallest, `${id} in ${tier}`).toBeLessThan(0.05);
      }
    }
  });

  it('print no p with five seeds', () => {
    const few = new Study(syntheticResult(5));
    expect(testedComparisons(few).map(({ p }) => p)).toEqual(Array(6).fill(null));
    expect(renderMarkdown(few.result)).toContain('With fewer than 6 seeds there is no p');
  });

  it('announce no winner where the interval includes no difference, in any cell of any matrix', () => {
    let decided = 0;
    for (const condition of study.conditions()) {
      for (const workload of study.workloads(condition)) {
        for (const { id } of study.optimizers(condition)) {
          const { difference, tone } = study.compare(workload, id, 'adam', condition)!;
          const [low, high] = difference.interval!;
          expect(tone === 'undecided').toBe(low <= 0 && high >= 0);
          decided += Number(tone !== 'undecided');
        }
      }
    }
    expect(decided).toBeGreaterThan(4);
  });

  it('pair by seed: leaving some out on one side changes the pairs, not their partners', () => {
    const [w1] = result.workloads;
    const fewer = new Study({ ...result, training: { ...result.training, runs: result.training.runs.filter(({ optimizer, seed }) => optimizer !== 'adam' || seed % 2 === 0) } }); // biome-ignore format: one expression
    const all = study.compare(w1!, 'adal', 'adam', CONSTANT)!;
    const half = fewer.compare(w1!, 'adal', 'adam', CONSTANT)!;
    expect(half.seeds).toEqual([0, 2, 4, 6, 8]);
    expect(half.differences).toEqual(all.differences.filter((_, i) => i % 2 === 0));
  });

  it('count a diverged run as the worst: failing never helps', () => {
    const failed = new Study(withRuns((run) => (run.optimizer === 'adal' ? { ...run, diverged: true } : run)));
    for (const workload of result.workloads) {
      const { tone, improvement } = failed.compare(workload, 'adal', 'adam', CONSTANT)!;
      expect([workload.id, tone, improvement.value]).toEqual([workload.id, 'worse', 0]);
    }
    expect(renderMarkdown(failed.result)).toContain('diverged');
    const both = new Study(withRuns((run) => ({ ...run, diverged: true })));
    expect(both.compare(result.workloads[0]!, 'adal', 'adam', CONSTANT)!.tone).toBe('undecided');
  });
});

describe('conditions', () => {
  it('hold reference defaults together, whatever schedule belongs to each', () => {
    const owned = withRuns((run) => (run.optimizer === 'adal' && run.schedule === 'constant' ? run : { ...run, track: 'T0' }));
    const runs = owned.training.runs.filter(
      ({ track, schedule, optimizer }) => track === 'T1' || (schedule === 'cosine') === (optimizer === 'lion'),
    );
    const defaults = new Study({ ...owned, comparisons: [], training: { ...owned.training, runs } });
    const [condition] = defaults.conditions().filter(({ track }) => track === 'T0');
    expect(defaults.nameOf(condition!)).toBe('T0, own schedules');
    expect(defaults.optimizers(condition!).map(({ id }) => id)).toContain('lion');
    expect(defaults.compare(result.workloads[0]!, 'lion', 'adam', condition!)!.seeds).toHaveLength(10);
  });

  it('keep ablations out of the contenders, in a section of their own', () => {
    const optimizers = small.optimizers.map((each) => (each.id === 'lion' ? { ...each, ablation: 'power' } : each));
    const ablated = { ...small, optimizers };
    expect(new Study(ablated).optimizers(CONSTANT).map(({ id }) => id)).not.toContain('lion');
    expect(new Study(ablated).optimizers(CONSTANT, 'power').map(({ id }) => id)).toEqual(['lion']);
    expect(renderReport(ablated)).toContain('<section id="ablation"');
    expect(renderReport(small)).not.toContain('<section id="ablation"');
  });
});

describe('the claims', () => {
  const run = (trainLoss: (number | null)[], more: Partial<Run> = {}): Run => ({
    ...result.training.runs[0]!,
    steps: 100,
    curve: { steps: trainLoss.map((_, i) => 10 * i), trainLoss, validationLoss: [], validationMetric: [] },
    ...more,
  });

  it('measure the beginning, the end and the gap as they say', () => {
    const losses = [9, 5, 4, 3, 3, 3, 3, 3, 1, 4, 2];
    expect(earlyLoss(run(losses))).toBe(5);
    // At steps 80, 90, 100: 1, 4, 2; changes 3 and 2.
    expect(lateUnrest(run(losses))).toBe(2.5);
    expect(lateUnrest(run(losses, { diverged: true }))).toBe(Infinity);
    expect(generalisationGap(run([], { final: { ...result.training.runs[0]!.final, trainLoss: 1, testLoss: 1.5 } }))).toBe(0.5);
    expect(earlyLoss(run([], { curve: null }))).toBeNull();
    expect(generalisationGap(run([]))).toBeNull();
  });

  it('say where streams go, and when not as expected', () => {
    expect(renderMarkdown(result)).toContain('0.39 to 0.41 | 0 | as expected');
    const [first, ...others] = result.streams;
    const strayed = { ...small, streams: [{ ...first!, values: first!.values.map(() => 0.1) }, ...others] };
    expect(renderMarkdown(strayed)).toContain('NOT as expected');
    const free = { ...small, streams: [{ ...first!, expected: { low: null, high: null, optimum: 0 } }] };
    expect(renderMarkdown(free)).not.toContain('as expected');
  });
});

describe('curves', () => {
  it('are thinned with both ends kept', () => {
    expect(thin(3)).toEqual([0, 1, 2]);
    const kept = thin(12_345);
    expect(kept).toHaveLength(MOST_POINTS);
    expect([kept[0], kept.at(-1)]).toEqual([0, 12_344]);
    expect(new Set(kept).size).toBe(MOST_POINTS);
  });

  it('are medians and bands over the seeds; a diverged run is worse than all others from then on', () => {
    const runs = [1, 2, 3].map((loss, seed) => ({
      ...result.training.runs[0]!,
      seed,
      divergedStep: loss === 1 ? 20 : null,
      curve: {
        steps: [10, 20],
        trainLoss: [loss, loss === 1 ? null : loss],
        validationLoss: [null, null],
        validationMetric: [null, null],
      },
    }));
    const chart = curveChart(new Study({ ...result, training: { ...result.training, runs } }), result.workloads[0]!, CONSTANT)!;
    expect(chart.series).toHaveLength(1);
    expect(chart.series[0]!.bands).toEqual({ trainLoss: { median: [2, 3], low: [1.2, 2.2], high: [2.8, null] } });
  });
});

describe('anchors', () => {
  const rowsOf = (each: Result) =>
    renderMarkdown(each)
      .split('\n')
      .filter((line) => line.includes('DeepOBS baselines') || line.includes('known'));
  const withReference = (reference: Partial<Reference>): Result => {
    const [w1, ...others] = small.workloads;
    return { ...small, workloads: [{ ...w1!, references: [{ ...w1!.references[0]!, ...reference }] }, ...others] };
  };

  it('are set beside runs with the same optimizer and rate, and apart in deviations of the known', () => {
    expect(rowsOf(small).at(-1)).toMatch(
      /W1 .*87\.112 ± 0\.024 \(published, 10 seeds\) \| 87\.\d+ ± 0\.\d+ \(3 values\) \| \d\.\d of its/,
    );
    expect(rowsOf(withReference({ options: { lr: 0.5 } })).at(-1)).toContain('not run so');
    expect(rowsOf(withReference({ value: 80 })).at(-1)).toMatch(/▼ \d{3}\.\d of its deviations/);
  });

  it('of the start and of whole fits are set beside those, not beside losses', () => {
    expect(rowsOf(withReference({ optimizer: null, options: {}, value: 353.4 })).at(-1)).toMatch(/at the start\*\* .* 35\d\.\d/);
    const fit = { ...small.micro[0]!, benchmark: 'fit-W1', samples: [5e6, 5e6] };
    const timed = { ...withReference({ optimizer: null, options: { fitMs: 9 }, value: 9 }), micro: [fit] };
    expect(rowsOf(timed).at(-1)).toMatch(/a whole fit, ms\*\* .* \| 5\.000 \(2 values\)/);
  });
});

describe('hashes', () => {
  it('are counted by training, and a difference is shouted', () => {
    expect(hashCounts(result.hashes)).toEqual({ equal: 6, different: 0 });
    expect(page).toContain('All 6 trainings gave the same parameters');
    const [first, ...others] = result.hashes;
    const broken = renderReport({ ...small, hashes: [{ ...first!, hash: 'deadbeef' }, ...others] });
    expect(broken).toContain('1 of 6 trainings gave DIFFERENT parameters');
  });

  it('that were not measured are said to be so, and those of one runtime to prove nothing', () => {
    expect(renderReport({ ...small, hashes: [] })).toContain('Not measured: whether trainings give the same parameters');
    const [{ environment }] = small.hashes as [Result['hashes'][number]];
    const alone = { ...small, hashes: small.hashes.filter((entry) => entry.environment === environment) };
    expect(renderReport(alone)).toContain('6 trainings were hashed on one runtime alone');
  });
});

describe('the page', () => {
  const contentOf = (element: string): string => page.match(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`))![1]!;
  const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

  it('allows its own script and style by hash, and nothing else', () => {
    const policy = page.match(/Content-Security-Policy" content="([^"]*)"/)![1]!;
    expect(policy).toContain(`script-src ${hashOf(contentOf('script'))};`);
    expect(policy).toContain(`style-src ${hashOf(contentOf('style'))};`);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(page.match(/<script>/g)).toHaveLength(1);
  });

  it('has nothing that such a policy forbids, nor anything to load', () => {
    const markup = page.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<style>[\s\S]*?<\/style>/, '');
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
    const embedded = page.match(/<script type="text\/plain" id="result-data">([\s\S]*?)<\/script>/)![1]!;
    const text = gunzipSync(Buffer.from(embedded, 'base64')).toString();
    expect(parseResult(text, 'embedded')).toEqual(JSON.parse(JSON.stringify(result)));
  });

  it('has anchors for all of its sections, and ids once', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, anchor] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(anchor);
  });

  it('shows text as text, whatever it is', () => {
    const label = '</script><script>alert(1)</script>"\'&';
    const named = { ...small, optimizers: result.optimizers.map((each) => ({ ...each, label })) };
    const shown = renderReport(named);
    expect(shown.match(/<script>/g)).toHaveLength(1);
    expect(shown).not.toContain('<script>alert');
    expect(html`<i title="${label}">${[label, null, false, 3]}</i>`.markup).toBe(
      `<i title="${'&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;'}">&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;3</i>`,
    );
  });

  it('says what a reader must know first', () => {
    expect(renderReport({ ...small, complete: false })).toContain('This result is incomplete');
    expect(renderReport({ ...small, tier: 'smoke' })).toContain('its figures mean nothing');
    expect(page).not.toContain('role="note"');
    for (const command of result.commands) expect(page).toContain(command);
  });

  it('leaves out what there is nothing of, and stands a result that has nothing', () => {
    const empty: Result = { ...result, workloads: [], micro: [], hashes: [], coldStart: [], threadScaling: [], streams: [], comparisons: [], training: { runs: [], searches: [], selections: [], speed: [] } }; // biome-ignore format: one expression
    const shown = renderReport(empty);
    expect([...shown.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id)).toEqual(['environments']);
    expect(renderCsv(empty)).toBe('table,row,column,text,value\r\n');
  });

  it('names whatever could not be measured, with its reason', () => {
    expect(page).toContain('this runtime has no workers and no code generation');
  });
});

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
    expect(tableHtml(table).markup).toContain('<span class="sr">better: </span>1,000 ± 2<small>x</small>');
    expect(tableMarkdown(table)).toBe('*Sizes*\n\n| name | a\\|b |\n| --- | ---: |\n| **=1+1** | ▲ 1,000 ± 2 (x) |');
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
    expect(section.markup).toContain('<details><summary id="sizes-caption">Sizes (1 rows)</summary>');
  });
});

describe('numbers', () => {
  it('have the digits that their uncertainty leaves them', () => {
    expect(formatEstimate({ value: 87.11234, interval: [87.1, 87.136], count: 9 })).toBe('87.112 ± 0.024');
    expect(formatEstimate({ value: 0.97634, interval: null, count: 2 })).toBe('0.9763');
    expect(formatEstimate({ value: Infinity, interval: [3, Infinity], count: 9 })).toBe('∞ [3, ∞]');
    expect(formatEstimate({ value: 2, interval: [2, 2], count: 9 })).toBe('2.000 ± 0');
    expect(formatRatio({ value: 1.0412, interval: [0.981, 1.094], count: 9 })).toBe('×1.04 [0.98, 1.09]');
    expect(formatSpread(87.112, 0.024)).toBe('87.112 ± 0.024');
  });

  it('are short where they are exact', () => {
    expect([0.03981, 8, 1e-8, 0, 12345].map(formatExact)).toEqual(['0.03981', '8', '1e-8', '0', '12,350']);
    expect([0, 1234.5, 1e-7, NaN, null, -Infinity].map((value) => formatNumber(value))).toEqual(['0', '1,235', '1.00e-7', '–', '–', '-∞']); // biome-ignore format: one line
    expect([12.3, 4560, 1.24e6, 3.4e9].map(formatDuration)).toEqual(['12.3 ns', '4.56 µs', '1.24 ms', '3.4 s']);
  });
});

describe('the README', () => {
  const tables = readmeTables(result);

  it('gets its tables between their markers, as often as one likes', () => {
    const text = 'a\n<!-- bench:comparisons -->\nold\n<!-- /bench:comparisons -->\nb';
    const once = replaceTables(text, tables);
    expect(once).toContain('no difference shown');
    expect(once).toContain('Measured 2026-11-23 by `adal bench');
    expect(once).not.toContain('old');
    expect(replaceTables(once, tables)).toBe(once);
    expect(once.startsWith('a\n') && once.endsWith('\nb')).toBe(true);
  });

  it('is refused with markers that lead nowhere', () => {
    expect(() => replaceTables('<!-- bench:other -->', tables)).toThrow('"text" expected markers of comparisons, matrix, speed');
    expect(() => replaceTables('<!-- bench:speed -->', tables)).toThrow('expected <!-- /bench:speed --> after');
  });
});

it('the example of the schema makes a report', () => {
  const shown = renderReport(example as unknown as Result);
  expect(shown).toContain('TensorFlow.js needs code generation');
  expect(readFileSync('bench/schema/example.json', 'utf8').length).toBeLessThan(shown.length);
});

describe('adal report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-report-'));
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('whole.json'), JSON.stringify(example));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes what the extensions ask for, by default a page beside the result', () => {
    report([path('whole.json')]);
    expect(readFileSync(path('whole.html'), 'utf8')).toBe(renderReport(example as unknown as Result));
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
      [text.replace('"optimizer":"sgd-momentum"', '"optimizer":"sdg"'), 'no optimizer "sdg" in this result'],
      ['', 'no JSON'],
    ];
    for (const [content, message] of broken) {
      writeFileSync(path('broken.json'), content);
      expect(() => report([path('broken.json')], [path('broken.html')])).toThrow(message);
      expect(existsSync(path('broken.html'))).toBe(false);
    }
    expect(() => report([path('whole.json')], [path('report.pdf')])).toThrow('"out[0]" expected a file ending in .html, .md, .csv, .json'); // biome-ignore format: one line
  });
});

it('references are found wherever they stand', () => {
  expect(unknownReference(result)).toBeNull();
  for (const list of ['micro', 'hashes', 'coldStart', 'threadScaling', 'streams'] as const) {
    const strayed = { ...result, [list]: [{ ...result[list][0], environment: 'nowhere' }] };
    expect(unknownReference(strayed)).toBe(`/${list}/0: no environment "nowhere" in this result`);
  }
});
