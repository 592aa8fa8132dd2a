/**
 * Statistics of the benchmark suite against published examples, hand-made ones and their own laws.
 */

import { Prng } from 'adal-wasm/math';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  divergenceRate,
  estimate,
  estimateMedian,
  holm,
  interquartileMean,
  mad,
  median,
  pairedDifference,
  pairedRatio,
  performanceProfile,
  probabilityOfImprovement,
  quantile,
  ratioOfMedians,
  sensitivityWidth,
  signedRank,
  verdictOf,
} from '../../bench/toolkit/statistics';

const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
  minLength: 1,
  maxLength: 40,
});

function normals(count: number, seed: number, mean = 0): number[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => mean + prng.normal());
}

describe('summaries', () => {
  it('are what one computes by hand', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(mad([1, 1, 2, 2, 4, 6, 9])).toBe(1);
    expect(interquartileMean([1, 2, 3, 4, 5, 6, 7, 8, 9, 100])).toBe(5.5);
    // numpy.quantile of the same numbers.
    expect([0, 0.1, 0.25, 1].map((p) => quantile([3, 1, 4, 1, 5, 9, 2, 6], p))).toEqual([
      1, 1, 1.75, 9,
    ]);
    expect(quantile([3, 1, 4, 1, 5, 9, 2, 6], 0.9)).toBeCloseTo(6.9, 12);
  });

  it('lie between the extremes and ignore order, and leave their argument alone', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const before = [...values];
        for (const statistic of [median, interquartileMean]) {
          const value = statistic(values);
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
          expect(value).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
          expect(statistic([...values].reverse())).toBe(value);
        }
        expect(values).toEqual(before);
      }),
    );
  });

  it('stand infinities, which mean failed runs, and refuse NaN and nothing', () => {
    expect(median([1, Infinity, 2])).toBe(2);
    expect(quantile([1, Infinity, Infinity], 0.75)).toBe(Infinity);
    expect(median([-Infinity, 1])).toBe(-Infinity);
    expect(() => median([])).toThrow('"values" expected at least one number');
    expect(() => median([1, NaN])).toThrow('"values" expected numbers, none of them NaN');
    expect(() => quantile([1], 1.5)).toThrow('"p" expected a number in [0, 1], got 1.5');
  });
});

describe('bootstrap intervals', () => {
  it('are the same each time', () => {
    const values = normals(30, 7);
    expect(estimateMedian(values)).toEqual(estimateMedian(values));
    expect(estimateMedian(values, { seed: 2 })).not.toEqual(estimateMedian(values));
  });

  it('of the median ignore the order of values and equal those of the general form', () => {
    for (const count of [3, 10, 31]) {
      const values = normals(count, count);
      const sorted = [...values].sort((a, b) => a - b);
      expect(estimateMedian(values)).toEqual(estimate(sorted, median));
    }
  });

  it('cover the truth about as often as they say', () => {
    const trials = Array.from({ length: 400 }, (_, i) =>
      estimateMedian(normals(30, i + 1), { resamples: 400 }),
    );
    const covered =
      trials.filter(({ interval }) => interval![0] <= 0 && 0 <= interval![1]).length /
      trials.length;
    expect(covered).toBeGreaterThan(0.9);
    expect(covered).toBeLessThan(0.99);
  });

  it('are close to the textbook interval of a mean', () => {
    const mean = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const values = normals(100, 3);
    const { value, interval } = estimate(values, mean);
    const deviation = Math.sqrt(mean(values.map((x) => (x - value) ** 2)));
    // Within half a tenth, a quarter of the interval: 100 values are not quite normal.
    expect(interval![0]).toBeCloseTo(value - (1.96 * deviation) / 10, 1);
    expect(interval![1]).toBeCloseTo(value + (1.96 * deviation) / 10, 1);
  });

  it('are absent where values are too few, and infinite where they are', () => {
    expect(estimateMedian([1, 2]).interval).toBeNull();
    expect(estimateMedian([1, Infinity, Infinity]).interval).toEqual([1, Infinity]);
    expect(estimateMedian([2, 2, 2]).interval).toEqual([2, 2]);
  });

  it('refuse options out of range', () => {
    expect(() => estimateMedian([1, 2, 3], { level: 1 })).toThrow(
      '"level" expected a number in (0, 1), got 1',
    );
    expect(() => estimateMedian([1, 2, 3], { resamples: 0 })).toThrow('"resamples"');
  });
});

