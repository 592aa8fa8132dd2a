/**
 * The environment of a suite result: the runtime, the machine, the library's default backend and
 * the clock. Works on every runtime.
 */
import { createRuntime } from 'adal-wasm';
import type { Environment } from '../schema/result';
import { hashArrays } from './hash';
import { describeMachine, identifyRuntime } from './machine';

/** Upper bound of clock readings: far more than fit into the 50 ms on any clock that moves. */
const MAX_READINGS = 1e7;

/**
 * Returns the shortest time, ms, between two different readings of the clock within 50 ms; 0 where
 * the clock stands still while code runs.
 */
export function timerTick(): number {
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

/** Returns four hexadecimal digits of a text's hash. */
const suffixOf = (text: string): string =>
  hashArrays({ text: Float32Array.from(text, (character) => character.charCodeAt(0)) }).slice(-4);

/**
 * Describes the environment that executes this code. Creates and disposes a runtime of the library.
 * @param version version of the runtime, used where the runtime does not tell it
 */
export async function describeEnvironment(version?: string): Promise<Environment> {
  const identity = identifyRuntime();
  const named =
    version !== undefined && identity.version === 'unknown' ? { ...identity, version } : identity;
  const machine = describeMachine();
  const runtime = await createRuntime();
  const { backend, threads, threadsReason } = runtime.info;
  runtime.dispose();
  const { cpu, cores, memoryBytes } = machine;
  // Without an operating system to ask, both names are undefined in the hash.
  const [os, arch] = memoryBytes === null ? [] : [machine.os, machine.arch];
  return {
    // Machines of one kind share an id, so that shards may; others do not.
    id: `${named.runtime}-${named.version}-${suffixOf(`${cpu} ${cores} ${os} ${arch}`)}`,
    ...named,
    ...machine,
    backend,
    threads,
    threadsReason: threadsReason || null,
    timerTickMs: Number(timerTick().toPrecision(3)),
    date: new Date().toISOString(),
    warnings: [],
  };
}
