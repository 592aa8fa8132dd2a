/** Description of the runtime and the machine. */
import { availableParallelism, cpus } from 'node:os';

/** Runtime and machine, as run.json records them. */
export interface Environment {
  /** Version of adal-wasm. */
  readonly adal: string;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly platform: string;
  readonly arch: string;
  readonly cpus: number;
  readonly cpuModel: string;
}

export function describeEnvironment(adal: string): Environment {
  const { v8, deno, bun, webkit } = process.versions;
  const [runtime, runtimeVersion] = bun
    ? ['bun', bun]
    : deno
      ? ['deno', deno]
      : ['node', process.versions.node];
  const [engine, engineVersion] = bun ? ['JavaScriptCore', webkit ?? ''] : ['v8', v8];
  const { platform, arch } = process;
  const cpuModel = cpus()[0]?.model.trim() ?? '';
  return {
    adal,
    runtime,
    runtimeVersion,
    engine,
    engineVersion,
    platform,
    arch,
    cpus: availableParallelism(),
    cpuModel,
  };
}
