/** A network learns real digits, and every backend learns the same bits. */
import { expect, it } from 'vitest';
import { oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { trainDigits } from '../support/digits';

it('reaches a mean test accuracy of 0.965 over five seeds in 30 epochs', async () => {
  const accuracies: number[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    accuracies.push(
      (await withRuntime(simd, (runtime) => trainDigits(runtime, seed, 30))).accuracy,
    );
  }
  const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
  const figures = accuracies.map((accuracy) => accuracy.toFixed(4)).join(' ');
  console.log(`digits, practical, 30 epochs: ${figures}, mean ${mean.toFixed(4)}`);
  expect(mean).toBeGreaterThanOrEqual(0.965);
});

it('learns the same bits on every backend and thread count', async () => {
  const reference = await withRuntime(oracle, (runtime) => trainDigits(runtime, 1, 2));
  for (const backend of [simd, ...THREAD_CASES]) {
    const run = await withRuntime(backend, (runtime) => trainDigits(runtime, 1, 2));
    expect(run, backend.name).toEqual(reference);
  }
  // Recorded 2026-11-23 on Node 20.20, x64. It changes only when the numbers do.
  expect(reference.hash).toBe('054a0bde60980917f27301e2980af56cde600dc8a877743a580ffd37af18306b');
});
