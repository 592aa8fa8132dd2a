/** The oracle of assembly/math/map.ts and reduce.ts. */
import { BLOCK } from '../../../memory-layout/constants';
import type { Arithmetic } from './arithmetic';
import { at, map, type OracleMemory, padded } from './memory';

export function elementWise(memory: OracleMemory, { round }: Arithmetic) {
  return {
    fill(x: number, n: number, value: number): void {
      map(memory.f32, at(x), n, () => value);
    },
    copy(dst: number, src: number, n: number): void {
      const f = memory.f32;
      map(f, at(dst), n, (i) => f[at(src) + i]!);
    },
    scale(x: number, n: number, a: number): void {
      const f = memory.f32;
      map(f, at(x), n, (i) => f[at(x) + i]! * round(a));
    },
    axpy(y: number, x: number, n: number, a: number): void {
      const f = memory.f32;
      map(f, at(y), n, (i) => f[at(y) + i]! + round(round(a) * f[at(x) + i]!));
    },
    add(out: number, a: number, b: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => f[at(a) + i]! + f[at(b) + i]!);
    },
    mul(out: number, a: number, b: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => f[at(a) + i]! * f[at(b) + i]!);
    },
  };
}

/**
 * Σ term(i), in blocks: 16 accumulators each, folded as assembly/math/reduce.ts does; blocks in
 * order.
 */
function sumTerms(n: number, term: (i: number) => number): number {
  let total = 0;
  for (let first = 0; first < n; first += BLOCK) {
    const a = new Float64Array(16);
    const end = Math.min(first + BLOCK, padded(n));
    for (let i = first; i < end; ++i) a[i % 16]! += term(i);
    const lane = (l: number) =>
      a[l]! +
      a[l + 2]! +
      (a[l + 4]! + a[l + 6]!) +
      (a[l + 8]! + a[l + 10]! + (a[l + 12]! + a[l + 14]!));
    total += lane(0) + lane(1);
  }
  return total;
}

export function reductions(memory: OracleMemory) {
  return {
    dot(x: number, y: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => f[at(x) + i]! * f[at(y) + i]!);
    },
    sum(x: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => f[at(x) + i]!);
    },
    absSum(x: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => Math.abs(f[at(x) + i]!));
    },
    squareSum(x: number, n: number): number {
      const f = memory.f32;
      return sumTerms(n, (i) => f[at(x) + i]! * f[at(x) + i]!);
    },
    maxAbs(x: number, n: number): number {
      // Math.max passes NaN on.
      let most = 0;
      for (let i = 0; i < n; ++i) most = Math.max(most, Math.abs(memory.f32[at(x) + i]!));
      return most;
    },
  };
}
