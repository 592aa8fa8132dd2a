/**
 * Columns that float32 would blur: parsed as doubles, standardized from them, and refused where
 * nothing brings them back.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dataset, parseCsv, selectRows, standardize, trainTestSplit } from '../../src/data';
import { refuseBlurredColumns } from '../../src/data/dataset';
import { DataError } from '../../src/errors';

const times = (count: number, first = 1_700_000_000) => {
  const part = (i: number) => (i < count / 2 ? 'am' : 'pm');
  const row = (_: unknown, i: number) => `${first + i},${(i % 9) / 10},${part(i)}\n`;
  return `time,size,part\n${Array.from({ length: count }, row).join('')}`;
};
const column = ({ features, featureCount }: Dataset, index: number) =>
  Array.from(
    { length: features.length / featureCount },
    (_, i) => features[i * featureCount + index]!,
  );

/** Mean 0 and variance 1 of whole numbers, worked out with BigInt up to the last division. */
function exactly(values: bigint[]): number[] {
  const n = BigInt(values.length);
  const sum = values.reduce((a, b) => a + b, 0n);
  const squares = values.reduce((total, x) => total + (n * x - sum) ** 2n, 0n);
  // z = (n·x - Σ)/√(Σ(n·x - Σ)²/n)
  return values.map((x) =>
    Math.fround(Number(n * x - sum) / Math.sqrt(Number(squares) / values.length)),
  );
}

describe('a column of times in seconds', () => {
  it('is standardized from the numbers of the text', () => {
    const data = parseCsv(times(60), { target: 'part' });
    expect([...data.doubles!.keys()]).toEqual([0]);
    expect([...data.doubles!.get(0)!]).toEqual(
      Array.from({ length: 60 }, (_, i) => 1_700_000_000 + i),
    );
    const { train, test, mean, scale } = standardize(data, data);
    expect(column(train, 0)).toEqual(
      exactly(Array.from({ length: 60 }, (_, i) => 1_700_000_000n + BigInt(i))),
    );
    expect(column(test, 0)).toEqual(column(train, 0));
    expect(mean[0]).toBe(1_700_000_029.5);
    expect(scale[0]).toBeCloseTo(Math.sqrt((60 ** 2 - 1) / 12), 12);
    expect(train).not.toHaveProperty('doubles');
    expect(train.columns).toEqual(['time', 'size']);
  });

  it('is so at any offset that doubles hold', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.integer({ min: 1, max: 1000 }),
        (first, step) => {
          const values = Array.from({ length: 20 }, (_, i) => first * 1000 + step * i * i);
          const data = parseCsv(values.map((x) => `${x},${x % 2}`).join('\n'), {
            target: 1,
            header: false,
          });
          const expected = exactly(values.map(BigInt));
          const { train } = standardize(data, data);
          for (const [i, x] of train.features.entries())
            expect(Math.abs(x - expected[i]!)).toBeLessThan(2e-6);
        },
      ),
    );
  });

  it('stays so through splits and selections, and without the examples of the test part', () => {
    const parts = trainTestSplit(parseCsv(times(60), { target: 'part' }), { seed: 1 });
    const { train, test, mean } = standardize(parts.train, parts.test);
    expect(new Set(train.features.filter((_, i) => i % 2 === 0)).size).toBe(45);
    expect(new Set([...column(train, 0), ...column(test, 0)]).size).toBe(60);
    const exact = parts.train.doubles!.get(0)!;
    expect(mean[0]).toBeCloseTo(exact.reduce((a, b) => a + (b - 1.7e9), 0) / 45 + 1.7e9, 6);
    const some = selectRows(parts.train, Uint32Array.of(5, 3));
    expect([...some.doubles!.get(0)!]).toEqual([exact[5], exact[3]]);
    expect(structuredClone(some).doubles).toEqual(some.doubles);
  });

  it('is kept apart from columns that float32 holds well enough', () => {
    expect(parseCsv('a,k\n5.1,x\n4.9,y\n6.3,x\n', { target: 'k' })).not.toHaveProperty('doubles');
    // A constant tells nothing, and the last bits of what was computed to be one neither.
    expect(parseCsv('a,k\n1700000001,x\n1700000001,y\n', { target: 'k' })).not.toHaveProperty(
      'doubles',
    );
    const noise = parseCsv('a,k\n0.3,x\n0.30000000000000004,y\n', { target: 'k' });
    expect(noise).not.toHaveProperty('doubles');
    expect([...standardize(noise, noise).scale]).toEqual([1]);
  });

  it('is of no use unless standardized, which can be checked', () => {
    const data = parseCsv(times(60), { target: 'part', name: 'log' });
    expect(() => refuseBlurredColumns(data)).toThrow(
      new DataError(
        'log, column "time": expected values from 1700000000 to 1700000059 to stay distinct in ' +
          'float32, but they do not: ' +
          'call standardize first',
      ),
    );
    refuseBlurredColumns(standardize(data, data).train);
    refuseBlurredColumns(parseCsv('a,k\n5.1,x\n4.9,y\n', { target: 'k' }));
  });

  it('is not overwritten after its features were changed by hand', () => {
    const data = parseCsv(times(60), { target: 'part' });
    const changed = { ...data, features: data.features.map((x) => x - 1.7e9) };
    expect(() => standardize(changed, changed)).toThrow(
      '"train.doubles" expected the values of feature',
    );
    const { doubles: _, ...without } = changed;
    standardize(without, without);
  });

  it('is refused when an outlier leaves no precision for the others', () => {
    const text = times(60).replace('1700000030,', '0,');
    const data = parseCsv(text, { target: 'part', name: 'log' });
    expect(() => standardize(data, data)).toThrow(DataError);
    expect(() => standardize(data, data)).toThrow(
      /^log, column "time": \d+ of 59 differences .* look for outliers/,
    );
    // The same without doubles: whole numbers that float32 holds, and one far away.
    const small = parseCsv(
      `a,k\n${Array.from({ length: 30 }, (_, i) => `${i},x\n`).join('')}1e12,y\n`,
      { target: 'k' },
    );
    expect(small).not.toHaveProperty('doubles');
    expect(() => standardize(small, small)).toThrow(/^csv, column "a": 29 of 30 differences/);
  });
});

