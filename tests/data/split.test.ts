import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dataset, loadDigits, selectRows, standardize, trainTestSplit } from '../../src/data';

/** Row i is [i, 7, -i/3], label i mod 3. */
function counted(count: number): Dataset {
  const features = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) features.set([i, 7, -i / 3], 3 * i);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  return { name: 'counted', features, labels, count, featureCount: 3, classCount: 3 };
}

const firstColumn = (dataset: Dataset) => Array.from({ length: dataset.count }, (_, i) => dataset.features[3 * i]!);

describe('trainTestSplit', () => {
  it('puts every example in exactly one part, features with their label', () => {
    const count = fc.integer({ min: 4, max: 50 });
    fc.assert(
      fc.property(count, fc.double({ min: 0.2, max: 0.8, noNaN: true }), fc.maxSafeNat(), (n, testFraction, seed) => {
        const { train, test } = trainTestSplit(counted(n), { testFraction, seed });
        expect(test.count).toBe(Math.floor(n * testFraction + 0.5));
        const rows = [...firstColumn(train), ...firstColumn(test)];
        expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        for (const part of [train, test]) {
          expect(part).toMatchObject({ name: 'counted', featureCount: 3, classCount: 3 });
          expect([...part.labels]).toEqual(firstColumn(part).map((x) => x % 3));
        }
      }),
    );
  });

  it('is a function of the seed', () => {
    const rows = (seed: number) => firstColumn(trainTestSplit(counted(12), { seed }).test);
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
    const { train, test } = trainTestSplit(loadDigits(), { seed: 1 });
    expect([train.count, test.count]).toEqual([1348, 449]);
    expect(train.classNames).toEqual([...'0123456789']);
  });

  it('refuses bad options and empty parts', () => {
    for (const testFraction of [0, 1, -0.5, NaN]) {
      expect(() => trainTestSplit(counted(10), { seed: 1, testFraction })).toThrow(
        /^"testFraction" expected a number in \(0, 1\)/,
      );
    }
    expect(() => trainTestSplit(counted(10), { seed: 1, testFraction: 0.01 })).toThrow(
      /^"testFraction" expected a fraction that/,
    );
    expect(() => trainTestSplit(counted(10), { seed: 1, testFraction: 0.99 })).toThrow(
      /^"testFraction" expected a fraction that/,
    );
    expect(() => trainTestSplit(counted(1), { seed: 1 })).toThrow(/^"testFraction"/);
    expect(() => trainTestSplit(counted(10), {} as { seed: number })).toThrow(/^"seed" expected/);
    expect(() => trainTestSplit(counted(10), { seed: 1, test: 0.5 } as { seed: number })).toThrow(/^"options.test" expected/);
  });
});

describe('selectRows', () => {
  it('copies rows in the order asked for', () => {
    const source = counted(4);
    const some = selectRows(source, Uint32Array.of(3, 0, 3));
    expect(firstColumn(some)).toEqual([3, 0, 3]);
    expect([...some.labels]).toEqual([0, 0, 0]);
    some.features.fill(9);
    expect(source.features[0]).toBe(0);
    expect(() => selectRows(source, Uint32Array.of(4))).toThrow(/^"rows\[0\]" expected an integer in \[0, 3\], got 4/);
  });
});

describe('standardize', () => {
  it('gives the training columns mean 0 and variance 1, and the test columns the same map', () => {
    const source = counted(101);
    const { train, test, mean, scale } = standardize(source, counted(7));
    expect(mean[0]).toBe(50);
    expect(scale[0]).toBeCloseTo(Math.sqrt((101 ** 2 - 1) / 12), 10);
    for (const column of [0, 2]) {
      const values = Array.from({ length: 101 }, (_, i) => train.features[3 * i + column]!);
      expect(values.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 4);
      expect(values.reduce((sum, x) => sum + x * x, 0) / 101).toBeCloseTo(1, 6);
    }
    expect(test.features[3]).toBe(Math.fround((1 - mean[0]!) / scale[0]!));
    expect(source.features[3]).toBe(1);
  });

  it('only shifts constant columns', () => {
    const tenths = counted(3);
    for (let i = 0; i < 3; i++) tenths.features[3 * i + 1] = 0.1;
    const { train, test, scale } = standardize(tenths, counted(3));
    expect(scale[1]).toBe(1);
    expect(train.features[1]).toBe(0);
    expect(test.features[1]).toBeCloseTo(6.9, 6);
  });

  it('refuses datasets that do not fit', () => {
    const other: Dataset = { ...counted(4), features: new Float32Array(8), featureCount: 2 };
    expect(() => standardize(counted(4), other)).toThrow(/^"test" expected 3 features an example, got 2/);
    expect(() => standardize(selectRows(counted(4), new Uint32Array(0)), counted(4))).toThrow(/^"train" expected at least one/);
  });
});
