/** What runs the benchmark: the runtime, its engine and the machine. Works on every runtime. */
import type { Environment } from '../schema/result';

/** The runtime as it names itself. */
export interface RuntimeIdentity {
  readonly runtime: Environment['runtime'];
  /** Version of the runtime; `'unknown'` where it does not tell. */
  readonly version: string;
  readonly engine: string;
}

/** The machine as the runtime describes it; `null` and `'unknown'` where it does not. */
export interface Machine {
  readonly os: string;
  readonly arch: string;
  /** CPU model. */
  readonly cpu: string | null;
  /** Logical CPUs, at least 1. */
  readonly cores: number;
  readonly memoryBytes: number | null;
  /** Whether a page is cross-origin isolated; null outside browsers. */
  readonly isolated: boolean | null;
}

interface Globals {
  Deno?: { version: { deno: string; v8: string } };
  Bun?: { version: string };
  process?: { versions?: Record<string, string>; getBuiltinModule?: (name: string) => unknown };
  navigator?: { userAgent?: string; hardwareConcurrency?: number };
  crossOriginIsolated?: boolean;
}

interface Os {
  cpus(): { model: string }[];
  availableParallelism?(): number;
  totalmem(): number;
  platform(): string;
  arch(): string;
}

const here = globalThis as unknown as Globals;

/** Identifies the runtime that executes this code. */
export function identifyRuntime(): RuntimeIdentity {
  if (here.Deno) {
    const { deno, v8 } = here.Deno.version;
    return { runtime: 'deno', version: deno, engine: `V8 ${v8}` };
  }
  if (here.Bun) return { runtime: 'bun', version: here.Bun.version, engine: 'JavaScriptCore' };
  const agent = here.navigator?.userAgent ?? '';
  if (agent === 'Cloudflare-Workers')
    return { runtime: 'workerd', version: 'unknown', engine: 'V8' };
  const { versions } = here.process ?? {};
  if (versions?.node)
    return { runtime: 'node', version: versions.node, engine: `V8 ${versions.v8}` };
  return identifyBrowser(agent);
}

function identifyBrowser(agent: string): RuntimeIdentity {
  const find = (pattern: RegExp) => pattern.exec(agent)?.[1];
  const chromium = find(/Chrom(?:e|ium)\/([\d.]+)/);
  if (chromium) {
    const engine = `V8 of Chromium ${chromium.split('.')[0]}`;
    return { runtime: 'chromium', version: chromium, engine };
  }
  const firefox = find(/Firefox\/([\d.]+)/);
  if (firefox) return { runtime: 'firefox', version: firefox, engine: 'SpiderMonkey' };
  const webkit = find(/Version\/([\d.]+)/);
  if (webkit) return { runtime: 'webkit', version: webkit, engine: 'JavaScriptCore' };
  return { runtime: 'browser', version: 'unknown', engine: 'unknown' };
}

function operatingSystem(): Os | null {
  try {
    return here.process?.getBuiltinModule?.('node:os') as Os;
  } catch {
    return null;
  }
}

/** Describes the machine that executes this code. */
export function describeMachine(): Machine {
  const os = operatingSystem();
  const cores =
    os?.availableParallelism?.() ?? os?.cpus().length ?? here.navigator?.hardwareConcurrency ?? 1;
  const browser = here.crossOriginIsolated !== undefined && !os;
  return {
    os: os?.platform() ?? 'unknown',
    arch: os?.arch() ?? 'unknown',
    cpu: os?.cpus()[0]?.model.trim() || null,
    cores: Math.max(1, cores),
    memoryBytes: os ? os.totalmem() : null,
    isolated: browser ? here.crossOriginIsolated! : null,
  };
}
