/**
 * What the report concludes from a result: comparisons, conditions, claims, curves, anchors,
 * hashes.
 */
import { describe, expect, it } from 'vitest';
import { renderMarkdown, renderReport } from '../../bench/report';
import { curveChart, MOST_POINTS, thin } from '../../bench/report/curves';
import { earlyLoss, generalisationGap, lateUnrest } from '../../bench/report/sections/claims';
import { testedComparisons } from '../../bench/report/sections/comparisons';
import { hashCounts } from '../../bench/report/sections/correctness';
import { Study } from '../../bench/report/study';
import type { Reference, Result, Run } from '../../bench/schema/result';
import { WORKLOADS } from '../../bench/suite/registry';
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

describe('comparisons', () => {
  it('find what was put in, and nothing where nothing was', () => {
    const found = testedComparisons(study).map(({ workload, listed, tone }) => [
      workload.id,
      listed.b,
      tone,
    ]);
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

  it('can be decided with the seeds of each ranked workload, standard and full tier', () => {
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

  it('announce no winner in any cell whose interval includes no difference', () => {
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
    const runs = result.training.runs.filter(
      ({ optimizer, seed }) => optimizer !== 'adam' || seed % 2 === 0,
    );
    const fewer = new Study({ ...result, training: { ...result.training, runs } });
    const all = study.compare(w1!, 'adal', 'adam', CONSTANT)!;
    const half = fewer.compare(w1!, 'adal', 'adam', CONSTANT)!;
    expect(half.seeds).toEqual([0, 2, 4, 6, 8]);
    expect(half.differences).toEqual(all.differences.filter((_, i) => i % 2 === 0));
  });

  it('count a diverged run as the worst: failing never helps', () => {
    const failed = new Study(
      withRuns((run) => (run.optimizer === 'adal' ? { ...run, diverged: true } : run)),
    );
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
    const owned = withRuns((run) =>
      run.optimizer === 'adal' && run.schedule === 'constant' ? run : { ...run, track: 'T0' },
    );
    const runs = owned.training.runs.filter(
      ({ track, schedule, optimizer }) =>
        track === 'T1' || (schedule === 'cosine') === (optimizer === 'lion'),
    );
    const defaults = new Study({
      ...owned,
      comparisons: [],
      training: { ...owned.training, runs },
    });
    const [condition] = defaults.conditions().filter(({ track }) => track === 'T0');
    expect(defaults.nameOf(condition!)).toBe('T0, own schedules');
    expect(defaults.optimizers(condition!).map(({ id }) => id)).toContain('lion');
    expect(defaults.compare(result.workloads[0]!, 'lion', 'adam', condition!)!.seeds).toHaveLength(
      10,
    );
  });

  it('keep ablations out of the contenders, in a section of their own', () => {
    const optimizers = small.optimizers.map((each) =>
      each.id === 'lion' ? { ...each, ablation: 'power' } : each,
    );
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
    curve: {
      steps: trainLoss.map((_, i) => 10 * i),
      trainLoss,
      validationLoss: [],
      validationMetric: [],
    },
    ...more,
  });

  it('measure the beginning, the end and the gap as they say', () => {
    const losses = [9, 5, 4, 3, 3, 3, 3, 3, 1, 4, 2];
    expect(earlyLoss(run(losses))).toBe(5);
    // At steps 80, 90, 100: 1, 4, 2; changes 3 and 2.
    expect(lateUnrest(run(losses))).toBe(2.5);
    expect(lateUnrest(run(losses, { diverged: true }))).toBe(Infinity);
    expect(
      generalisationGap(
        run([], { final: { ...result.training.runs[0]!.final, trainLoss: 1, testLoss: 1.5 } }),
      ),
    ).toBe(0.5);
    expect(earlyLoss(run([], { curve: null }))).toBeNull();
    expect(generalisationGap(run([]))).toBeNull();
  });

  it('say where streams go, and when not as expected', () => {
    expect(renderMarkdown(result)).toContain('0.39 to 0.41 | 0 | as expected');
    const [first, ...others] = result.streams;
    const strayed = {
      ...small,
      streams: [{ ...first!, values: first!.values.map(() => 0.1) }, ...others],
    };
    expect(renderMarkdown(strayed)).toContain('NOT as expected');
    const free = {
      ...small,
      streams: [{ ...first!, expected: { low: null, high: null, optimum: 0 } }],
    };
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

  it('are medians and bands over seeds; a diverged run is worse than all others', () => {
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
    const chart = curveChart(
      new Study({ ...result, training: { ...result.training, runs } }),
      result.workloads[0]!,
      CONSTANT,
    )!;
    expect(chart.series).toHaveLength(1);
    expect(chart.series[0]!.bands).toEqual({
      trainLoss: { median: [2, 3], low: [1.2, 2.2], high: [2.8, null] },
    });
  });
});

describe('anchors', () => {
  const rowsOf = (each: Result) =>
    renderMarkdown(each)
      .split('\n')
      .filter((line) => line.includes('DeepOBS baselines') || line.includes('known'));
  const withReference = (reference: Partial<Reference>): Result => {
    const [w1, ...others] = small.workloads;
    return {
      ...small,
      workloads: [{ ...w1!, references: [{ ...w1!.references[0]!, ...reference }] }, ...others],
    };
  };

  it('are compared with runs of the same optimizer and rate, in their deviations', () => {
    const row = rowsOf(small).at(-1);
    expect(row).toMatch(/W1 .*87\.112 ± 0\.024 \(published, 10 seeds\) \| 87\.\d+ ± 0\.\d+ /);
    expect(row).toMatch(/\| 87\.\d+ ± 0\.\d+ \(3 values\) \| \d\.\d of its/);
    expect(rowsOf(withReference({ options: { lr: 0.5 } })).at(-1)).toContain('not run so');
    expect(rowsOf(withReference({ value: 80 })).at(-1)).toMatch(/▼ \d{3}\.\d of its deviations/);
  });

  it('of the start and of whole fits are set beside those, not beside losses', () => {
    expect(rowsOf(withReference({ optimizer: null, options: {}, value: 353.4 })).at(-1)).toMatch(
      /at the start\*\* .* 35\d\.\d/,
    );
    const fit = { ...small.micro[0]!, benchmark: 'fit-W1', samples: [5e6, 5e6] };
    const timed = {
      ...withReference({ optimizer: null, options: { fitMs: 9 }, value: 9 }),
      micro: [fit],
    };
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
    expect(renderReport({ ...small, hashes: [] })).toContain(
      'Not measured: whether trainings give the same parameters',
    );
    const [{ environment }] = small.hashes as [Result['hashes'][number]];
    const alone = {
      ...small,
      hashes: small.hashes.filter((entry) => entry.environment === environment),
    };
    expect(renderReport(alone)).toContain('6 trainings were hashed on one runtime alone');
  });
});
