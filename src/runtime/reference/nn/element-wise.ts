/** Arithmetic by elements, on exactly n of them. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /** out[i] = a[i] + b[i]. out may be a or b. */
    add(out: number, a: number, b: number, n: number): void {
      const f = memory.f32;
      for (let i = 0; i < n; ++i) f[at(out) + i] = f[at(a) + i]! + f[at(b) + i]!;
    },
    /** out[i] = a[i]·b[i]. out may be a or b. */
    multiply(out: number, a: number, b: number, n: number): void {
      const f = memory.f32;
      for (let i = 0; i < n; ++i) f[at(out) + i] = f[at(a) + i]! * f[at(b) + i]!;
    },
    /** out[i] = factor·x[i], with the factor rounded first. out may be x. */
    scale(out: number, x: number, factor: number, n: number): void {
      const f = memory.f32;
      const k = round(factor);
      for (let i = 0; i < n; ++i) f[at(out) + i] = k * f[at(x) + i]!;
    },
    /** out[i] = value */
    fill(out: number, value: number, n: number): void {
      memory.f32.fill(value, at(out), at(out) + n);
    },
    /**
     * Copies `columns` floats of each row: rows of x begin `xStep` floats apart, those of out
     * `outStep` floats.
     */
    // biome-ignore format: one line a role
    copyColumns(
      out: number, outStep: number, x: number, xStep: number, columns: number, rows: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r)
        f.copyWithin(at(out) + r * outStep, at(x) + r * xStep, at(x) + r * xStep + columns);
    },
  };
}
