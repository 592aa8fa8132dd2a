/** The checksum of stored content: every bit, its place and the length matter. */
import { expect, test } from 'vitest';
import { Checksum, checksum } from '../../../src/checkpoint/stores/checksum';
import { content } from './contract';

test('tells any single bit, any two swapped words and any length apart', () => {
  const bytes = content(67);
  const sums = new Set([checksum(bytes)]);
  let count = 1;
  for (let bit = 0; bit < 8 * bytes.length; bit++, count++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    sums.add(checksum(changed));
  }
  for (let at = 4; at < 64; at += 4, count++) {
    const swapped = bytes.slice();
    swapped.set(bytes.subarray(0, 4), at);
    swapped.set(bytes.subarray(at, at + 4), 0);
    sums.add(checksum(swapped));
  }
  for (let length = 0; length < 67; length++, count++)
    sums.add(checksum(bytes.subarray(0, length)));
  for (let length = 0; length < 200; length++, count++)
    sums.add(checksum(new Uint8Array(length).fill(0)));
  // The empty content is counted twice.
  expect(sums.size).toBe(count - 1);
});

test('does not depend on where the bytes lie', () => {
  const memory = new Uint8Array(80);
  for (const shift of [0, 1, 2, 3, 7]) {
    memory.set(content(67), shift);
    expect(checksum(memory.subarray(shift, shift + 67))).toBe(checksum(content(67)));
  }
});

test('is the same of pieces, and of content beyond 2 GiB is not that of its beginning', () => {
  const bytes = content(1003);
  for (const size of [4, 100, 400, 1000]) {
    const sum = new Checksum();
    for (let at = 0; at < bytes.length; at += size) sum.add(bytes.subarray(at, at + size));
    expect(sum.digest()).toBe(checksum(bytes));
  }
  // The same piece over and over, so that no memory is needed: 2^31 bytes and more.
  const piece = content(1 << 24);
  const sumOf = (count: number, last: Uint8Array) => {
    const sum = new Checksum();
    for (let i = 0; i < count; i++) sum.add(piece);
    return sum.add(last).digest();
  };
  expect(sumOf(128, Uint8Array.of(1))).not.toBe(sumOf(128, Uint8Array.of(2)));
});

test('has the values that stored checkpoints have', () => {
  expect(checksum(new Uint8Array(0))).toBe('3dab4527670be9c5');
  expect(checksum(content(67))).toBe('2e9a409f2c25554b');
  expect(checksum(content(3_000_001))).toBe('858a5def0b075395');
});
