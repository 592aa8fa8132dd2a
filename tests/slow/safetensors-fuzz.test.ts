/** A million mutated safetensors files: refused by name or read, never anything else. */
import { expect, it } from 'vitest';
import { fuzzSafetensors } from '../checkpoint/safetensors-fuzz';

const COUNT = 1_000_000;

it(`reads or refuses ${COUNT} mutated files within a minute`, () => {
  const start = process.cpuUsage();
  const { accepted, refused } = fuzzSafetensors(COUNT, 20240607);
  // Processor time, which other processes on the machine don't lengthen.
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  console.log(`${COUNT} files in ${seconds.toFixed(1)} s: ${accepted} read, refused ${JSON.stringify(refused)}`);
  expect(accepted).toBeGreaterThan(COUNT / 50);
  expect(Object.entries(refused).filter(([, count]) => count < 50)).toEqual([]);
  expect(seconds).toBeLessThan(60);
});
