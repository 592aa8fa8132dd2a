/** Pretended machines, for tests of what `threads: 'auto'` means. */
import { vi } from 'vitest';

/** Environment variables by which serverless platforms are known. */
export const SERVERLESS = [
  'AWS_LAMBDA_FUNCTION_NAME',
  'FUNCTIONS_WORKER_RUNTIME',
  'K_SERVICE',
  'FUNCTION_TARGET',
  'VERCEL',
  'NETLIFY',
  'DENO_DEPLOYMENT_ID',
];

/**
 * Pretends to be a machine of `cpus` CPUs with these files below /proc and /sys, on no serverless
 * platform, until `forgetMachine` is called.
 */
export function pretendMachine(cpus: number, files: Record<string, string> = {}): void {
  for (const name of SERVERLESS) vi.stubEnv(name, undefined);
  const real = process.getBuiltinModule.bind(process) as (name: string) => object;
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) => {
    if (name === 'node:os') return { availableParallelism: () => cpus };
    if (name !== 'node:fs') return real(name);
    return {
      readFileSync(path: string) {
        if (!(path in files)) throw new Error('ENOENT');
        return files[path];
      },
    };
  }) as never);
}

/** Removes all stubs of the environment and of globals, and all mocks. */
export function forgetMachine(): void {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}
