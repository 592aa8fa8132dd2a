/** Steps and passes in a loop leave nothing for the garbage collector. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// On the package as shipped, since test runners rewrite modules; `npm test` builds it first.
const PACKAGE = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

describe('stepInto', () => {
  it.each([
    ['simd', { backend: 'simd' }, 1],
    ['one thread', { backend: 'threads', threads: 1 }, 1],
    // Where threads compete for CPUs a call back from the wait now and then costs V8 a boxed number
    // or two.
    ['two threads', { backend: 'threads', threads: 2, parallelThreshold: 0 }, 40],
  ])('allocates nothing on %s', (_, options, limit) => {
    const script = fileURLToPath(new URL('../support/allocations.mjs', import.meta.url));
    // Whether V8 boxes a number depends on its budget for inlining; with a large one it is the code
    // that is measured.
    const flags = [
      '--max-inlined-bytecode-size-cumulative=10000',
      '--max-inlined-bytecode-size=5000',
    ];
    const output = execFileSync(
      process.execPath,
      [...flags, script, PACKAGE, JSON.stringify(options)],
      { encoding: 'utf8' },
    );
    const bytes = JSON.parse(output);
    // The measure itself: a result object of five fields is seen.
    expect(bytes.step).toBeGreaterThan(50);
    expect(bytes.stepInto).toBeLessThan(limit);
    expect(bytes.stepIntoGiven).toBeLessThan(limit);
    for (const call of ['addInto', 'addIntoGiven', 'addIntoSum', 'update', 'stepFree'])
      expect(bytes[call], call).toBeLessThan(limit);
    // With more threads, a pass waits for each kernel that they share, some 35 times here.
    if (limit === 1) expect(bytes.computeGradients).toBeLessThan(1);
    expect(bytes.wasmGrowth).toBe(0);
  });
});
