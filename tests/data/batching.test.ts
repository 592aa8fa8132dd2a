import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchOrder, gatherLabelsInto, gatherRowsInto } from '../../src/data';

describe('BatchOrder', () => {
  it('visits every example once an epoch, the last batch short', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.nat(),
        fc.nat(),
        (count, size, seed, epoch) => {
          const order = new BatchOrder(count, size, seed);
          order.startEpoch(epoch);
          const seen: number[] = [];
          for (let batch = 0; batch < order.batchCount; batch++) {
            const length = order.length(batch);
            expect(length).toBe(
              batch < order.batchCount - 1 ? size : count - size * (order.batchCount - 1),
            );
            seen.push(...order.indices.subarray(order.from(batch), order.from(batch) + length));
          }
          expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        },
      ),
    );
  });

  it('is a function of (seed, epoch), whatever epochs came before', () => {
    const order = new BatchOrder(10, 4, 5);
    expect([...order.indices]).toEqual([4, 6, 8, 5, 0, 1, 3, 9, 2, 7]);
    order.startEpoch(1);
    expect([...order.indices]).toEqual([7, 3, 0, 1, 6, 4, 8, 5, 9, 2]);
    order.startEpoch(77);
    order.startEpoch(0);
    expect([...order.indices]).toEqual([4, 6, 8, 5, 0, 1, 3, 9, 2, 7]);
    expect([...new BatchOrder(10, 4, 6).indices]).not.toEqual([...order.indices]);
  });

  it('refuses bad arguments', () => {
    for (const count of [0, -1, 1.5, NaN, 2 ** 32])
      expect(() => new BatchOrder(count, 1, 1)).toThrow(/^"count" expected/);
    for (const size of [0, -1, 1.5, NaN])
      expect(() => new BatchOrder(5, size, 1)).toThrow(/^"batchSize" expected/);
    expect(() => new BatchOrder(5, 1, -1)).toThrow(/^"seed" expected/);
    const order = new BatchOrder(5, 2, 1);
    for (const epoch of [-1, 0.5, NaN])
      expect(() => order.startEpoch(epoch)).toThrow(/^"epoch" expected/);
    for (const batch of [-1, 3, 0.5]) {
      expect(() => order.from(batch)).toThrow(/^"batch" expected an integer in \[0, 2\]/);
      expect(() => order.length(batch)).toThrow(/^"batch" expected/);
    }
  });
});

describe('gatherRowsInto and gatherLabelsInto', () => {
  const features = Float32Array.of(0, 1, 10, 11, 20, 21);
  const labels = Int32Array.of(5, 6, 7);
  const indices = Uint32Array.of(2, 0, 1, 2);

  it('copy the named rows and nothing else', () => {
    const out = new Float32Array(6).fill(-1);
    gatherRowsInto(features, 2, indices, 1, 2, out);
    expect([...out]).toEqual([0, 1, 10, 11, -1, -1]);
    const some = new Int32Array(3).fill(-1);
    gatherLabelsInto(labels, indices, 2, 2, some);
    expect([...some]).toEqual([6, 7, -1]);
    gatherRowsInto(features, 2, indices, 4, 0, new Float32Array(0));
  });

  it('refuse arrays of other types, whose elements might be no numbers of rows', () => {
    const out = new Float32Array(4);
    expect(() => gatherRowsInto([0, 1] as never, 2, indices, 0, 1, out)).toThrow(
      /^"features" expected a Float32Array/,
    );
    expect(() => gatherRowsInto(features, 2, [-1] as never, 0, 1, out)).toThrow(
      /^"indices" expected a Uint32Array/,
    );
    expect(() => gatherRowsInto(features, 2, indices, 0, 1, new Float64Array(4) as never)).toThrow(
      /^"out" expected a Float32Array/,
    );
    expect(() => gatherLabelsInto([5] as never, indices, 0, 1, new Int32Array(1))).toThrow(
      /^"labels" expected an Int32Array/,
    );
    expect(() => gatherLabelsInto(labels, [0.5] as never, 0, 1, new Int32Array(1))).toThrow(
      /^"indices" expected a Uint32Array/,
    );
  });

  it('refuse ranges and rows that do not exist', () => {
    const out = new Float32Array(4);
    expect(() => gatherRowsInto(features, 2, indices, 0, 3, out)).toThrow(
      /^"out" expected at least 3 × 2 values/,
    );
    expect(() => gatherRowsInto(features, 2, indices, 3, 2, out)).toThrow(
      /^"length" expected an integer in \[0, 1\], got 2/,
    );
    expect(() => gatherRowsInto(features, 2, indices, 5, 0, out)).toThrow(/^"from" expected/);
    expect(() => gatherRowsInto(features, 2, indices, -1, 1, out)).toThrow(/^"from" expected/);
    expect(() => gatherRowsInto(features, 0, indices, 0, 1, out)).toThrow(
      /^"featureCount" expected/,
    );
    expect(() => gatherRowsInto(features, 2, Uint32Array.of(1, 3), 0, 2, out)).toThrow(
      '"indices[1]" expected an integer in [0, 2], got 3',
    );
    expect(() => gatherLabelsInto(labels, indices, 0, 4, new Int32Array(3))).toThrow(
      /^"out" expected/,
    );
    expect(() => gatherLabelsInto(labels, indices, 0, 5, new Int32Array(9))).toThrow(
      /^"length" expected/,
    );
    expect(() => gatherLabelsInto(labels, Uint32Array.of(3), 0, 1, new Int32Array(3))).toThrow(
      /^"indices\[0\]" expected/,
    );
  });
});