describe('paired comparisons', () => {
  it('compare member with member', () => {
    expect(pairedRatio([2, 20, 200], [1, 10, 100])).toEqual({
      value: 2,
      interval: [2, 2],
      count: 3,
    });
    expect(pairedDifference([1, 2, 4], [0, 1, 1]).value).toBe(1);
    // The noise that the pairs share is gone: unpaired, these overlap.
    const noise = normals(30, 5).map((x) => 10 * x);
    // biome-ignore format: one line
    expect(verdictOf(pairedDifference(noise.map((x) => x + 0.1), noise), 0)).toBe('higher');
  });

  it('give the probability of improvement of all pairs', () => {
    // Of the nine pairs a wins 1·0 + 2·1 + … as higher: (3,1) (3,2) (5,1) (5,2) (5,4); ties: none.
    expect(probabilityOfImprovement([0, 3, 5], [1, 2, 4], 'higher').value).toBeCloseTo(5 / 9, 12);
    expect(probabilityOfImprovement([0, 3, 5], [1, 2, 4], 'lower').value).toBeCloseTo(4 / 9, 12);
    expect(probabilityOfImprovement([1, 1, 1], [1, 1, 1], 'lower').value).toBe(0.5);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer(), fc.integer()), { minLength: 1, maxLength: 12 }),
        (pairs) => {
          const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
          const there = probabilityOfImprovement(a, b, 'lower', { resamples: 10 }).value;
          expect(
            there + probabilityOfImprovement(b, a, 'lower', { resamples: 10 }).value,
          ).toBeCloseTo(1, 12);
        },
      ),
    );
  });

  it('announce nothing while the interval includes no difference, or only a trifle', () => {
    expect(verdictOf({ value: 0.9, interval: [0.8, 1.01], count: 9 }, 1)).toBe('undecided');
    expect(verdictOf({ value: 0.9, interval: [0.8, 0.99], count: 9 }, 1)).toBe('lower');
    expect(verdictOf({ value: 0.98, interval: [0.97, 0.99], count: 9 }, 1, 0.03)).toBe('undecided');
    expect(verdictOf({ value: 3, interval: null, count: 2 }, 1)).toBe('undecided');
  });

  it('refuse samples that are no pairs', () => {
    expect(() => pairedDifference([1, 2], [1])).toThrow('"b" expected as many values as a has (2)');
    expect(() => pairedRatio([1, 2], [1, 0])).toThrow('"b" expected positive numbers, got 0');
  });
});

describe('ratios of independent samples', () => {
  it('are what one computes by hand, whatever the order and sizes are', () => {
    expect(ratioOfMedians([4, 4, 4], [2, 2, 2, 2])).toEqual({
      value: 2,
      interval: [2, 2],
      count: 3,
    });
    expect(ratioOfMedians([3, 1, 2], [4, 1, 9, 4, 4]).value).toBe(0.5);
    expect(ratioOfMedians([1, 2], [1, 2, 3])).toEqual({ value: 0.75, interval: null, count: 2 });
  });

  it('do not take samples of one size for pairs', () => {
    // As pairs every ratio is 1; independent samples of such spread say much less.
    const values = normals(15, 1).map((x) => Math.exp(x));
    const [low, high] = ratioOfMedians(values, values).interval!;
    expect(low).toBeLessThan(0.8);
    expect(high).toBeGreaterThan(1.25);
  });

  it('have intervals that cover the true ratio about as often as they claim', () => {
    let covered = 0;
    const trials = 200;
    for (let trial = 0; trial < trials; trial++) {
      const [a, b] = [2, 1].map((scale, side) =>
        normals(15, 2 * trial + side).map((x) => scale * (10 + x)),
      );
      const [low, high] = ratioOfMedians(a!, b!, { resamples: 300 }).interval!;
      if (low <= 2 && 2 <= high) covered++;
    }
    // 0.95 of 200 trials scatters by 0.015.
    expect(covered / trials).toBeGreaterThan(0.9);
    expect(covered / trials).toBeLessThan(0.995);
  });

  it('are refused for anything but positive numbers', () => {
    expect(() => ratioOfMedians([1, 0], [1])).toThrow('"a" expected positive numbers, got 0');
    expect(() => ratioOfMedians([1], [Number.NaN])).toThrow('"b" expected positive numbers');
    expect(() => ratioOfMedians([], [1])).toThrow('expected at least one number');
  });
});

