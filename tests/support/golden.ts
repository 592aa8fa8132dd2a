/**
 * The golden trajectories: float64 references of every optimizer (tests/data/README.md tells their
 * origin).
 */
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
