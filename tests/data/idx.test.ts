import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IdxArray, idxDataset, parseIdx } from '../../src/data';
import { DataError } from '../../src/errors';
import { caught } from '../support/errors';
import { idxBytes, idxFile, idxHeader } from './idx-file';

function refuses(bytes: Uint8Array, message: RegExp): void {
  const thrown = caught(() => parseIdx(bytes, 'file')) as Error;
  expect(thrown).toBeInstanceOf(DataError);
  expect(thrown.message).toMatch(/^file: expected .*, got /);
  expect(thrown.message).toMatch(message);
}

describe('parseIdx', () => {
  it('reads back what was written, for every element type', () => {
    const types = [
      { type: 8, size: 1, value: fc.integer({ min: 0, max: 255 }), set: 'setUint8' },
      { type: 9, size: 1, value: fc.integer({ min: -128, max: 127 }), set: 'setInt8' },
      { type: 11, size: 2, value: fc.integer({ min: -32768, max: 32767 }), set: 'setInt16' },
      { type: 12, size: 4, value: fc.integer(), set: 'setInt32' },
      { type: 13, size: 4, value: fc.float(), set: 'setFloat32' },
      { type: 14, size: 8, value: fc.double(), set: 'setFloat64' },
    ] as const;
    for (const { type, size, value, set } of types) {
      const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(shapes, fc.infiniteStream<number>(value), (shape, stream) => {
          const count = shape.reduce((product, n) => product * n, 1);
          const elements = [...stream.take(count)];
          const put = (view: DataView, offset: number) => {
            for (const [i, x] of elements.entries()) view[set](offset + size * i, x);
          };
          const parsed = parseIdx(idxFile(type, shape, size, put));
          expect(parsed.shape).toEqual(shape);
          expect([...parsed.data]).toEqual(elements);
        }),
      );
    }
  });

  it('reads from the middle of a buffer', () => {
    const file = idxBytes([3], [7, 8, 9]);
    const larger = new Uint8Array(file.length + 10);
    larger.set(file, 5);
    expect([...parseIdx(larger.subarray(5, 5 + file.length)).data]).toEqual([7, 8, 9]);
  });

  it('refuses an empty file', () => {
    refuses(new Uint8Array(0), /a header of 4 bytes, got 0 bytes/);
  });

  it('refuses a file cut at any byte, and one with bytes too many', () => {
    const file = idxFile(12, [2, 3], 4, () => {});
    for (let length = 0; length < file.length; length++) refuses(file.slice(0, length), /bytes/);
    for (const extra of [1, 4, 1000]) {
      const longer = new Uint8Array(file.length + extra);
      longer.set(file);
      refuses(longer, /expected 36 bytes \(2 × 3 elements of 4\), got \d+ \(trailing bytes\)/);
    }
    refuses(file.slice(0, 35), /got 35 \(truncated\)/);
  });

  it('refuses a bad magic number, gzip data, unknown types and no dimensions', () => {
    refuses(Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0), /two zero bytes of an IDX file, got 0x01 0x00/);
    refuses(Uint8Array.of(0, 1, 8, 1, 0, 0, 0, 0), /got 0x00 0x01/);
    refuses(Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip/);
    for (const type of [0, 7, 10, 15, 255])
      refuses(Uint8Array.of(0, 0, type, 1, 0, 0, 0, 0), /an element type of/);
    refuses(Uint8Array.of(0, 0, 8, 0), /at least one dimension, got 0/);
    refuses(Uint8Array.of(0, 0, 8, 255), /1024 bytes for the sizes of 255 dimensions, got 4 bytes/);
  });

  it('refuses sizes beyond all memory without allocating', () => {
    refuses(idxHeader(14, [4294967295]), /truncated/);
    refuses(idxHeader(14, [4294967295, 4294967295, 4294967295]), /truncated/);
    refuses(idxHeader(8, new Array(200).fill(4294967295)), /expected Infinity bytes .*truncated/);
    expect(parseIdx(idxHeader(8, [...new Array(100).fill(4294967295), 0])).data.length).toBe(0);
  });

  it('answers any bytes with an array or a DataError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, magic) => {
        if (magic) bytes.set([0, 0, 8].slice(0, bytes.length));
        try {
          const { shape, data } = parseIdx(bytes);
          expect(shape.reduce((product, n) => product * n, 1)).toBe(data.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DataError);
        }
      }),
    );
  });

  it('refuses what is no byte array', () => {
    expect(() => parseIdx('text' as unknown as Uint8Array)).toThrow(
      /^"bytes" expected a Uint8Array/,
    );
  });
});

