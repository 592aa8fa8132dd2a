/**
 * What a result needs to be read later: runtime, engine, machine, clock. Works wherever the suite
 * does.
 */
import { createRuntime } from 'adal-wasm';
import type { Environment } from '../schema/result';
import { hashArrays } from './study/hash';

interface Named {
  readonly runtime: Environment['runtime'];
  readonly version: string;
  readonly engine: string;
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

function identify(): Named {
  if (here.Deno)
    return {
      runtime: 'deno',
      version: here.Deno.version.deno,
      engine: `V8 ${here.Deno.version.v8}`,
    };
  if (here.Bun) return { runtime: 'bun', version: here.Bun.version, engine: 'JavaScriptCore' };
  const agent = here.navigator?.userAgent ?? '';
  if (agent === 'Cloudflare-Workers')
    return { runtime: 'workerd', version: 'unknown', engine: 'V8' };
  const { versions } = here.process ?? {};
  if (versions?.node)
    return { runtime: 'node', version: versions.node, engine: `V8 ${versions.v8}` };
  return identifyBrowser(agent);
}

function identifyBrowser(agent: string): Named {
  const find = (pattern: RegExp) => pattern.exec(agent)?.[1];
  const [chromium, firefox, webkit] = [
    find(/Chrom(?:e|ium)\/([\d.]+)/),
    find(/Firefox\/([\d.]+)/),
    find(/Version\/([\d.]+)/),
  ];
  if (chromium)
    return {
      runtime: 'chromium',
      version: chromium,
      engine: `V8 of Chromium ${chromium.split('.')[0]}`,
    };
  if (firefox) return { runtime: 'firefox', version: firefox, engine: 'SpiderMonkey' };
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

/** Far more than fit into the time that the tick is looked for, on any clock that moves. */
const MAX_READINGS = 1e7;

/**
 * The shortest time between two different readings of the clock, of some; 0 where it stands still
 * while code runs.
 */
function timerTick(): number {
  let shortest = Infinity;
  let readings = 0;
  const end = Date.now() + 50;
  while (Date.now() < end && readings < MAX_READINGS) {
    const begin = performance.now();
    let now = begin;
    for (; now === begin && Date.now() < end && readings < MAX_READINGS; readings++)
      now = performance.now();
    if (now > begin) shortest = Math.min(shortest, now - begin);
  }
  if (Number.isFinite(shortest)) return shortest;
  return readings < MAX_READINGS ? 50 : 0;
}

/** @param version of the runtime, where it does not tell it itself */
export async function describeEnvironment(version?: string): Promise<Environment> {
  const named = identify();
  if (version !== undefined && named.version === 'unknown') Object.assign(named, { version });
  const os = operatingSystem();
  const runtime = await createRuntime();
  const { backend, threads, threadsReason } = runtime.info;
  runtime.dispose();
  const cpu = os?.cpus()[0]?.model.trim() || null;
  const cores =
    os?.availableParallelism?.() ?? os?.cpus().length ?? here.navigator?.hardwareConcurrency ?? 1;
  const browser = here.crossOriginIsolated !== undefined && !os;
  const machine = `${cpu} ${cores} ${os?.platform()} ${os?.arch()}`;
  const suffix = hashArrays({
    machine: Float32Array.from(machine, (character) => character.charCodeAt(0)),
  }).slice(-4);
  return {
    // Machines of one kind share an id, so that shards may; others do not.
    id: `${named.runtime}-${named.version}-${suffix}`,
    ...named,
    os: os?.platform() ?? 'unknown',
    arch: os?.arch() ?? 'unknown',
    cpu,
    cores: Math.max(1, cores),
    memoryBytes: os ? os.totalmem() : null,
    isolated: browser ? here.crossOriginIsolated! : null,
    backend,
    threads,
    threadsReason: threadsReason || null,
    timerTickMs: Number(timerTick().toPrecision(3)),
    date: new Date().toISOString(),
    warnings: [],
  };
}
