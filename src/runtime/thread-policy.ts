/**
 * How many threads `threads: 'auto'` means where threads can be had, and why. Loaded there only.
 */
import { addressLimit, cpuQuota } from './cpu-quota';
import { builtin, hostProcess, isGranted, whyNoThreads } from './features';

/** A number of threads with the reason for it. */
export interface ThreadChoice {
  readonly threads: number;
  readonly reason: string;
}

/** More than this many threads do not pay for an optimizer step: it is bound by memory. */
const MOST_THREADS = 4;

/**
 * Bytes of address space below which no thread is started unasked. V8 reserves 10 GB for a memory
 * and some for a thread, and ends the whole process where that fails; two runtimes with a thread
 * each still failed at 24 GB.
 */
const ROOM_FOR_THREADS = 64e9;

/** Variables that serverless platforms set, where CPUs shown are not CPUs had. */
const SERVERLESS = [
  'AWS_LAMBDA_FUNCTION_NAME',
  'FUNCTIONS_WORKER_RUNTIME',
  'K_SERVICE',
  'FUNCTION_TARGET',
  'VERCEL',
  'NETLIFY',
  'DENO_DEPLOYMENT_ID',
];

export function chooseThreads(): ThreadChoice {
  const blocked = whyNoThreads();
  if (blocked) return { threads: 1, reason: blocked };
  const platform = SERVERLESS.find((name) => readEnvironment(name) !== undefined);
  if (platform)
    return {
      threads: 1,
      reason: `serverless platform (${platform} is set): its CPU share is not known`,
    };
  const quota = cpuQuota();
  if (quota < 2) return { threads: 1, reason: `the CPU quota is ${quota} of a CPU (cgroup)` };
  const cpus = availableCpus();
  if (cpus < 2) return { threads: 1, reason: 'one CPU' };
  const limit = addressLimit();
  if (limit < ROOM_FOR_THREADS) {
    const reason = `the address space is limited to ${limit} bytes (ulimit -v): the engine ends the process if a thread has no room`;
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
