import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { loadDigits } from '../../src/data';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

it('has the documented shape', () => {
  const digits = loadDigits();
  expect(digits).toMatchObject({ name: 'digits', count: 1797, featureCount: 64, classCount: 10 });
  expect(digits.features.length).toBe(1797 * 64);
  expect(digits.labels.length).toBe(1797);
  expect(digits.classNames).toEqual([...'0123456789']);
});

it('is the source, byte for byte', () => {
  // Both digests were taken from scikit-learn's digits.csv.gz by another program, as one byte a
  // value.
  const { features, labels } = loadDigits();
  const pixels = Uint8Array.from(features, (x) => 16 * x);
  expect(sha256(pixels)).toBe('8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3');
  expect(sha256(Uint8Array.from(labels))).toBe(
    '8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0',
  );
});

it('begins with a zero, and has every class about equally often', () => {
  const { features, labels } = loadDigits();
  expect(labels[0]).toBe(0);
  const rows = [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
  ];
  expect([...features.subarray(0, 64)].map((x) => 16 * x)).toEqual(rows.flat());
  const histogram = new Array(10).fill(0);
  for (const label of labels) histogram[label]++;
  expect(histogram).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
});

it('is new each time', () => {
  const first = loadDigits();
  first.features.fill(9);
  first.labels.fill(9);
  expect(loadDigits().labels[0]).toBe(0);
  expect(loadDigits().features[0]).toBe(0);
});
