/**
 * Decides how many threads `threads: 'auto'` means. Imported only on platforms with threads.
 */

import { builtin, hostProcess, isGranted, whyNoThreads } from './features';
import { addressLimit, cpuQuota } from './process-limits';

/** A number of threads, and the reason for it. */
export interface ThreadChoice {
  readonly threads: number;
  readonly reason: string;
}

/** An optimizer step is bound by memory: it gains nothing from more threads than these. */
const MOST_THREADS = 4;

/**
 * Bytes of address space below which 'auto' starts no thread. V8 reserves 10 GB for a memory and
 * more for each thread, and ends the whole process if it cannot; two runtimes with a thread each
 * still failed at 24 GB.
 */
const ROOM_FOR_THREADS = 64e9;

/**
 * Environment variables of serverless platforms, which report more CPUs than the process may use.
 */
const SERVERLESS = [
  'AWS_LAMBDA_FUNCTION_NAME',
  'FUNCTIONS_WORKER_RUNTIME',
  'K_SERVICE',
  'FUNCTION_TARGET',
  'VERCEL',
  'NETLIFY',
  'DENO_DEPLOYMENT_ID',
];

/** Chooses a number of threads for this machine. */
export function chooseThreads(): ThreadChoice {
  const blocked = whyNoThreads();
  if (blocked) return { threads: 1, reason: blocked };
  const platform = SERVERLESS.find((name) => readEnvironment(name) !== undefined);
  if (platform)
    return {
      threads: 1,
      reason: `serverless platform (${platform} is set): the CPU share is unknown`,
    };
  const quota = cpuQuota();
  if (quota < 2) return { threads: 1, reason: `the CPU quota is ${quota} of a CPU (cgroup)` };
  const cpus = availableCpus();
  if (cpus < 2) return { threads: 1, reason: 'one CPU' };
  const limit = addressLimit();
  if (limit < ROOM_FOR_THREADS) {
    const reason =
      `the address space is limited to ${limit} bytes (ulimit -v): ` +
      'the engine would end the process if a thread did not fit';
    return { threads: 1, reason };
  }
  const threads = Math.min(MOST_THREADS, cpus, Math.floor(quota));
  return { threads, reason: `auto: ${threads} of ${cpus} CPUs` };
}

function availableCpus(): number {
  const os = builtin<typeof import('node:os')>('node:os');
  if (os?.availableParallelism) return os.availableParallelism();
  return (
    (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator
      ?.hardwareConcurrency ?? 1
  );
}

function readEnvironment(name: string): string | undefined {
  try {
    return isGranted({ name: 'env', variable: name }) ? hostProcess()?.env?.[name] : undefined;
  } catch {
    return undefined;
  }
}
