/**
 * A million mutated safetensors files: refused by name or read, never anything else. Time and
 * memory: tests/fuzz/.
 */
import { expect, it } from 'vitest';
import { fuzzSafetensors } from '../checkpoint/safetensors-fuzz';

const COUNT = 1_000_000;
/**
 * Reasons that mutations seldom lead to: sizes whose product is no safe integer have passed all
 * earlier checks.
 */
const RARE = ['overflow'];

it(`reads or refuses ${COUNT} mutated files`, () => {
  const { accepted, refused } = fuzzSafetensors(COUNT, 20240607);
  console.log(`${COUNT} files: ${accepted} read, refused ${JSON.stringify(refused)}`);
  expect(accepted).toBeGreaterThan(COUNT / 50);
  expect(
    Object.entries(refused).filter(([reason, count]) => count < (RARE.includes(reason) ? 1 : 50)),
  ).toEqual([]);
});
