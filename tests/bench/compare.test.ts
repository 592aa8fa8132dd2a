/** Comparisons of results that were made by hand, so that the right answer is known. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { compareResults } from '../../bench/compare';
import { compare } from '../../bench/compare/command';
import type { Comparison, StudyComparison } from '../../bench/compare/comparison';
import { parseAnyResult, type SingleRecord } from '../../bench/compare/read-result';
import { comparisonText } from '../../bench/compare/text';
import type { Micro, Result, Run } from '../../bench/schema/result';
import { syntheticResult } from './synthetic-result';

const base = syntheticResult(10);

/** A copy of the synthetic result, with runs and timings changed as said. */
function variant(change: {
  runs?: (run: Run) => Run | null;
  micro?: (row: Micro) => Micro | null;
  result?: (result: Result) => Partial<Result>;
}): Result {
  const { training, micro } = base;
  const changed: Result = {
    ...base,
    training: {
      ...training,
      runs: training.runs.flatMap((run) => (change.runs ? (change.runs(run) ?? []) : run)),
    },
    micro: micro.flatMap((row) => (change.micro ? (change.micro(row) ?? []) : row)),
  };
  return { ...changed, ...change.result?.(changed) };
}

const compareWith = (result: Result, level?: number): Comparison =>
  compareResults(
    { name: 'a.json', result: base },
    { name: 'b.json', result },
    level === undefined ? {} : { level },
  );

const isCell = (run: Run, workload: string, optimizer: string): boolean =>
  run.workload === workload && run.optimizer === optimizer && run.schedule === 'constant';

function cellOf({ studies }: Comparison, workload: string, optimizer: string): StudyComparison {
  return studies.find(
    ({ cell }) =>
      cell.workload === workload && cell.optimizer === optimizer && cell.schedule === 'constant',
  )!;
}

/** Adds to a figure of the final state. */
const shift = (run: Run, field: 'validationLoss' | 'testMetric', by: number): Run => ({
  ...run,
  final: { ...run.final, [field]: run.final[field]! + by },
});

describe('two results that are alike', () => {
  const comparison = compareWith(base);

  it('have no change', () => {
    expect(comparison.changed).toBe(false);
    expect(new Set(comparison.studies.map(({ verdict }) => verdict))).toEqual(new Set(['same']));
    expect(comparison.speeds.length).toBeGreaterThan(10);
    expect(new Set(comparison.speeds.map(({ verdict }) => verdict))).toEqual(
      new Set(['within noise']),
    );
    expect([...comparison.onlyA, ...comparison.onlyB, ...comparison.warnings]).toEqual([]);
  });

  it('say so', () => {
    expect(comparisonText(comparison)).toMatch(/Nothing changed beyond noise\.$/);
  });
});

