/**
 * Results that want something else than to be read: markup, formulas, control codes, sizes and
 * nesting that no study has.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { report } from '../../bench/cli/report';
import {
  parseResult,
  readmeTables,
  renderCsv,
  renderMarkdown,
  renderReport,
} from '../../bench/report';
import { checkCells, tableCsv } from '../../bench/report/table';
import example from '../../bench/schema/example.json';
import type { Result } from '../../bench/schema/result';
import { mergeResults } from '../../bench/suite/merge';
import { nestingOf } from '../../bench/suite/nesting';
import { ResultStore } from '../../bench/suite/store';
import { codeBlock, codeSpan, inMarkdown } from '../../bench/toolkit/markdown';
import { printable } from '../../bench/toolkit/printable';
import { replaceText } from '../../bench/toolkit/replace-text';
import { caught } from '../support/errors';
import { syntheticResult } from './synthetic-result';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'adal-hostile-'));
const path = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

/** The example with every text of its own, but for names that others refer to, replaced. */
function withTexts(text: string): Result {
  const result = structuredClone(example) as unknown as Result;
  const set = (target: object, ...names: string[]): void => {
    for (const name of names) Object.assign(target, { [name]: text });
  };
  set(result.package, 'name', 'version', 'commit');
  result.commands = [text];
  for (const each of result.environments) {
    set(each, 'version', 'engine', 'os', 'arch', 'cpu', 'backend', 'threadsReason');
    each.warnings = [text];
  }
  for (const each of result.workloads) {
    set(each, 'title', 'attribution', 'reason');
    set(each.metric, 'name', 'unit');
    for (const reference of each.references) set(reference, 'source');
  }
  for (const each of result.optimizers) set(each, 'label', 'family', 'note');
  for (const each of result.schedules) set(each, 'label');
  for (const each of result.micro) set(each, 'implementation', 'benchmark', 'reason');
  for (const each of result.streams) set(each, 'title', 'id');
  for (const each of [
    ...result.hashes,
    ...result.coldStart,
    ...result.threadScaling,
    ...result.training.speed,
  ])
    set(each, 'reason');
  return parseResult(JSON.stringify(result), 'hostile');
}

