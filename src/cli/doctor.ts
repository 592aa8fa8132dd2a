/**
 * `adal doctor`: shows what this machine supports and which backends the library chooses, and
 * checks that all backends compute the same bits.
 */
import { AdalError, createRuntime, type RuntimeInfo, type RuntimeOptions } from '../index';
import { hasSimd, whyNoSharedMemory, whyNoThreads } from '../runtime/features';
import { cpuQuota } from '../runtime/process-limits';
import type { Environment } from './environment';
import { EXIT_FAILED } from './errors';
import { formatBackend, formatBytes, formatDuration, shortHash } from './format';
import { loadData } from './load-data';
import { print } from './output';
import { printable } from './printable';
import { runSession, type SessionSettings } from './session';
import { pairs, table } from './table';

/** Runs the command and returns the exit code: 0 unless backends disagree. */
export async function doctor(environment: Environment): Promise<number> {
  print(pairs(await describeMachine(environment)));
  print('\nSelf-check: train one epoch of digits on each backend');
  const checks = await checkBackends();
  print(table(['backend', 'time', 'hash of weights'], checks.rows));
  const [verdict, code] = judge(checks.hashes);
  print(`\n${verdict}`);
  return code;
}

async function describeMachine(environment: Environment): Promise<[string, string][]> {
  const { runtime, runtimeVersion, engine, engineVersion, platform, arch, cpus, cpuModel } =
    environment;
  const simd = await tryRuntime({ backend: 'simd' });
  const threads = await tryRuntime({ backend: 'threads', threads: 1 });
  const large = await tryRuntime({});
  const small = await tryRuntime({ parameterCount: 4810 });
  const memoryOf = (tried: RuntimeInfo | string) =>
    typeof tried === 'string' ? tried : `up to ${formatBytes(tried.maxMemoryBytes)}`;
  const yes = (obstacle: string | null) => obstacle ?? 'yes';
  return [
    ['adal', environment.adal],
    ['runtime', `${runtime} ${runtimeVersion} (${engine} ${engineVersion})`],
    ['platform', `${platform} ${arch}`],
    ['CPUs', `${cpus}${cpuModel === '' ? '' : ` (${printable(cpuModel)})`}`],
    ['CPU quota', describeQuota()],
    ['WebAssembly', typeof WebAssembly === 'object' ? 'yes' : 'no'],
    ['SIMD', hasSimd() ? 'yes' : 'no'],
    ['subnormal numbers', typeof simd === 'string' ? simd : 'kept by SIMD arithmetic'],
    ['shared memory', yes(whyNoSharedMemory())],
    ['worker threads', yes(whyNoThreads())],
    ['Atomics.waitAsync', 'waitAsync' in Atomics ? 'yes' : 'no (optional)'],
    ['memory', memoryOf(simd)],
    ['memory, shared', memoryOf(threads)],
    ['large models use', typeof large === 'string' ? large : formatBackend(large)],
    ['small models use', typeof small === 'string' ? small : formatBackend(small)],
  ];
}

/** Returns the properties of a runtime with these options, or why there is none. */
async function tryRuntime(options: RuntimeOptions): Promise<RuntimeInfo | string> {
  try {
    const runtime = await createRuntime(options);
    const { info } = runtime;
    runtime.dispose();
    return info;
  } catch (error) {
    if (error instanceof AdalError) return printable(error.message);
    throw error;
  }
}

const BACKENDS: readonly (Pick<SessionSettings, 'backend' | 'threads'> & { name: string })[] = [
  { name: 'oracle', backend: 'oracle', threads: 'auto' },
  { name: 'simd', backend: 'simd', threads: 'auto' },
  { name: 'threads, 1 thread', backend: 'threads', threads: 1 },
  { name: 'threads, 2 threads', backend: 'threads', threads: 2 },
];

/** Trains the same model on each backend. An unavailable backend is a row, not a failure. */
async function checkBackends(): Promise<{ rows: string[][]; hashes: string[] }> {
  const model = { kind: 'mlp', hidden: [64], outer: null } as const;
  const data = loadData({ kind: 'digits' }, { seed: 1, model });
  const rows: string[][] = [];
  const hashes: string[] = [];
  for (const { name, backend, threads } of BACKENDS) {
    const begin = performance.now();
    try {
      const settings = {
        model,
        optimizer: 'adal',
        preset: 'practical',
        epochs: 1,
        batchSize: 32,
        seed: 1,
        backend,
        threads,
      } as const;
      const { parameterHash } = await runSession(data, settings);
      hashes.push(parameterHash);
      rows.push([name, formatDuration(performance.now() - begin), shortHash(parameterHash)]);
    } catch (error) {
      if (!(error instanceof AdalError)) throw error;
      rows.push([name, '–', printable(error.message)]);
    }
  }
  return { rows, hashes };
}

function judge(hashes: readonly string[]): [string, number] {
  if (new Set(hashes).size > 1)
    return [
      'The backends disagree: do not rely on results from this machine, and please report this.',
      EXIT_FAILED,
    ];
  return [`All ${hashes.length} backends that run here agree in every bit.`, 0];
}

/** Describes the CPU quota of the control group. */
function describeQuota(): string {
  const quota = cpuQuota();
  return Number.isFinite(quota) ? `${quota} CPUs (cgroup)` : 'none';
}
