/**
 * The scalars of the scaled AdaL rule: everything that a step computes per tensor rather than per
 * element. One definition for the reference and the kernels (compiled by tsc and by asc), so that
 * the two cannot drift apart.
 *
 * AdaL's v holds fourth powers of the gradient's scale, which leaves float32 within a few orders of
 * magnitude. So the state is kept as m = m'·2^e and v = v'·2^(2e), with e chosen from V, the
 * running mean of S⁴ (S = Σ|g|). Scaling by powers of two is exact: where plain float32 works, the
 * results are the same bits.
 *
 * Symbols: a = step size (lr, with 1/√t folded in), b1t = β1^t, b2t = β2^t, V/Vn = old and new
 * mean, e/en = old and new exponent.
 */
import { exponentOf, pow2 } from './exponent';

export { nextExponent } from './adal-exponent';

/** Vn = β2·V + (1-β2)·S⁴. f64 holds it for every finite float32 gradient. */
export function nextV(V: number, S: number, beta2: number): number {
  const S2 = S * S;
  return beta2 * V + (1.0 - beta2) * (S2 * S2);
}

/** cm: β1 with the change of scale 2^d folded in, d = e - en (0 when there is no state yet). */
export function momentDecay(beta1: number, d: number): number {
  return d > -126.0 ? beta1 * pow2(d) : 0.0;
}

/** cv: β2 with the change of scale 2^(2d) folded in. */
export function varianceDecay(beta2: number, d: number): number {
  return 2.0 * d > -126.0 ? beta2 * pow2(2.0 * d) : 0.0;
}

/** q: the gradient is first brought near 1 by 2^-q; clamped to what float32 can hold. */
export function gradientExponent(S: number): number {
  if (S === 0.0) return 0.0;
  const q = exponentOf(S);
  return q < -126.0 ? -126.0 : q > 126.0 ? 126.0 : q;
}

/** c: then multiplied by r·S·2^(q-en), which makes h = ĝ·2^-en of ĝ = S·(r·g). */
export function gradientFactor(r: number, S: number, q: number, en: number): number {
  return r * S * pow2(q - en);
}

/** The spike guard's factor: S counts as at most ratio·A, A its running mean (0: none yet). */
export function spikeFactor(ratio: number, A: number, S: number): number {
  return A > 0.0 && S > ratio * A ? (ratio * A) / S : 1.0;
}

/** A of the next step: the mean takes in at most ratio·A, so that a spike hardly moves it. */
export function nextNormMean(ratio: number, A: number, S: number): number {
  if (A === 0.0) return S;
  const bounded = S < ratio * A ? S : ratio * A;
  return 0.9 * A + 0.1 * bounded;
}

/** k: the step size with both bias corrections. */
export function stepFactor(a: number, b1t: number, b2t: number): number {
  return (a * Math.sqrt(1.0 - b2t)) / (1.0 - b1t);
}

/** kε: the restated rule adds ε to v̂^(-1/2); in scaled units ε carries 2^en. */
export function epsFactor(a: number, eps: number, en: number, b1t: number): number {
  if (eps === 0.0) return 0.0;
  const k = (a * (eps * pow2(en))) / (1.0 - b1t);
  return k < 3e38 ? k : 3e38;
}

/**
 * C_t: the largest |m̂/√v̂| that t gradients can produce (Cauchy–Schwarz over the two averages).
 * Needs β1² < β2.
 */
export function updateBound(beta1: number, beta2: number, b1t: number, b2t: number): number {
  const r = (beta1 * beta1) / beta2;
  const rt = b2t > 0.0 ? (b1t * b1t) / b2t : 0.0;
  const geometric = (1.0 - rt) / (1.0 - r);
  const first = (1.0 - beta1) / (1.0 - b1t);
  return Math.sqrt((first * first * geometric * (1.0 - b2t)) / (1.0 - beta2));
}

/** a·U, U ≥ max|u| known before any weight moves; a step with a·U ≥ OVERFLOW_LIMIT is refused. */
export function largestMove(a: number, C: number, eps: number, Vn: number, b2t: number): number {
  return a * (C * (1.0 + eps * Math.sqrt(Vn / (1.0 - b2t))));
}

/** 2^120: weights near it would overflow float32 within a few steps. */
export const OVERFLOW_LIMIT: number = 1.329227995784916e36;
