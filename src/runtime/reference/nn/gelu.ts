/** Gaussian error linear units, exact and by tanh. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round, exp, tanh, erf }: Arithmetic) {
  const rootHalf = round(Math.SQRT1_2);
  const densityOfZero = round(0.3989422804014327);
  const [linear, cubic, cubic3] = [
    round(0.7978845608028654),
    round(0.03567740813636141),
    round(0.10703222440908423),
  ];
  const half = (p: number) => round(0.5 * round(1 + p));
  /** x², at most 100: beyond, tanh is 1 anyway, and x² could overflow. */
  const square = (x: number) => Math.min(round(x * x), 100);
  const bent = (x: number, s: number) => tanh(round(x * round(linear + round(s * cubic))));
  return {
    /** out[i] = x[i]·Φ(x[i]), with Φ(x) = (1 + erf(x/√2))/2. out may be x. */
    gelu(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => {
        const v = f[at(x) + i]!;
        return v * half(erf(round(v * rootHalf)));
      });
    },
    /** dx[i] = dy[i]·(Φ + x[i]·φ), where gelu read `x`. dx may be dy or x. */
    geluGrad(dx: number, dy: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const v = f[at(x) + i]!;
        const z = round(v * rootHalf);
        const density = round(exp(-round(z * z)) * densityOfZero);
        return f[at(dy) + i]! * round(half(erf(z)) + round(v * density));
      });
    },
    /** out[i] = x·(1 + t)/2 with t = tanh(√(2/π)·(x + 0.044715·x³)). out may be x. */
    geluTanh(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => {
        const v = f[at(x) + i]!;
        return v * half(bent(v, square(v)));
      });
    },
    /** Gradient through geluTanh, which read `x`. dx may be dy or x. */
    geluTanhGrad(dx: number, dy: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const v = f[at(x) + i]!;
        const s = square(v);
        const t = bent(v, s);
        const rest = round(0.5 * round(1 - round(t * t)));
        const slope = round(linear + round(s * cubic3));
        return f[at(dy) + i]! * round(half(t) + round(round(v * rest) * slope));
      });
    },
  };
}