describe('the signed-rank test', () => {
  it("gives the published figures of Darwin's maize (T = 24, p = 0.0413)", () => {
    const { positive, negative, p } = signedRank([
      6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75,
    ]);
    expect([positive, negative]).toEqual([96, 24]);
    expect(p).toBeCloseTo(0.041259765625, 12);
  });

  it('has the tabled critical value of 30 pairs (T = 137), and its smallest p', () => {
    const withSum = (sum: number) => {
      // The ranks from the largest down, as long as they fit, are those of the positive
      // differences.
      let left = sum;
      const differences = Array.from({ length: 30 }, (_, i) => 30 - i).map((rank) => {
        const taken = rank <= left;
        if (taken) left -= rank;
        return taken ? rank : -rank;
      });
      return signedRank(differences);
    };
    expect(withSum(137)).toMatchObject({ positive: 137, negative: 465 - 137, count: 30 });
    expect(withSum(137).p).toBeLessThan(0.05);
    expect(withSum(138).p).toBeGreaterThan(0.05);
    expect(withSum(0).p).toBe(2 ** -29);
  });

  it('counts ties out exactly', () => {
    // All 512 signs of the mean ranks 2, 2, 2, 4.5, 4.5, 6, 7.5, 7.5, 9 counted apart: 22 of them
    // reach 8 or less.
    expect(signedRank([1, 1, -1, 2, 2, -3, 4, 4, 5])).toEqual({
      positive: 37,
      negative: 8,
      count: 9,
      p: 44 / 512,
    });
  });

  it('gives 2^(1-n) when all agree, 1 when nothing differs, and leaves zeros out', () => {
    expect(signedRank([1, 2, 3, 4, 5]).p).toBe(0.0625);
    expect(signedRank([1, 2, 3, 4, 5, 6]).p).toBe(0.03125);
    expect(signedRank([0, 0])).toEqual({ positive: 0, negative: 0, count: 0, p: 1 });
    expect(signedRank([0, 1, 2])).toEqual(signedRank([1, 2]));
    expect(signedRank([1, -2, Infinity])).toEqual(signedRank([1, -2, 9]));
    expect(() => signedRank([1, NaN])).toThrow('"differences" expected numbers, none of them NaN');
  });

  it('does not care which of the two comes first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 40 }), (values) => {
        const [there, back] = [signedRank(values), signedRank(values.map((value) => -value))];
        expect(back.p).toBe(there.p);
        expect(there.p).toBeGreaterThan(0);
        expect(there.p).toBeLessThanOrEqual(1);
        expect(there.positive + there.negative).toBe((there.count * (there.count + 1)) / 2);
      }),
    );
  });
});

it("Holm's correction gives the textbook's figures", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, expected] of [0.03, 0.06, 0.06, 0.02].entries())
    expect(adjusted[i]).toBeCloseTo(expected, 12);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

describe('figures of a study', () => {
  it('performance profiles count problems solved within a factor of the best', () => {
    const profiles = performanceProfile(
      new Map([
        ['fast', [10, 20, null, null]],
        ['slow', [20, 30, 5, null]],
      ]),
    );
    expect(profiles.get('fast')).toEqual([{ factor: 1, share: 0.5 }]);
    expect(profiles.get('slow')).toEqual([
      { factor: 1, share: 0.25 },
      { factor: 1.5, share: 0.5 },
      { factor: 2, share: 0.75 },
    ]);
    const uneven = new Map<string, number[]>([
      ['a', [1]],
      ['b', []],
    ]);
    expect(() => performanceProfile(uneven)).toThrow('"times of b" expected 1 problems');
  });

  it('the width of good learning rates stops at the first that is not', () => {
    const points = [
      { lr: 1e-4, score: 1.0 },
      { lr: 1e-3, score: 2.0 },
      { lr: 1e-2, score: 1.05 },
      { lr: 1e-1, score: 1.0 },
      { lr: 1, score: null },
    ];
    expect(sensitivityWidth(points, 'lower', 0.1)).toMatchObject({
      low: 1e-4,
      high: 1e-4,
      best: 1e-4,
      open: true,
    });
    const width = sensitivityWidth(points.slice(1), 'lower', 0.1)!;
    expect(width).toMatchObject({ low: 1e-2, high: 1e-1, best: 1e-1, open: false });
    expect(width.decades).toBeCloseTo(1, 12);
    expect(sensitivityWidth(points, 'higher', 0.5)).toMatchObject({
      low: 1e-3,
      high: 1e-3,
      decades: 0,
      open: false,
    });
    expect(sensitivityWidth([{ lr: 1, score: null }], 'lower', 1)).toBeNull();
  });

  it('the divergence rate is a share', () => {
    expect(divergenceRate([{ diverged: true }, { diverged: false }])).toBe(0.5);
    expect(divergenceRate([])).toBeNull();
  });
});
