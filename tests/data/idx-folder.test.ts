import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadIdxFolder } from '../../src/data';
import { ArgumentError, DataError, UnsupportedError } from '../../src/errors';
import { idxBytes } from './idx-file';

describe('loadIdxFolder', () => {
  let folder: string;
  const put = (file: string, bytes: Uint8Array) => writeFileSync(join(folder, file), bytes);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'adal-idx-'));
    put('train-images-idx3-ubyte', idxBytes([3, 1, 2], [0, 255, 51, 0, 0, 0]));
    put('train-labels-idx1-ubyte', idxBytes([3], [0, 9, 4]));
    put('t10k-images-idx3-ubyte.gz', gzipSync(idxBytes([1, 1, 2], [255, 0])));
    put('t10k-labels-idx1-ubyte.gz', gzipSync(idxBytes([1], [3])));
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    rmSync(folder, { recursive: true });
  });

  it('reads both parts, packed or not', () => {
    const { train, test } = loadIdxFolder(folder);
    expect(train).toMatchObject({
      name: join(folder, 'train'),
      count: 3,
      featureCount: 2,
      classCount: 10,
    });
    expect([...train.labels]).toEqual([0, 9, 4]);
    expect([...test.features]).toEqual([1, 0]);
    expect(test.count).toBe(1);
  });

  it('names the file that is missing', () => {
    unlinkSync(join(folder, 't10k-labels-idx1-ubyte.gz'));
    expect(() => loadIdxFolder(folder)).toThrow(DataError);
    expect(() => loadIdxFolder(folder)).toThrow(
      /t10k-labels-idx1-ubyte: no such file, and no .*t10k-labels-idx1-ubyte\.gz$/,
    );
    expect(() => loadIdxFolder(join(folder, 'nowhere'))).toThrow(
      /train-images-idx3-ubyte: no such file/,
    );
  });

  it('names the file that is malformed', () => {
    put('t10k-labels-idx1-ubyte.gz', gzipSync(idxBytes([1], [3])).subarray(0, 15));
    expect(() => loadIdxFolder(folder)).toThrow(/t10k-labels-idx1-ubyte\.gz: cannot be read/);
    put('t10k-labels-idx1-ubyte.gz', gzipSync(Uint8Array.of(1, 2, 3, 4)));
    expect(() => loadIdxFolder(folder)).toThrow(
      /t10k-labels-idx1-ubyte\.gz: expected the two zero bytes/,
    );
  });

  it('refuses parts that do not fit', () => {
    put('t10k-labels-idx1-ubyte.gz', gzipSync(idxBytes([2], [3, 3])));
    expect(() => loadIdxFolder(folder)).toThrow(
      /t10k labels: expected 1, one for each image, got 2/,
    );
    put('t10k-labels-idx1-ubyte.gz', gzipSync(idxBytes([1], [3])));
    put('t10k-images-idx3-ubyte.gz', gzipSync(idxBytes([1, 1, 3], [255, 0, 1])));
    expect(() => loadIdxFolder(folder)).toThrow(
      /t10k images: expected 2 pixels, as in .*train images, got 3/,
    );
  });

  it('refuses labels beyond classCount, and takes names', () => {
    expect(() => loadIdxFolder(folder, { classCount: 9 })).toThrow(
      /train labels: expected labels in \[0, 8\], got 9 at index 1/,
    );
    expect(loadIdxFolder(folder, { classCount: 47 }).train.classCount).toBe(47);
    const classNames = [...'abcdefghij'];
    expect(loadIdxFolder(folder, { classNames }).test.classNames).toEqual(classNames);
  });

  it('refuses bad arguments', () => {
    expect(() => loadIdxFolder('')).toThrow(ArgumentError);
    expect(() => loadIdxFolder(folder, { classCount: 0 })).toThrow(/^"classCount" expected/);
    expect(() => loadIdxFolder(folder, { classes: 3 } as object)).toThrow(
      /^"options.classes" expected/,
    );
    expect(() => loadIdxFolder(folder, { classNames: ['one'] })).toThrow(
      /^"classNames" expected 10 names/,
    );
  });

  it('says so where there is no file system', () => {
    vi.stubGlobal('process', undefined);
    expect(() => loadIdxFolder(folder)).toThrow(UnsupportedError);
  });
});
