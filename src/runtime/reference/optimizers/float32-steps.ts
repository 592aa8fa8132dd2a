/**
 * The steps that kernels in plain TypeScript share, each rounded to float32 as the AssemblyScript
 * kernels round (assembly/optimizers/kernel.ts and flush.ts).
 */
import type { KernelArrays } from '../../kernels-optim';

/** Rounds to float32. */
export const f = Math.fround;

/** Returns n/d, and 0 where d is 0. */
export function quotient(n: number, d: number): number {
  return d === 0 ? 0 : f(n / d);
}

/** Returns a·x + b·y. */
export function blend(a: number, x: number, b: number, y: number): number {
  return f(f(a * x) + f(b * y));
}

/** Returns clip·g + l2·θ: the gradient, clipped, with coupled L2. */
export function gradient({ p, g }: KernelArrays, i: number, clip: number, l2: number): number {
  return f(f(clip * g[i]) + f(l2 * p[i]));
}

/** a ← β·a + c·x, where a is a running average. Returns the new average. */
export function average(a: Float32Array, i: number, beta: number, c: number, x: number): number {
  return (a[i] = blend(beta, a[i], c, x));
}

/** Returns s·√v + ε. */
export function denominator(s: number, v: number, eps: number): number {
  return f(f(s * f(Math.sqrt(v))) + eps);
}

/** θ ← θ·δ - move */
export function decayAndMove({ p }: KernelArrays, i: number, delta: number, move: number): void {
  p[i] = f(f(p[i] * delta) - move);
}

const isSmall = (m: number): boolean => Math.abs(m) < 2 ** -100;

/** |m| < 2^-100: m ← 0, and v ← 0 if v < 2^-120, where m and v are the first two state arrays. */
export function flushMoments({ s0: m, s1: v }: KernelArrays, i: number): void {
  if (!isSmall(m[i])) return;
  m[i] = 0;
  if (v[i] < 2 ** -120) v[i] = 0;
}

/** |m| < 2^-100: m ← 0. */
export function flushMomentum(m: Float32Array, i: number): void {
  if (isSmall(m[i])) m[i] = 0;
}

/** v < 2^-120 where |h| < 2^-100: v ← 0. */
export function flushVariance(v: Float32Array, i: number, h: number): void {
  if (isSmall(h) && v[i] < 2 ** -120) v[i] = 0;
}

/** Names of the constants that the Adam family begins with. */
type MomentConstants = Readonly<Record<'clip' | 'l2' | 'beta1' | 'c1' | 'beta2' | 'c2', number>>;

/** Updates both moments of element `i` as the Adam family does; returns h, m and v. */
export function moments(
  x: KernelArrays,
  i: number,
  { clip, l2, beta1, c1, beta2, c2 }: MomentConstants,
): { h: number; m: number; v: number } {
  const h = gradient(x, i, clip, l2);
  const m = average(x.s0, i, beta1, c1, h);
  const v = average(x.s1, i, beta2, c2, f(h * h));
  return { h, m, v };
}
