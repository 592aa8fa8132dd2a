/**
 * Every update rule in plain TypeScript, element by element, in the order of operations of
 * assembly/optimizers. `k` holds the tensor's constants in the order in which the rule takes them;
 * `x` parameter, gradient and state, of which `i` is the element.
 */
import * as L from '../../memory-layout/constants';

const f = Math.fround;
const MAX_F32 = 3.4028234663852886e38;
const { sqrt } = Math;

/** Parameter, gradient and state of a block. */
interface Block {
  readonly p: Float32Array;
  readonly g: Float32Array;
  readonly s0: Float32Array;
  readonly s1: Float32Array;
  readonly s2: Float32Array;
}

type Update = (x: Block, i: number, k: Float32Array) => void;

/**
 * n/d, and 0 where d is 0: a coordinate whose second moment is 0 in float32, with ε = 0, does not
 * move.
 */
const quotient = (n: number, d: number): number => (d === 0 ? 0 : f(n / d));

/** r·g + l2·θ: the gradient, clipped, with coupled L2. k0 = r, k1 = l2. */
const gradient = ({ p, g }: Block, i: number, k: Float32Array): number =>
  f(f(k[0] * g[i]) + f(k[1] * p[i]));

/** a·x + b·y, rounded as the kernels do. */
const blend = (a: number, x: number, b: number, y: number): number => f(f(a * x) + f(b * y));

/** θ ← θ·δ - move */
function decayAndMove({ p }: Block, i: number, delta: number, move: number): void {
  p[i] = f(f(p[i] * delta) - move);
}

const adal: Update = (
  x,
  i,
  { 0: q, 1: c, 2: cm, 3: c1, 4: cv, 5: c2, 6: k, 7: keps, 8: delta },
) => {
  const h = f(f(x.g[i] * q) * c);
  const m = (x.s0[i] = blend(cm, x.s0[i], c1, h));
  const v = (x.s1[i] = blend(cv, x.s1[i], c2, f(h * h)));
  decayAndMove(x, i, delta, f(m * f(f(k / f(sqrt(v < 2 ** -126 ? 2 ** -126 : v))) + keps)));
};

const sgd: Update = (x, i, k) => {
  const { 2: lr, 3: delta } = k;
  decayAndMove(x, i, delta, f(lr * gradient(x, i, k)));
};

const sgdMomentum: Update = (x, i, k) => {
  const { 2: lr, 3: delta, 4: mu, 5: c, 6: a, 7: b } = k;
  const h = gradient(x, i, k);
  const m = (x.s0[i] = blend(mu, x.s0[i], c, h));
  decayAndMove(x, i, delta, f(lr * blend(a, h, b, m)));
};

const adagrad: Update = (x, i, k) => {
  const { 2: lr, 3: delta, 4: eps } = k;
  const h = gradient(x, i, k);
  const v = (x.s0[i] = Math.min(f(x.s0[i] + f(h * h)), MAX_F32));
  decayAndMove(x, i, delta, f(h * quotient(lr, f(f(sqrt(v)) + eps))));
};

const rmsprop =
  (momentum: boolean, centered: boolean): Update =>
  (x, i, k) => {
    const { 2: lr, 3: delta, 4: alpha, 5: c, 6: eps, 7: mu } = k;
    const h = gradient(x, i, k);
    const v = (x.s0[i] = blend(alpha, x.s0[i], c, f(h * h)));
    let w = v;
    if (centered) {
      const mean = momentum ? x.s2 : x.s1;
      const a = (mean[i] = blend(alpha, mean[i], c, h));
      w = f(v - f(a * a));
      if (w < 0) w = 0;
    }
    let u = quotient(h, f(f(sqrt(w)) + eps));
    if (momentum) u = x.s1[i] = f(f(mu * x.s1[i]) + u);
    decayAndMove(x, i, delta, f(lr * u));
  };

/** m and v of the Adam family: k2 = β1, k3 = 1-β1, k4 = β2, k5 = 1-β2. */
function moments(x: Block, i: number, k: Float32Array): { h: number; m: number; v: number } {
  const h = gradient(x, i, k);
  const m = (x.s0[i] = blend(k[2], x.s0[i], k[3], h));
  const v = (x.s1[i] = blend(k[4], x.s1[i], k[5], f(h * h)));
  return { h, m, v };
}

/** s·√v + ε */
const denominator = (s: number, v: number, eps: number): number => f(f(s * f(sqrt(v))) + eps);

const adam: Update = (x, i, constants) => {
  const { 6: k, 7: s, 8: eps, 9: delta } = constants;
  const { m, v } = moments(x, i, constants);
  decayAndMove(x, i, delta, f(m * quotient(k, denominator(s, v, eps))));
};

const amsgrad: Update = (x, i, constants) => {
  const { 6: k, 7: s, 8: eps, 9: delta } = constants;
  const { m, v } = moments(x, i, constants);
  const w = (x.s2[i] = x.s2[i] < v ? v : x.s2[i]);
  decayAndMove(x, i, delta, f(m * quotient(k, denominator(s, w, eps))));
};

const nadam: Update = (x, i, constants) => {
  const { 6: kg, 7: km, 8: s, 9: eps, 10: delta } = constants;
  const { h, m, v } = moments(x, i, constants);
  decayAndMove(x, i, delta, quotient(blend(kg, h, km, m), denominator(s, v, eps)));
};

