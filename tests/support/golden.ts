/** The golden trajectories: float64 references of every optimizer (tests/data/README.md tells their origin). */
import { readFileSync } from 'node:fs';

export interface GoldenCase {
  readonly name: string;
  readonly optimizer: string;
  readonly options: Record<string, unknown>;
  readonly steps: number;
  readonly params: readonly { name: string; shape: number[]; init: number[] }[];
  /** [step][param][element] */
  readonly grads: readonly (readonly (readonly number[])[])[];
  /** By step: [param][element], float64. */
  readonly expected: Record<string, readonly (readonly number[])[]>;
}

export function loadGolden(): GoldenCase[] {
  const url = new URL('../data/golden-trajectories.json', import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).cases;
}

/**
 * How far float32 may be from the reference: 1e-6 of the path for the rounding of updates, 2 ulp a step for that of the weights.
 * @param path Σ over steps of the largest move of any element
 */
export function toleranceOf(want: number, steps: number, path: number): number {
  return 1e-6 * path + 2 * steps * ulp(want);
}

/** All elements, one array after another. */
export function concat(arrays: Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}

/** One unit in the last place of a float32. */
function ulp(x: number): number {
  const bits = new Int32Array(new Float32Array([Math.abs(x)]).buffer);
  return new Float32Array(new Int32Array([bits[0] + 1]).buffer)[0] - new Float32Array(bits.buffer)[0];
}