describe('training', () => {
  it('is worse when a loss is larger by the same for every seed', () => {
    const comparison = compareWith(
      variant({
        runs: (run) => (isCell(run, 'W1', 'adal') ? shift(run, 'validationLoss', 0.5) : run),
      }),
    );
    const { verdict, difference, seeds } = cellOf(comparison, 'W1', 'adal');
    expect([verdict, seeds]).toEqual(['worse', 10]);
    expect(difference.value).toBeCloseTo(0.5, 9);
    expect(difference.interval![0]).toBeCloseTo(0.5, 9);
    expect(difference.interval![1]).toBeCloseTo(0.5, 9);
    expect(comparison.studies.filter(({ verdict }) => verdict !== 'same')).toHaveLength(1);
    expect(comparison.changed).toBe(true);
  });

  it('is better when an accuracy is higher by the same for every seed', () => {
    const comparison = compareWith(
      variant({
        runs: (run) => (isCell(run, 'W3', 'adal') ? shift(run, 'testMetric', 0.01) : run),
      }),
    );
    expect(cellOf(comparison, 'W3', 'adal').verdict).toBe('better');
  });

  it('is undecided when half of the seeds gain what the others lose', () => {
    const comparison = compareWith(
      variant({
        runs: (run) =>
          isCell(run, 'W1', 'adal') ? shift(run, 'validationLoss', run.seed % 2 ? 0.5 : -0.5) : run,
      }),
    );
    const { verdict, difference } = cellOf(comparison, 'W1', 'adal');
    expect(verdict).toBe('undecided');
    expect(difference.value).toBeCloseTo(0, 9);
    expect(comparison.changed).toBe(false);
  });

  it('has no verdict with two seeds, however much they differ', () => {
    const comparison = compareWith(
      variant({
        runs: (run) => {
          if (!isCell(run, 'W1', 'adal')) return run;
          return run.seed < 2 ? shift(run, 'validationLoss', 9) : null;
        },
      }),
    );
    const { verdict, seeds, difference } = cellOf(comparison, 'W1', 'adal');
    expect([verdict, seeds, difference.interval]).toEqual(['undecided', 2, null]);
  });

  it('is worse when runs diverge that did not, and the same when both did', () => {
    const comparison = compareWith(
      variant({
        runs: (run) =>
          isCell(run, 'W1', 'adal')
            ? { ...run, diverged: true, final: { ...run.final, validationLoss: null } }
            : run,
      }),
    );
    const { verdict, b, difference } = cellOf(comparison, 'W1', 'adal');
    expect([verdict, b, difference.value]).toEqual(['worse', null, Infinity]);
    // Nesterov diverges with seed 3 in both.
    expect(cellOf(comparison, 'W1', 'nesterov').verdict).toBe('same');
  });

  it('counts hashes that changed, even where no figure did', () => {
    const hashed = (hash: string) => (run: Run) =>
      isCell(run, 'W1', 'adal') ? { ...run, hash: run.seed < 3 ? hash : 'same' } : run;
    const comparison = compareResults(
      { name: 'a', result: variant({ runs: hashed('old') }) },
      { name: 'b', result: variant({ runs: hashed('new') }) },
    );
    const { verdict, hashes } = cellOf(comparison, 'W1', 'adal');
    expect([verdict, hashes]).toEqual(['same', { compared: 10, changed: 3 }]);
    expect(comparison.changed).toBe(true);
    expect(comparisonText(comparison)).toContain('3 of 10 changed');
  });

  it('names cells that only one has, of which a loss is a change', () => {
    const without = variant({ runs: (run) => (run.optimizer === 'lion' ? null : run) });
    const lost = compareWith(without);
    expect(lost.onlyA).toContain('W1 lion T1 constant');
    expect(lost.changed).toBe(true);
    const gained = compareResults({ name: 'a', result: without }, { name: 'b', result: base });
    expect(gained.onlyB).toContain('W1 lion T1 constant');
    expect(gained.changed).toBe(false);
  });

  it('tells a learning rate that the search chose anew', () => {
    const comparison = compareWith(
      variant({ runs: (run) => (isCell(run, 'W1', 'adal') ? { ...run, lr: 0.1 } : run) }),
    );
    expect(cellOf(comparison, 'W1', 'adal').lr).toEqual({ a: 0.01, b: 0.1 });
    expect(comparisonText(comparison, true)).toContain('lr 0.01 → 0.1');
  });

  it('is not compared where the workload has another version', () => {
    const comparison = compareWith(
      variant({
        result: ({ workloads }) => ({
          workloads: workloads.map((each) => (each.id === 'W1' ? { ...each, version: 9 } : each)),
        }),
      }),
    );
    expect(cellOf(comparison, 'W1', 'adal')).toBeUndefined();
    expect(cellOf(comparison, 'W3', 'adal')).toBeDefined();
    expect(comparison.warnings.join()).toContain('W1 is another workload in B');
  });
});

describe('fingerprints', () => {
  it('are compared by runtime, workload and optimizer', () => {
    const comparison = compareWith(
      variant({
        result: ({ hashes }) => ({
          hashes: hashes.map((entry, i) => (i === 0 ? { ...entry, hash: 'f'.repeat(16) } : entry)),
        }),
      }),
    );
    const [first] = base.hashes;
    expect(comparison.bits.changes).toHaveLength(1);
    expect(comparison.bits.changes[0]).toMatchObject({ a: first!.hash, b: 'f'.repeat(16) });
    expect(comparison.bits.changes[0]!.label).toContain(first!.workload);
    expect(comparison.changed).toBe(true);
  });
});