const radam: Update = (x, i, constants) => {
  const { 6: ka, 7: kb, 8: eps, 9: delta } = constants;
  const { m, v } = moments(x, i, constants);
  decayAndMove(x, i, delta, f(m * f(quotient(ka, f(f(sqrt(v)) + eps)) + kb)));
};

const adabelief: Update = (x, i, constants) => {
  const { 2: beta1, 3: c1, 4: beta2, 5: c2, 6: k, 7: s, 8: eps, 9: delta } = constants;
  const h = gradient(x, i, constants);
  const m = (x.s0[i] = blend(beta1, x.s0[i], c1, h));
  const b = f(h - m);
  const v = (x.s1[i] = f(blend(beta2, x.s1[i], c2, f(b * b)) + eps));
  decayAndMove(x, i, delta, f(m * quotient(k, denominator(s, v, eps))));
};

const adabound: Update = (x, i, constants) => {
  const { 6: k, 7: eps, 8: low, 9: high, 10: delta } = constants;
  const { m, v } = moments(x, i, constants);
  const d = f(f(sqrt(v)) + eps);
  let rate = f(k / d);
  if (rate < low) rate = low;
  if (high < rate) rate = high;
  if (d === 0) rate = 0;
  decayAndMove(x, i, delta, f(m * rate));
};

const lion: Update = (x, i, k) => {
  const { 2: beta1, 3: c1, 4: beta2, 5: c2, 6: lr, 7: delta } = k;
  const h = gradient(x, i, k);
  const c = blend(beta1, x.s0[i], c1, h);
  x.s0[i] = blend(beta2, x.s0[i], c2, h);
  decayAndMove(x, i, delta, c === 0 ? 0 : c < 0 ? -lr : lr);
};

const scheduleFree: Update = (
  { p, g, s0, s1 },
  i,
  { 0: r, 1: beta2, 2: c2, 3: s, 4: eps, 5: lr, 6: wd, 7: c, 8: k },
) => {
  const h = f(r * g[i]);
  const y = p[i];
  const z = s0[i];
  const v = (s1[i] = blend(beta2, s1[i], c2, f(h * h)));
  const u = f(quotient(h, denominator(s, v, eps)) + f(wd * y));
  s0[i] = z - f(lr * u);
  p[i] = f(y - f(c * f(y - z))) - f(k * u);
};

const isSmall = (m: number): boolean => Math.abs(m) < 2 ** -100;

/** |m| < 2^-100: m ← 0, and v ← 0 if v < 2^-120. */
function flushMoments({ s0: m, s1: v }: Block, i: number): void {
  if (!isSmall(m[i])) return;
  m[i] = 0;
  if (v[i] < 2 ** -120) v[i] = 0;
}

function flushMomentum(m: Float32Array, i: number): void {
  if (isSmall(m[i])) m[i] = 0;
}

/** v < 2^-120 where |h| < 2^-100: v ← 0. */
function flushVariance(v: Float32Array, i: number, h: number): void {
  if (isSmall(h) && v[i] < 2 ** -120) v[i] = 0;
}

export interface OracleRule {
  readonly update: Update;
  /** Removes what has decayed to nothing from one element's state. */
  flush(x: Block, i: number, k: Float32Array): void;
}

const nothing = (): void => {};
const momentumFlush: OracleRule['flush'] = ({ s0 }, i) => flushMomentum(s0, i);
const adamFamily = (update: Update): OracleRule => ({ update, flush: flushMoments });
const rmspropForm = (momentum: boolean, centered: boolean): OracleRule => ({
  update: rmsprop(momentum, centered),
  flush(x, i, k) {
    flushVariance(x.s0, i, gradient(x, i, k));
    if (momentum) flushMomentum(x.s1, i);
    if (centered) flushMomentum(momentum ? x.s2 : x.s1, i);
  },
});

/** By RULE_… constant. */
export const ORACLE_RULES: Readonly<Record<number, OracleRule>> = {
  [L.RULE_ADAL]: adamFamily(adal),
  [L.RULE_SGD]: { update: sgd, flush: nothing },
  [L.RULE_SGD_MOMENTUM]: { update: sgdMomentum, flush: momentumFlush },
  [L.RULE_ADAGRAD]: { update: adagrad, flush: nothing },
  [L.RULE_RMSPROP]: rmspropForm(false, false),
  [L.RULE_RMSPROP_MOMENTUM]: rmspropForm(true, false),
  [L.RULE_RMSPROP_CENTERED]: rmspropForm(false, true),
  [L.RULE_RMSPROP_CENTERED_MOMENTUM]: rmspropForm(true, true),
  [L.RULE_ADAM]: adamFamily(adam),
  [L.RULE_AMSGRAD]: adamFamily(amsgrad),
  [L.RULE_NADAM]: adamFamily(nadam),
  [L.RULE_RADAM]: adamFamily(radam),
  [L.RULE_ADABELIEF]: adamFamily(adabelief),
  [L.RULE_ADABOUND]: adamFamily(adabound),
  [L.RULE_LION]: { update: lion, flush: momentumFlush },
  [L.RULE_SCHEDULE_FREE]: {
    update: scheduleFree,
    flush: ({ s1, g }, i, k) => flushVariance(s1, i, f(k[0] * g[i])),
  },
};
