/** Wall time, CPU time and peak memory of this process (Node). */
import { existsSync, readFileSync } from 'node:fs';

/** Several calls, timed together. */
export interface CallSample {
  readonly calls: number;
  /** Wall time of all calls, ns. */
  readonly ns: number;
  /** CPU time of all threads of the process, ns. */
  readonly cpu: number;
}

/** Calls between two readings of the clock at most. */
const MAX_BLOCK = 64;

/**
 * Calls `run` until `ms` have passed, at least once, and awaits it where it returns a promise.
 * Short calls are made in blocks, so that reading the clock costs nothing.
 */
export async function sampleCalls(run: () => unknown, ms: number): Promise<CallSample> {
  const limit = BigInt(ms * 1e6);
  const start = process.hrtime.bigint();
  const before = process.cpuUsage();
  let calls = 0;
  let elapsed = 0n;
  for (let block = 1; elapsed < limit; block = Math.min(MAX_BLOCK, 2 * block)) {
    for (let i = 0; i < block; i++) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    calls += block;
    elapsed = process.hrtime.bigint() - start;
    // A block must not outlast the sample by much: back to one call.
    if (elapsed * BigInt(2 * block) > limit * BigInt(calls)) block = 0.5;
  }
  const { user, system } = process.cpuUsage(before);
  return { calls, ns: Number(elapsed), cpu: 1000 * (user + system) };
}

const STATUS = '/proc/self/status';

/**
 * Returns the peak of this process's resident memory, bytes. Reads it from Linux where possible:
 * getrusage includes what the parent had before exec.
 */
export function peakMemory(): number {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : '';
  const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(status) ?? [];
  return 1024 * Number(kilobytes ?? process.resourceUsage().maxRSS);
}