describe('idxDataset', () => {
  const images: IdxArray = { shape: [2, 1, 2], data: Uint8Array.of(0, 51, 255, 1) };
  const labels: IdxArray = { shape: [2], data: Uint8Array.of(1, 0) };
  const options = { name: 'tiny', classCount: 2 };

  it('scales pixels to [0, 1] and keeps labels', () => {
    const dataset = idxDataset(images, labels, { ...options, classNames: ['a', 'b'] });
    expect(dataset).toMatchObject({
      name: 'tiny',
      count: 2,
      featureCount: 2,
      classCount: 2,
      classNames: ['a', 'b'],
    });
    expect([...dataset.features]).toEqual([0, Math.fround(51 / 255), 1, Math.fround(1 / 255)]);
    expect([...dataset.labels]).toEqual([1, 0]);
  });

  it.each([
    [
      'images of another type',
      { ...images, data: new Float32Array(4) },
      labels,
      /tiny images: expected unsigned bytes, got Float32/,
    ],
    [
      'labels of another type',
      images,
      { ...labels, data: new Int32Array(2) },
      /tiny labels: expected unsigned bytes, got Int32/,
    ],
    [
      'images of one dimension',
      { ...images, shape: [4] },
      labels,
      /tiny images: expected at least 2 dimensions, got 1/,
    ],
    [
      'labels of two dimensions',
      images,
      { ...labels, shape: [2, 1] },
      /tiny labels: expected 1 dimension, got 2/,
    ],
    [
      'another number of labels',
      images,
      { shape: [1], data: Uint8Array.of(1) },
      /expected 2, one for each image, got 1/,
    ],
    [
      'no images',
      { shape: [0, 2], data: new Uint8Array(0) },
      { shape: [0], data: new Uint8Array(0) },
      /at least one pixel/,
    ],
    [
      'a label too large',
      images,
      { shape: [2], data: Uint8Array.of(0, 2) },
      /expected labels in \[0, 1\], got 2 at index 1/,
    ],
  ])('refuses %s', (_, someImages, someLabels, message) => {
    const thrown = caught(() => idxDataset(someImages, someLabels, options)) as Error;
    expect(thrown).toBeInstanceOf(DataError);
    expect(thrown.message).toMatch(message);
  });

  it('refuses bad options', () => {
    expect(() => idxDataset(images, labels, { ...options, classCount: 0 })).toThrow(
      /^"classCount" expected/,
    );
    expect(() => idxDataset(images, labels, { ...options, classCount: 257 })).toThrow(
      /^"classCount" expected/,
    );
    expect(() => idxDataset(images, labels, { ...options, classNames: ['a'] })).toThrow(
      /^"classNames" expected 2 names/,
    );
    expect(() => idxDataset(images, labels, { ...options, classNames: ['a', 'a'] })).toThrow(
      /^"classNames\[1\]" expected a name that/,
    );
    expect(() => idxDataset(images, labels, undefined as never)).toThrow(
      '"options" expected an options object, got undefined',
    );
  });

  it('refuses what parseIdx has not returned', () => {
    expect(() => idxDataset(undefined as never, labels, options)).toThrow(
      '"images" expected a result of parseIdx: { shape, data }',
    );
    expect(() => idxDataset(images, new Uint8Array(2) as never, options)).toThrow(
      '"labels" expected a result of parseIdx',
    );
    expect(() => idxDataset({ ...images, shape: [2, 1, 3] }, labels, options)).toThrow(
      '"images.data" expected 2 × 1 × 3 elements, got Uint8Array(4)',
    );
  });
});
