/**
 * Cosine and sine from + - × alone, so that every engine computes the same bits; Math.cos does not
 * promise that. Portable: compiled by tsc and by asc (see memory-layout/constants.ts).
 *
 * x = n·π/2 + r with |r| ≤ π/4, π/2 in four parts (Cody & Waite, Software Manual for the Elementary
 * Functions, 1980): the first three have at most 32 bits, so their products with |n| < 2^20 are
 * exact, and together the parts reach 2^-157.
 */

/**
 * The largest |x| that cos and sin accept, at which n has 20 bits. Beyond it they return NaN rather
 * than an inaccurate result.
 */
export const TRIG_RANGE: number = 1048576.0;

// π/2 = P1 + P2 + P3 + P4: multiples of 2^-32, 2^-65, 2^-98, and the rest.
const P1: number = 1.5707963267341256;
const P2: number = 6.077100506303966e-11;
const P3: number = 2.0222662487111665e-21;
const P4: number = 8.4784276603689e-32;

/**
 * Returns cos x with an error of at most 1 ulp, also near the zeros (0.77 ulp is the largest error
 * seen at 2·10^5 points, compared with 70 digits).
 *
 * @param x radians, |x| ≤ 2^20 (TRIG_RANGE); beyond it, and for NaN and ±Infinity, the result is
 * NaN
 * @returns the cosine in [-1, 1]; exactly 1 for 0
 * @example cos(1) // 0.5403023058681398
 */
export function cos(x: number): number {
  return sinOfTurned(x, 1.0);
}

/**
 * Returns sin x with an error of at most 1 ulp, also near the zeros (0.77 ulp is the largest error
 * seen at 2·10^5 points, compared with 70 digits).
 *
 * @param x radians, |x| ≤ 2^20 (TRIG_RANGE); beyond it, and for NaN and ±Infinity, the result is
 * NaN
 * @returns the sine in [-1, 1]; 0 for 0
 * @example sin(1) // 0.8414709848078965
 */
export function sin(x: number): number {
  return sinOfTurned(x, 0.0);
}

/** Returns sin(x + quarters·π/2); the quarter turns are added exactly. */
function sinOfTurned(x: number, quarters: number): number {
  if (!(x >= -TRIG_RANGE && x <= TRIG_RANGE)) return NaN;
  const n = Math.floor(x * 0.6366197723675814 + 0.5);
  // r + c: each subtraction's rounding error is recovered exactly (Knuth's two-sum) and added to c.
  const w1 = x - n * P1; // exact
  const b2 = n * P2;
  const w2 = w1 - b2;
  const c2 = twoDifferenceError(w1, b2, w2);
  const b3 = n * P3;
  const w3 = w2 - b3;
  const c3 = twoDifferenceError(w2, b3, w3);
  const low = c2 + (c3 - n * P4);
  const r = w3 + low;
  const c = w3 - r + low;
  const turns = n + quarters;
  const quadrant = turns - 4.0 * Math.floor(0.25 * turns);
  if (quadrant === 0.0) return sinNearZero(r, c);
  if (quadrant === 1.0) return cosNearZero(r, c);
  return quadrant === 2.0 ? -sinNearZero(r, c) : -cosNearZero(r, c);
}

/** a - b - difference, exactly, where difference is a - b rounded. */
function twoDifferenceError(a: number, b: number, difference: number): number {
  const t = difference - a;
  return a - (difference - t) - (b + t);
}

/** sin(r + c), |r| ≤ π/4 and c below half an ulp of r: r - r³/6 + … , with c·cos r. */
function sinNearZero(r: number, c: number): number {
  const z = r * r;
  let t = 1.0 / 355687428096000.0; // 1/17!
  t = t * z - 1.0 / 1307674368000.0;
  t = t * z + 1.0 / 6227020800.0;
  t = t * z - 1.0 / 39916800.0;
  t = t * z + 1.0 / 362880.0;
  t = t * z - 1.0 / 5040.0;
  t = t * z + 1.0 / 120.0;
  t = t * z - 1.0 / 6.0;
  return r + (r * z * t + c * (1.0 - 0.5 * z));
}

/** cos(r + c): 1 - r²/2 + r⁴/24 - … , with -c·r and the rounding error of 1 - r²/2. */
function cosNearZero(r: number, c: number): number {
  const z = r * r;
  let t = -1.0 / 6402373705728000.0; // 1/18!
  t = t * z + 1.0 / 20922789888000.0;
  t = t * z - 1.0 / 87178291200.0;
  t = t * z + 1.0 / 479001600.0;
  t = t * z - 1.0 / 3628800.0;
  t = t * z + 1.0 / 40320.0;
  t = t * z - 1.0 / 720.0;
  t = t * z + 1.0 / 24.0;
  const half = 0.5 * z;
  const head = 1.0 - half;
  return head + (1.0 - head - half + (z * z * t - r * c));
}