describe('what a result says', () => {
  const codes = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202eevil\0\r';
  const markup = `</script><script>alert(1)</script><img src=x onerror=alert(1)> "' onload=a(1)`;

  it('is text in HTML, SVG included', () => {
    const page = renderReport(withTexts(markup));
    const scripts = page.match(/<script/g)!.length;
    expect(scripts).toBe(renderReport(withTexts('plain')).match(/<script/g)!.length);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('"\' onload');
    expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(1)');
  });

  it('has no control codes in any form', () => {
    const result = withTexts(codes);
    for (const text of [
      renderReport(result),
      renderMarkdown(result),
      ...readmeTables(result).values(),
    ]) {
      expect(text).not.toMatch(/[^\P{C}\n\t]/u);
    }
    expect(renderCsv(result).replaceAll('\r\n', '')).not.toMatch(/[^\P{C}\n]/u);
  });

  it('is text in Markdown, on its own line', () => {
    const whole = renderMarkdown(
      withTexts(`a\n# b | c <b>d</b> [e](javascript:f) \`g\` *h* &lt; \\|`),
    );
    const text = whole.replace(/```sh\n[\s\S]*?\n```/, ''); // code is shown as it is
    expect(text).not.toMatch(/^# b/m);
    expect(text).not.toContain('<b>');
    expect(text).not.toMatch(/(?<!\\)\]\(/);
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      expect(row.replaceAll('\\\\', '').replaceAll('\\|', '')).toMatch(/^\|( [^|]* \|)+$/);
    }
    expect(inMarkdown('a_b 3 < 4 and 0.93 [0.92, 0.94] - 1 ~ 2')).toBe(
      'a_b 3 < 4 and 0.93 [0.92, 0.94] - 1 ~ 2',
    );
    expect(inMarkdown('_a_ ~~b~~')).toBe('\\_a\\_ \\~\\~b\\~\\~');
    expect(codeBlock(['a ``` b', 'c\nd'])).toBe('````sh\na ``` b\nc d\n````');
    expect([codeSpan('a'), codeSpan('`a`'), codeSpan('a`b')]).toEqual([
      '`a`',
      '`` `a` ``',
      '``a`b``',
    ]);
  });

  it('is no formula in a spreadsheet, unless the cell is a number', () => {
    const formulas = [
      "-2+3+cmd|' /C calc'!A0",
      '=1+1',
      '+1+1',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      '\n=1',
      '-',
      '+',
      '-x',
      '-1-1',
      '+1,2',
      '＝1',
      '-0.5 ± 0.1',
    ];
    for (const formula of formulas) {
      const cells = tableCsv({
        id: formula,
        caption: '',
        columns: [{ label: formula }],
        rows: [[{ text: formula, note: formula }]],
      });
      expect(cells.match(/(^|,)"?'/g), formula).toHaveLength(4);
    }
    for (const number of ['-2', '-2.5', '-1e-7', '+3', '-1,234.5', '-.5', '-12,345,678']) {
      expect(
        tableCsv({ id: 'a', caption: '', columns: [{ label: 'b' }], rows: [[{ text: number }]] }),
      ).not.toContain("'");
    }
    const csv = renderCsv(withTexts(formulas[0]!));
    expect(
      csv.split(/\r\n|,/).filter((cell) => /^"?[=+\-@\t\r](?![\d.,e+-]*"?$)/.test(cell)),
    ).toEqual([]);
  });

  it('does not steer a terminal by an error', () => {
    for (const text of [
      `{"schemaVersion":"${codes.replace('\0\r', '')}"`,
      `${codes}{`,
      `{"schemaVersion":2,"\u009b":1}`,
    ]) {
      const { message } = caught(() => parseResult(text, `r${codes}.json`)) as Error;
      expect(message).toMatch(/^r\\u\{1b\}\[2J/);
      expect(message).not.toMatch(/[^\P{C}\n]/u);
    }
    expect(printable(printable('a\u001b\n'))).toBe('a\\u{1b}\n');
  });
});

describe('a file that is no result', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [CLI, 'report', ...args], { cwd: folder, encoding: 'utf8' });
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const cases: [string, () => string, RegExp][] = [
    ['a folder', () => '.', /\.: expected a result file, got a folder/],
    ['a device', () => '/dev/zero', /\/dev\/zero: expected a result file, got a device/],
    ['no file', () => 'none.json', /none\.json: no such file/],
    [
      'more than 512 MB',
      () => {
        writeFileSync(path('large.json'), '');
        truncateSync(path('large.json'), 600 * 2 ** 20);
        return 'large.json';
      },
      /large\.json: a result file may have at most 512 MB/,
    ],
    [
      'deep nesting of a field',
      () => write('deep.json', `{"schemaVersion":${deep(200_000)}}`),
      /deep\.json: .* 32 levels deep/,
    ],
    [
      'deep nesting without an end',
      () => write('open.json', '{"a":['.repeat(300_000)),
      /open\.json: .* 32 levels deep/,
    ],
    [
      'deep commands',
      () => write('commands.json', JSON.stringify({ ...example, commands: [[[[]]], [[[]]]] })),
      /commands/,
    ],
    [
      'other bytes',
      () => write('bytes.json', Buffer.from([0xff, 0xfe, 0x00])),
      /bytes\.json: expected a result file, which is UTF-8/,
    ],
    ...['null', '7', '"x"', '[]', 'true'].map((text, i): [string, () => string, RegExp] => [
      text,
      () => write(`type-${i}.json`, text),
      /"schemaVersion" expected 2, got undefined/,
    ]),
    [
      'a long name',
      () => write('name.json', JSON.stringify({ ...example, ['x'.repeat(1e6)]: 1 })),
      /…$/m,
    ],
  ];

  function write(name: string, content: string | Buffer): string {
    writeFileSync(path(name), content);
    return name;
  }

  it.each(cases)('%s is refused by name, without a stack', (_, prepare, message) => {
    const { status, stderr } = run(prepare(), '--out', 'out.html');
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/internal error|\n\s+at /);
    expect(stderr.length).toBeLessThan(2000);
    expect(existsSync(path('out.html'))).toBe(false);
  });

  it('of any of these kinds in place of a running benchmark’s is refused as well', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [CLI, 'bench', '--tier', 'smoke', '--only', 'hashes', '--out', '.'],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/\.: expected a result file, got a folder/);
  });

  it('may come through a pipe if it is one', () => {
    writeFileSync(path('piped.json'), JSON.stringify(example));
    const report = `'${process.execPath}' '${CLI}' report /dev/stdin --out piped.md`;
    const { status, stderr } = spawnSync('sh', ['-c', `cat piped.json | ${report}`], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('is told from JSON whose text has brackets', () => {
    expect(nestingOf(`["[[[[\\"[[[[", {"a":[1]}]`)).toBe(3);
  });
});

describe('a file that is replaced', () => {
  it('keeps its mode and its link, and is never seen in part', () => {
    writeFileSync(path('target.txt'), 'old');
    chmodSync(path('target.txt'), 0o640);
    symlinkSync('target.txt', path('link.txt'));
    replaceText(path('link.txt'), 'new');
    expect(readFileSync(path('target.txt'), 'utf8')).toBe('new');
    expect(statSync(path('target.txt')).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('stays when its place cannot be written to, and the error names it', () => {
    mkdirSync(path('busy.html'), { recursive: true });
    writeFileSync(path('whole.json'), JSON.stringify(example));
    expect(() => report([path('whole.json')], [path('busy.html')])).toThrow('busy.html');
    expect(() => replaceText(path('none/x.txt'), '')).toThrow(
      expect.objectContaining({ path: path('none/x.txt') }),
    );
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a large result', () => {
  it('with more seeds or samples than are compared is refused', () => {
    const [run] = syntheticResult(1).training.runs;
    const many = syntheticResult(1);
    many.training.runs = Array.from({ length: 1001 }, (_, seed) => ({ ...run!, seed }));
    expect(() => parseResult(JSON.stringify(many), 'r')).toThrow(/r: more than 1000 runs of/);
    const samples = syntheticResult(1);
    samples.micro = [{ ...samples.micro[0]!, samples: Array(1001).fill(1) }];
    expect(() => parseResult(JSON.stringify(samples), 'r')).toThrow(
      /must NOT have more than 1000 items/,
    );
  });

  it('whose tables would be empty is refused', () => {
    const result = syntheticResult(1);
    const [run] = result.training.runs;
    const ids = Array.from({ length: 200 }, (_, i) => i);
    result.workloads = ids.map((i) => ({ ...result.workloads[0]!, id: `W${i}` }));
    result.optimizers = ids.map((i) => ({ ...result.optimizers[0]!, id: `o${i}` }));
    result.training.runs = ids.map((i) => ({ ...run!, workload: `W${i}`, optimizer: `o${i}` }));
    result.training.selections = [];
    result.comparisons = [];
    expect(() => renderCsv(result)).toThrow(
      /the table of optimizers and workloads would have 40000 cells for 200 entries/,
    );
    expect(() => checkCells('x', 1016, 1)).not.toThrow();
  });

  it('is merged and stored by keys', () => {
    const result = syntheticResult(20);
    Object.assign(result, { micro: [], coldStart: [], threadScaling: [] });
    result.training.speed = [];
    const twice = mergeResults([
      { name: 'a', result },
      { name: 'b', result },
    ]);
    expect(twice.training.runs).toHaveLength(result.training.runs.length);
    const store = new ResultStore(structuredClone(result));
    const [first] = result.training.runs;
    store.add({ type: 'run', value: { ...first!, secondsPerStep: 7 } });
    expect(store.result.training.runs).toHaveLength(result.training.runs.length);
    expect(store.result.training.runs[0]!.secondsPerStep).toBe(7);
  });
});