describe('a target to learn', () => {
  it('is read as a number, split and standardized with its features', () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${-i},${i / 4}\n`);
    const text = `x,y,price\n${rows.join('')}`;
    const data = parseCsv(text, { target: 'price', task: 'regression' });
    expect(data).toEqual({
      name: 'csv',
      features: Float32Array.from({ length: 40 }, (_, i) => (i % 2 ? -(i - 1) / 2 : i / 2) + 0),
      targets: Float32Array.from({ length: 20 }, (_, i) => i / 4),
      count: 20,
      featureCount: 2,
      columns: ['x', 'y'],
    });
    const parts = trainTestSplit(data, { seed: 1 });
    for (const part of [parts.train, parts.test]) {
      expect([...part.targets]).toEqual(
        Array.from({ length: part.count }, (_, i) => part.features[2 * i]! / 4),
      );
      expect(part.columns).toEqual(['x', 'y']);
    }
    const { train } = standardize(parts.train, parts.test);
    expect(train.targets).toEqual(parts.train.targets);
  });

  it('is refused where float32 makes its values equal', () => {
    const text = Array.from({ length: 20 }, (_, i) => `${i},${1_700_000_000 + i}\n`).join('');
    expect(() => parseCsv(`x,time\n${text}`, { target: 'time', task: 'regression' })).toThrow(
      new DataError(
        'csv, column 2 ("time"): 19 of 19 differences between consecutive records vanish in ' +
          'float32: ' +
          'subtract a constant from the targets, or scale them',
      ),
    );
    expect(() => parseCsv('x,y\n1,a\n', { target: 'y', task: 'regression' })).toThrow(
      'csv, line 2, column 2 ("y"): expected a number, got "a"',
    );
  });
});