/** Multiplies samples of the rows that `affects` accepts. */
const slowed = (factor: number, affects: (row: Micro) => boolean) =>
  variant({
    micro: (row) =>
      affects(row) ? { ...row, samples: row.samples.map((sample) => factor * sample) } : row,
  });

const isOwn = ({ implementation }: Micro): boolean => /^(wasm|oracle)/.test(implementation);

describe('speed', () => {
  const one = (row: Micro): boolean =>
    row.environment === base.environments[0]!.id &&
    row.implementation === 'wasm simd' &&
    row.n === 1e6;
  const changesOf = ({ speeds }: Comparison) =>
    speeds.filter(({ verdict }) => verdict !== 'within noise');

  it('is slower when all samples are', () => {
    const comparison = compareWith(slowed(1.5, one));
    const [change, ...others] = changesOf(comparison);
    expect(others).toEqual([]);
    expect(change).toMatchObject({ verdict: 'slower', anchor: false });
    expect(change!.label).toContain('1,000,000');
    expect(change!.ratio.value).toBeCloseTo(1.5, 9);
    expect(comparison.changed).toBe(true);
  });

  it('is faster when all samples are', () => {
    expect(changesOf(compareWith(slowed(0.5, one)))[0]!.verdict).toBe('faster');
  });

  it('is within noise when it changed by 2%, less than sessions differ by', () => {
    const comparison = compareWith(slowed(1.02, one));
    expect(changesOf(comparison)).toEqual([]);
    expect(comparison.changed).toBe(false);
  });

  it('is within noise when the whole machine became slower', () => {
    const comparison = compareWith(slowed(1.5, () => true));
    expect(comparison.margins[0]).toMatchObject({ anchors: expect.closeTo(1.5, 9) });
    expect(changesOf(comparison)).toEqual([]);
  });

  it('is faster when the machine was not, by more than the machine moved', () => {
    const machine = slowed(1.2, (row) => !isOwn(row));
    const both: Result = {
      ...machine,
      micro: machine.micro.map((row) =>
        one(row) ? { ...row, samples: row.samples.map((sample) => 0.5 * sample) } : row,
      ),
    };
    const own = changesOf(compareWith(both)).filter(({ anchor }) => !anchor);
    expect(own.map(({ verdict }) => verdict)).toEqual(['faster']);
  });

  it('is undecided where the machine was not stable', () => {
    const unstable = variant({
      micro: (row) =>
        one(row)
          ? { ...row, stable: false, samples: row.samples.map((sample) => 2 * sample) }
          : row,
    });
    expect(changesOf(compareWith(unstable)).map(({ verdict }) => verdict)).toEqual(['unstable']);
  });

  it('has no verdict from two samples', () => {
    const few = variant({
      micro: (row) => (one(row) ? { ...row, samples: row.samples.slice(0, 2) } : row),
    });
    expect(changesOf(compareWith(few)).map(({ verdict }) => verdict)).toEqual(['too few samples']);
  });

  it('is within noise for 95% of timings when samples of one kind are drawn twice', () => {
    // Samples of one contender, in two halves: nothing changed between them.
    const half = (which: number) =>
      variant({
        micro: (row) => ({ ...row, samples: row.samples.filter((_, i) => i % 2 === which) }),
      });
    const comparison = compareResults(
      { name: 'a', result: half(0) },
      { name: 'b', result: half(1) },
    );
    const beyond = comparison.speeds.filter(({ verdict }) => /faster|slower/.test(verdict));
    expect(beyond.length).toBeLessThanOrEqual(0.05 * comparison.speeds.length);
  });

  it('names timings that only one has', () => {
    const comparison = compareWith(variant({ micro: (row) => (one(row) ? null : row) }));
    expect(comparison.onlyA.join()).toMatch(/wasm simd, 1,000,000/);
  });
});

