/** How many threads `threads: 'auto'` means here, and why. */
import { cpuQuota } from './cpu-quota';
import { builtin, hostProcess, isGranted, NOT_ISOLATED, whyNoSharedMemory } from './features';
import { workerHostKind } from './worker-host';

/** A number of threads with the reason for it. */
export interface ThreadChoice {
  readonly threads: number;
  readonly reason: string;
}

/** More than this many threads do not pay for an optimizer step: it is bound by memory. */
const MOST_THREADS = 4;

/**
 * Elements of all tensors from which a step is shared between threads. Below it, waking parked workers costs more than they
 * save (bench/micro/step.js, "latency from parked").
 */
export const MINIMUM_PARALLEL_ELEMENTS = 65_536;

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

/**
 * @param parameterCount elements that will be trained, where known
 */
export function chooseThreads(parameterCount?: number): ThreadChoice {
  const blocked = whyNoThreads();
  if (blocked) return { threads: 1, reason: blocked };
  if (parameterCount !== undefined && parameterCount < MINIMUM_PARALLEL_ELEMENTS) {
    const [count, least] = [parameterCount, MINIMUM_PARALLEL_ELEMENTS].map((n) => n.toLocaleString('en-US'));
    const reason = `${count} parameters: threads pay from ${least} on`;
    return { threads: 1, reason };
  }
  const platform = SERVERLESS.find((name) => readEnvironment(name) !== undefined);
  if (platform) return { threads: 1, reason: `serverless platform (${platform} is set): its CPU share is not known` };
  const quota = cpuQuota();
  if (quota < 2) return { threads: 1, reason: `the CPU quota is ${quota} of a CPU (cgroup)` };
  const cpus = availableCpus();
  if (cpus < 2) return { threads: 1, reason: 'one CPU' };
  const threads = Math.min(MOST_THREADS, cpus, Math.floor(quota));
  return { threads, reason: `auto: ${threads} of ${cpus} CPUs` };
}

/** Why no threads can be had at all; null when they can. */
export function whyNoThreads(): string | null {
  const reason = whyNoSharedMemory();
  if (reason) return reason;
  const kind = workerHostKind();
  if (kind === null) return 'no worker host for this runtime';
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return kind === 'browser' && crossOriginIsolated === false ? NOT_ISOLATED : null;
}

function availableCpus(): number {
  const os = builtin<typeof import('node:os')>('node:os');
  if (os?.availableParallelism) return os.availableParallelism();
  return (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1;
}

function readEnvironment(name: string): string | undefined {
  try {
    return isGranted({ name: 'env', variable: name }) ? hostProcess()?.env?.[name] : undefined;
  } catch {
    return undefined;
  }
}
