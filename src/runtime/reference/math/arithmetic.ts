/**
 * The arithmetic of the reference kernels. `float32` rounds every result before it is used again,
 * and so has the bits of the binaries. `float64` evaluates the same formulas without rounding;
 * tests measure gradients against it.
 */
import { exp as exp64 } from '../../../math/exp';

export interface Arithmetic {
  /** Rounds a result to the precision of stored values. */
  round(x: number): number;
  /** Returns e^x for x ≤ 88. */
  exp(x: number): number;
  /** Returns tanh x. */
  tanh(x: number): number;
  /** Returns erf x. */
  erf(x: number): number;
}

const { fround } = Math;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
const LOG2E = fround(Math.LOG2E);
const LN2_HIGH = 0.693359375;
const LN2_LOW = fround(-0.00021219444005469057);
const MAGIC = 12582912;
const LOWEST = fround(-87.33654);
/** 1/7!, …, 1/2!, 1, 1 */
const TAYLOR = [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1].map(fround);

/** Returns e^x as assembly/math/exp.ts computes it. */
function exp32(x: number): number {
  if (x < LOWEST) return 0;
  const t = fround(fround(x * LOG2E) + MAGIC);
  const k = fround(t - MAGIC);
  const r = fround(fround(x - fround(k * LN2_HIGH)) - fround(k * LN2_LOW));
  let p = TAYLOR[0]!;
  for (let i = 1; i < TAYLOR.length; ++i) p = fround(fround(r * p) + TAYLOR[i]!);
  float[0] = t;
  bits[0] = (bits[0]! << 23) + 0x3f800000;
  return fround(p * float[0]);
}

/** tanh's Taylor coefficients from a^17 down to a^3. */
const TANH = [
  0.0005900274409455859, -0.0014558343870513183, 0.003592128036572481, -0.008863235529902197,
  0.021869488536155203, -0.05396825396825397, 0.13333333333333333, -0.3333333333333333,
].map(fround);

/** Returns tanh x as assembly/math/tanh.ts computes it. */
function tanh32(x: number): number {
  const a = Math.abs(x);
  let y: number;
  if (a < 0.5) {
    const z = fround(a * a);
    let p = TANH[0]!;
    for (let i = 1; i < TANH.length; ++i) p = fround(fround(z * p) + TANH[i]!);
    y = fround(a + fround(a * fround(z * p)));
  } else {
    const t = exp32(fround(a * -2));
    y = fround(fround(1 - t) / fround(1 + t));
  }
  return x < 0 || Object.is(x, -0) ? -y : y;
}

function tanh64(x: number): number {
  const t = exp64(-2 * Math.abs(x));
  const y = (1 - t) / (1 + t);
  return x < 0 ? -y : y;
}

/** erf's polynomials: of a² below 0.9, and of a above. */
const ERF = [
  -0.0006090360111556947, 0.005011963192373514, -0.02677890844643116, 0.11282140761613846,
  -0.3761252462863922, 0.12837915122509003,
].map(fround);
const LOG_ERFC = [
  -0.000010763096724986099, 0.00031805894104763865, -0.003622915595769882, 0.02372017875313759,
  -0.106187604367733, -0.6351814866065979, -1.1286410093307495,
].map(fround);

/** Returns the polynomial of x with float32 coefficients, the highest first. */
function horner(x: number, coefficients: readonly number[]): number {
  let p = coefficients[0]!;
  for (let i = 1; i < coefficients.length; ++i) p = fround(fround(x * p) + coefficients[i]!);
  return p;
}

/** Returns erf x as assembly/math/erf.ts computes it. */
function erf32(x: number): number {
  const a = Math.min(Math.abs(x), 4);
  const y =
    a < fround(0.9)
      ? fround(a + fround(a * horner(fround(a * a), ERF)))
      : fround(1 - exp32(fround(a * horner(a, LOG_ERFC))));
  return x < 0 || Object.is(x, -0) ? -y : y;
}

/** Returns erf x by Kummer's series, whose terms are all positive. */
function erf64(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let [term, sum] = [a, a];
  for (let n = 1; term > sum * 2 ** -55; ++n) sum += term *= (2 * a * a) / (2 * n + 1);
  const y = (2 / Math.sqrt(Math.PI)) * exp64(-a * a) * sum;
  return x < 0 ? -y : y;
}

export const float32: Arithmetic = { round: fround, exp: exp32, tanh: tanh32, erf: erf32 };
export const float64: Arithmetic = { round: (x) => x, exp: exp64, tanh: tanh64, erf: erf64 };

/** Returns 1/(1 + e^-x) as assembly/math/tanh.ts computes it. */
export function sigmoid(x: number, { round, exp }: Arithmetic): number {
  const e = exp(-Math.abs(x));
  return round((x < 0 ? e : 1) / round(1 + e));
}
