/** Reads the bits of an optimizer's parameters and state. */
import type { Optimizer, StateDict } from '../../../src/index';
import { partsOf, type StatePart } from '../../../src/optimizers/state-array';
import { checkBits, checkEqual } from './checks';

/** Returns every typed array of a state dict under a unique name. */
function* arraysOf({ params, state }: StateDict): Generator<[string, StatePart]> {
  for (const [name, { data }] of Object.entries(params)) {
    yield [name, data];
    for (const [slot, array] of Object.entries(state[name].arrays)) {
      for (const [key, part] of partsOf(array)) yield [`${name}.${slot}${key}`, part];
    }
  }
}

/** Returns everything except the arrays as text; engines agree on the decimal form of numbers. */
function countersOf({ algorithm, step, state }: StateDict): string {
  const counters = Object.entries(state).map(([name, { arrays: _, ...rest }]) => [name, rest]);
  return JSON.stringify([algorithm, step, counters]);
}

export function checkSameState(got: StateDict, want: StateDict, what: string): void {
  checkEqual(countersOf(got), countersOf(want), `${what}: counters`);
  const wanted = new Map(arraysOf(want));
  for (const [name, array] of arraysOf(got))
    checkBits(array, wanted.get(name) as StatePart, `${what}: ${name}`);
}

/** Returns β^t by repeated product; 1 for an optimizer without β. */
function power(beta: number | undefined, t: number): number {
  let product = 1;
  for (let i = 0; i < t; i++) product *= beta ?? 1;
  return product;
}

/**
 * Returns the counters as text in the form that the fingerprint was defined with, when state dicts
 * of all optimizers had the same ones.
 */
function fingerprintCounters({ algorithm, step, groups, state }: StateDict): string {
  const { betas } = groups[0] as { betas?: readonly [number, number] };
  const counters = Object.entries(state).map(([name, entry]) => {
    const own = entry as unknown as Record<string, number | undefined>;
    const t = own.step as number;
    const values = {
      step: t,
      exponent: own.exponent ?? 0,
      V: own.V ?? own.momentumProduct ?? own.lrSquareSum ?? 0,
      beta1Power: own.beta1Power ?? power(betas?.[0], t),
      beta2Power: own.beta2Power ?? power(betas?.[1], t),
      normMean: own.normMean ?? 0,
    };
    return [name, values];
  });
  return JSON.stringify([algorithm, step, counters]);
}

/**
 * Returns what goes into the fingerprint: the bytes of all parameters and state arrays, then the
 * counters.
 */
export function bytesOf(optimizer: Optimizer): Uint8Array<ArrayBuffer> {
  const dict = optimizer.stateDict();
  const parts = [...arraysOf(dict)].map(([, array]) => new Uint8Array(array.slice().buffer));
  return join([...parts, new TextEncoder().encode(fingerprintCounters(dict))]);
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