describe('environments', () => {
  it('belong together by their runtime, and say what differs', () => {
    const renamed = (id: string): string => `${id}-new`;
    const other = variant({
      result: ({ environments, micro, hashes }) => ({
        environments: environments.map((each) => ({
          ...each,
          id: renamed(each.id),
          version: `${each.version.split('.')[0]}.99`,
          cpu: 'another CPU',
        })),
        micro: micro.map((row) => ({ ...row, environment: renamed(row.environment) })),
        hashes: hashes.map((row) => ({ ...row, environment: renamed(row.environment) })),
      }),
    });
    const comparison = compareWith(other);
    expect(comparison.environments).toHaveLength(base.environments.length);
    const [first] = comparison.environments;
    expect(first!.differences.map(({ field }) => field)).toEqual(['version', 'cpu']);
    expect(comparison.warnings).toEqual([
      'The machines differ: ratios of speeds compare machines as well as code.',
    ]);
    // Figures are the same: other machines alone are no change.
    expect(comparison.studies.every(({ verdict }) => verdict === 'same')).toBe(true);
    expect(comparison.bits.changes).toEqual([]);
  });
});

const ENVIRONMENT = {
  date: '2026-01-01',
  runtime: 'Node 24.1.0',
  engine: 'V8 13',
  cpu: 'a CPU × 2',
  platform: 'linux x64',
};
const samples = (value: number): number[] => [0.99, 1, 1.01, 1, 1.005].map((x) => x * value);

/** Results of the single benchmarks, all times multiplied by `factor`. */
const SINGLES: Record<string, (factor: number) => object> = {
  step: (factor) => ({
    sizes: { 1024: { 'wasm simd': samples(factor * 1000), 'plain JS': samples(9000) } },
    dead: { '0% dead': samples(factor * 500) },
    layouts: { '1 tensor of 10,000': samples(factor * 800) },
    dispatch: null,
  }),
  optimizers: (factor) => ({
    optimizers: [
      {
        label: 'adal',
        stateBytes: { 'in cache': 8, 'at 1e7': 8 },
        times: { 'in cache': samples(factor * 0.9), 'at 1e7': samples(factor * 1.2) },
      },
    ],
    rows: { dense: samples(factor * 1e6), rows: samples(factor * 2e4) },
  }),
  gemm: (factor) => ({
    peak: { flops: 4e6, times: samples(7e4) },
    products: [{ name: '4×4×4', form: 'gemmNN', flops: 4e6, times: samples(factor * 8e4) }],
  }),
  train: (factor) => ({
    version: 2,
    measured: [
      {
        workload: { name: 'mlp-32', kind: 'step' },
        apart: 0,
        results: [
          { label: 'adal-wasm', ns: samples(1), cpu: samples(factor * 7e5) },
          { label: 'adal-wasm, 2 threads', ns: samples(factor * 4e5), cpu: samples(1) },
          { label: 'plain JS', ns: samples(1), cpu: samples(2e7) },
          { label: 'jax-js', unsupported: 'not there' },
        ],
      },
    ],
  }),
  'cold-start': (factor) => {
    const start = { importMs: factor * 3, runtimeMs: 0, totalMs: factor * 6 };
    return {
      starts: { 'Node 24': [start, start, start] },
      threads: [1],
      creations: { 'Node 24': [samples(factor * 2)] },
    };
  },
};

