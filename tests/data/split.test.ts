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

const firstColumn = (dataset: Dataset) =>
  Array.from({ length: dataset.count }, (_, i) => dataset.features[3 * i]!);

describe('trainTestSplit', () => {
  it('puts every example in exactly one part, features with their label', () => {
    const count = fc.integer({ min: 4, max: 50 });
    fc.assert(
      fc.property(
        count,
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        fc.maxSafeNat(),
        (n, testFraction, seed) => {
          const { train, test } = trainTestSplit(counted(n), { testFraction, seed });
          expect(test.count).toBe(Math.floor(n * testFraction + 0.5));
          const rows = [...firstColumn(train), ...firstColumn(test)];
          expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
          for (const part of [train, test]) {
            expect(part).toMatchObject({ name: 'counted', featureCount: 3, classCount: 3 });
            expect([...part.labels]).toEqual(firstColumn(part).map((x) => x % 3));
          }
        },
      ),
    );
  });

  it('keeps the weights of examples', () => {
    const sampleWeights = Float32Array.from({ length: 12 }, (_, i) => i / 4);
    const parts = trainTestSplit({ ...counted(12), sampleWeights }, { seed: 3 });
    for (const part of [parts.train, parts.test]) {
      const expected = firstColumn(part).map((i) => i / 4);
      expect(expected.every((weight, i) => weight === i / 4)).toBe(false);
      expect([...part.sampleWeights!]).toEqual(expected);
    }
    const { train } = standardize(parts.train, parts.test);
    expect(train.sampleWeights).toBe(parts.train.sampleWeights);
    expect(selectRows(parts.train, new Uint32Array(0)).sampleWeights).toEqual(new Float32Array(0));
  });

  it.each([new Float32Array(11), [1, 2], { output: new Float32Array(12) }, null])(
    'refuses weights that are not one an example: %o',
    (sampleWeights) => {
      const wrong = { ...counted(12), sampleWeights: sampleWeights as never };
      const message = '"dataset.sampleWeights" expected a Float32Array of 12 elements';
      expect(() => trainTestSplit(wrong, { seed: 3 })).toThrow(message);
      expect(() => selectRows(wrong, new Uint32Array(12))).toThrow(message);
    },
  );

  it('is a function of the seed', () => {
    const rows = (seed: number) => firstColumn(trainTestSplit(counted(12), { seed }).test);
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
    const { train, test } = trainTestSplit(loadDigits(), { seed: 1 });
    expect([train.count, test.count]).toEqual([1348, 449]);
    expect(train.classNames).toEqual([...'0123456789']);
  });

  it('refuses what is no dataset, and says why', () => {
    const split = (dataset: unknown) => () => trainTestSplit(dataset as Dataset, { seed: 1 });
    expect(split(undefined)).toThrow(
      '"dataset" expected a dataset: { features, count, featureCount, labels or targets, … }, ' +
        'got undefined',
    );
    const { features, labels } = counted(4);
    expect(split({ features, targets: new Float32Array(4) })).toThrow(
      '"dataset.count" expected an integer in [0, 4294967295]',
    );
    expect(split({ features, count: 4, featureCount: 3 })).toThrow(
      '"dataset.labels" expected an Int32Array, or targets in its place',
    );
    expect(split({ features, labels, count: 5, featureCount: 3 })).toThrow(
      '"dataset.features" expected a Float32Array of 15 elements',
    );
    expect(split({ features, labels: [0, 1, 2, 0], count: 4, featureCount: 3 })).toThrow(
      '"dataset.labels" expected an Int32Array of 4',
    );
    expect(split({ features, targets: new Float32Array(5), count: 4, featureCount: 3 })).toThrow(
      /^"dataset.targets" expected a Float32Array/,
    );
    expect(split({ ...counted(4), columns: ['a'] })).toThrow(
      '"dataset.columns" expected an array of 3 names, got ["a"]',
    );
  });

  it('parts datasets of values to learn', () => {
    const { features, count, featureCount } = counted(8);
    const targets = Float32Array.from({ length: 16 }, (_, i) => i);
    const parts = trainTestSplit(
      { name: 'values', features, targets, count, featureCount },
      { seed: 1 },
    );
    for (const part of [parts.train, parts.test]) {
      expect([...part.targets]).toEqual(
        firstColumn(part as never).flatMap((x) => [2 * x, 2 * x + 1]),
      );
      expect(part).not.toHaveProperty('labels');
    }
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
    expect(() => trainTestSplit(counted(10), { seed: 1, test: 0.5 } as { seed: number })).toThrow(
      /^"options.test" expected/,
    );
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
    expect(() => selectRows(source, Uint32Array.of(4))).toThrow(
      /^"rows\[0\]" expected an integer in \[0, 3\], got 4/,
    );
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

  it('refuses values that are not finite, or become so', () => {
    const [train, test] = [counted(4), counted(4)];
    train.features.set([1e-40, 0, 0], 0);
    for (let i = 1; i < 4; i++) train.features[3 * i] = 0;
    test.features[3] = 1e38;
    test.columns = ['x', 'y', 'z'];
    expect(() => standardize(train, test)).toThrow(
      'counted, example 1, column "x": expected 9.999999680285692e+37 to stay finite in ' +
        'float32 when standardized, but it does not',
    );
    const broken = counted(4);
    broken.features[4] = Number.NaN;
    expect(() => standardize(broken, counted(4))).toThrow(
      'counted, example 1, feature 1: expected a finite number, got NaN',
    );
  });

  it('refuses arguments that are no datasets, or whose names differ', () => {
    expect(() => standardize(undefined as never, counted(4))).toThrow(
      /^"train" expected a dataset: .*, got undefined/,
    );
    expect(() => standardize(counted(4), [1, 2] as never)).toThrow(/^"test" expected a dataset/);
    const named = { ...counted(4), columns: ['a', 'b', 'c'], classNames: ['k', 'l', 'm'] };
    expect(() => standardize(named, { ...named, columns: ['a', 'c', 'b'] })).toThrow(
      '"test.columns[1]" expected "b", got "c"',
    );
    expect(() => standardize(named, { ...named, classNames: ['l', 'k', 'm'] })).toThrow(
      '"test.classNames[0]" expected "k", got "l"',
    );
    expect(standardize(named, counted(4)).train).toMatchObject({
      columns: ['a', 'b', 'c'],
      classNames: ['k', 'l', 'm'],
    });
  });

  it('leaves a test part without examples empty', () => {
    const none = selectRows(counted(4), new Uint32Array(0));
    expect(standardize(counted(4), none).test).toMatchObject({
      count: 0,
      featureCount: 3,
      features: new Float32Array(0),
    });
  });

  it('refuses datasets that do not fit', () => {
    const other: Dataset = { ...counted(4), features: new Float32Array(8), featureCount: 2 };
    expect(() => standardize(counted(4), other)).toThrow(
      /^"test" expected 3 features an example, got 2/,
    );
    expect(() => standardize(selectRows(counted(4), new Uint32Array(0)), counted(4))).toThrow(
      /^"train" expected at least one/,
    );
  });
});
