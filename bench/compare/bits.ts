/** What must be equal bit for bit: fingerprints of weights, and streams of iterates. */
import type { Result } from '../schema/result';
import type { BitChange, EnvironmentPair } from './comparison';

interface Bits {
  readonly compared: number;
  readonly changes: readonly BitChange[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/** Returns all fingerprints and streams by label, of the environments that are compared. */
function bitsOf(result: Result, names: ReadonlyMap<string, string>): Map<string, string> {
  const bits = new Map<string, string>();
  for (const { environment, workload, optimizer, steps, hash } of result.hashes) {
    const name = names.get(environment);
    if (name !== undefined && hash !== null)
      bits.set(`${workload} ${optimizer} after ${steps} steps on ${name}`, hash);
  }
  for (const { environment, id, optimizer, options, seed, values } of result.streams) {
    const name = names.get(environment);
    const setting = Object.keys(options).length > 0 ? ` ${JSON.stringify(options)}` : '';
    if (name !== undefined) {
      const label = `stream ${id} ${optimizer}${setting}, seed ${seed} on ${name}`;
      bits.set(label, JSON.stringify(values));
    }
  }
  return bits;
}

/** Compares fingerprints and streams. */
export function compareBits(a: Result, b: Result, pairs: readonly EnvironmentPair[]): Bits {
  const bitsA = bitsOf(a, new Map(pairs.map((pair) => [pair.a, pair.a])));
  const bitsB = bitsOf(b, new Map(pairs.map((pair) => [pair.b, pair.a])));
  const common = [...bitsA.keys()].filter((label) => bitsB.has(label));
  const changes = common
    .map((label) => ({ label, a: bitsA.get(label)!, b: bitsB.get(label)! }))
    .filter((each) => each.a !== each.b);
  return {
    compared: common.length,
    changes,
    onlyA: [...bitsA.keys()].filter((label) => !bitsB.has(label)),
    onlyB: [...bitsB.keys()].filter((label) => !bitsA.has(label)),
  };
}