describe.each(Object.keys(SINGLES))('results of bench:%s', (benchmark) => {
  const result = (factor: number) =>
    parseAnyResult(
      JSON.stringify({ environment: ENVIRONMENT, ...SINGLES[benchmark]!(factor) }),
      'single.json',
    );
  const compareSingle = (factor: number): Comparison =>
    compareResults({ name: 'a', result: result(1) }, { name: 'b', result: result(factor) });

  it('have no change when they are alike', () => {
    const comparison = compareSingle(1);
    expect(comparison.changed).toBe(false);
    expect(comparison.a.benchmark).toBe(benchmark);
    expect(comparison.speeds.length).toBeGreaterThan(0);
  });

  it('are slower in all that runs the library, and in nothing else', () => {
    const comparison = compareSingle(1.4);
    for (const { label, anchor, verdict, ratio } of comparison.speeds) {
      expect([label, verdict]).toEqual([label, anchor ? 'within noise' : 'slower']);
      expect(ratio.value).toBeCloseTo(anchor ? 1 : 1.4, 2);
    }
    expect(comparison.changed).toBe(true);
  });

  it('are refused where samples are missing', () => {
    const fields = { sizes: 1, optimizers: 1, products: 1, measured: 1, starts: 1 };
    const broken = { ...(result(1) as SingleRecord), ...fields };
    expect(() =>
      compareResults({ name: 'a', result: result(1) }, { name: 'b.json', result: broken }),
    ).toThrow(/b\.json: ".*" expected an? (object|array), got number/);
  });
});

describe('compare', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adal-compare-'));
  const path = (name: string): string => join(folder, name);
  const other = slowed(1.5, isOwn);
  writeFileSync(path('a.json'), JSON.stringify(base));
  writeFileSync(path('b.json.gz'), gzipSync(JSON.stringify(other)));
  writeFileSync(
    path('step.json'),
    JSON.stringify({ environment: ENVIRONMENT, ...SINGLES.step!(1) }),
  );
  writeFileSync(path('other.json'), '{"name": "other"}');
  writeFileSync(path('damaged.json.gz'), gzipSync('{}').subarray(0, 12));
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => vi.restoreAllMocks());

  const run = (...args: Parameters<typeof compare>): { code: number; text: string } => {
    const print = vi.spyOn(console, 'log').mockImplementation(() => {});
    const code = compare(...args);
    return { code, text: print.mock.calls.join('\n') };
  };

  it('prints what changed, and returns 0', () => {
    const { code, text } = run(path('a.json'), path('b.json.gz'));
    expect(code).toBe(0);
    expect(text).toMatch(/^A {2}.*a\.json: suite, /);
    expect(text).toMatch(/Speed, \d+ timings: \d+ slower, \d+ within noise/);
    expect(text).toContain('step-adal, wasm simd, 1,000');
  });

  it('returns 1 with failOnChange, and 0 when nothing changed', () => {
    expect(run(path('a.json'), path('b.json.gz'), { failOnChange: true }).code).toBe(1);
    expect(run(path('a.json'), path('a.json'), { failOnChange: true }).code).toBe(0);
  });

  it('prints JSON', () => {
    const { text } = run(path('a.json'), path('b.json.gz'), { json: true, level: '0.9' });
    const comparison: Comparison = JSON.parse(text);
    expect(comparison.level).toBe(0.9);
    expect(comparison.speeds.some(({ verdict }) => verdict === 'slower')).toBe(true);
  });

  it('refuses what cannot be compared', () => {
    expect(() => compare(path('a.json'), path('step.json'))).toThrow(
      /expected a result of the suite as .*a\.json is, got bench:step/,
    );
    expect(() => compare(path('a.json'), path('other.json'))).toThrow(
      'other.json: expected a result of adal-bench, got other JSON',
    );
    expect(() => compare(path('a.json'), path('damaged.json.gz'))).toThrow('cannot be unpacked');
    expect(() => compare(path('a.json'), path('missing.json'))).toThrow('ENOENT');
    expect(() => compare(path('a.json'), path('a.json'), { level: '1.5' })).toThrow(
      '"level" expected a number in (0, 1), got 1.5',
    );
  });

  it('does not let names in files steer the terminal', () => {
    const hostile = { environment: { ...ENVIRONMENT, cpu: '\u001b[2J' }, ...SINGLES.step!(1) };
    writeFileSync(path('hostile.json'), JSON.stringify(hostile));
    expect(run(path('step.json'), path('hostile.json')).text).not.toContain('\u001b');
  });
});
