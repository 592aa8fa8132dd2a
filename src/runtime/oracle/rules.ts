/**
 * Every update rule in plain TypeScript, element by element, in the order of operations of assembly/optimizers. `k` holds the
 * tensor's constants in the order in which the rule takes them; `x` the element's addresses, as indices into f32.
 */
import * as L from '../../abi/layout';

const f = Math.fround;
const { sqrt } = Math;

/** Where one element and its state lie. */
interface Place {
  p: number;
  g: number;
  s0: number;
  s1: number;
  s2: number;
}

type Update = (f32: Float32Array, x: Place, k: Float32Array) => void;

/** What divides is at least 2^-126, so that 0/0 is 0. */
const atLeastTiny = (x: number): number => (x < 2 ** -126 ? 2 ** -126 : x);

/** r·g + l2·θ: the gradient, clipped, with coupled L2. k0 = r, k1 = l2. */
const gradient = (f32: Float32Array, { p, g }: Place, k: Float32Array): number => f(f(k[0] * f32[g]) + f(k[1] * f32[p]));

/** a·x + b·y, rounded as the kernels do. */
const blend = (a: number, x: number, b: number, y: number): number => f(f(a * x) + f(b * y));

/** θ ← θ·δ - move */
function decayAndMove(f32: Float32Array, p: number, delta: number, move: number): void {
  f32[p] = f(f(f32[p] * delta) - move);
}

const adal: Update = (f32, { p, g, s0, s1 }, { 0: q, 1: c, 2: cm, 3: c1, 4: cv, 5: c2, 6: k, 7: keps, 8: delta }) => {
  const h = f(f(f32[g] * q) * c);
  const m = (f32[s0] = blend(cm, f32[s0], c1, h));
  const v = (f32[s1] = blend(cv, f32[s1], c2, f(h * h)));
  decayAndMove(f32, p, delta, f(m * f(f(k / f(sqrt(atLeastTiny(v)))) + keps)));
};

const sgd: Update = (f32, x, k) => {
  const { 2: lr, 3: delta } = k;
  decayAndMove(f32, x.p, delta, f(lr * gradient(f32, x, k)));
};

const sgdMomentum: Update = (f32, x, k) => {
  const { 2: lr, 3: delta, 4: mu, 5: c, 6: a, 7: b } = k;
  const h = gradient(f32, x, k);
  const m = (f32[x.s0] = blend(mu, f32[x.s0], c, h));
  decayAndMove(f32, x.p, delta, f(lr * blend(a, h, b, m)));
};

const adagrad: Update = (f32, x, k) => {
  const { 2: lr, 3: delta, 4: eps } = k;
  const h = gradient(f32, x, k);
  const v = (f32[x.s0] = f(f32[x.s0] + f(h * h)));
  decayAndMove(f32, x.p, delta, f(h * f(lr / atLeastTiny(f(f(sqrt(v)) + eps)))));
};

const rmsprop =
  (momentum: boolean, centered: boolean): Update =>
  (f32, x, k) => {
    const { 2: lr, 3: delta, 4: alpha, 5: c, 6: eps, 7: mu } = k;
    const h = gradient(f32, x, k);
    const v = (f32[x.s0] = blend(alpha, f32[x.s0], c, f(h * h)));
    let w = v;
    if (centered) {
      const mean = momentum ? x.s2 : x.s1;
      const a = (f32[mean] = blend(alpha, f32[mean], c, h));
      w = f(v - f(a * a));
      if (w < 0) w = 0;
    }
    let u = f(h / atLeastTiny(f(f(sqrt(w)) + eps)));
    if (momentum) u = f32[x.s1] = f(f(mu * f32[x.s1]) + u);
    decayAndMove(f32, x.p, delta, f(lr * u));
  };

/** m and v of the Adam family: k2 = β1, k3 = 1-β1, k4 = β2, k5 = 1-β2. */
function moments(f32: Float32Array, x: Place, k: Float32Array): { h: number; m: number; v: number } {
  const h = gradient(f32, x, k);
  const m = (f32[x.s0] = blend(k[2], f32[x.s0], k[3], h));
  const v = (f32[x.s1] = blend(k[4], f32[x.s1], k[5], f(h * h)));
  return { h, m, v };
}

/** max(s·√v + ε, 2^-126) */
const denominator = (s: number, v: number, eps: number): number => atLeastTiny(f(f(s * f(sqrt(v))) + eps));

const adam: Update = (f32, x, constants) => {
  const { 6: k, 7: s, 8: eps, 9: delta } = constants;
  const { m, v } = moments(f32, x, constants);
  decayAndMove(f32, x.p, delta, f(m * f(k / denominator(s, v, eps))));
};

const amsgrad: Update = (f32, x, constants) => {
  const { 6: k, 7: s, 8: eps, 9: delta } = constants;
  const { m, v } = moments(f32, x, constants);
  const w = (f32[x.s2] = f32[x.s2] < v ? v : f32[x.s2]);
  decayAndMove(f32, x.p, delta, f(m * f(k / denominator(s, w, eps))));
};

const nadam: Update = (f32, x, constants) => {
  const { 6: kg, 7: km, 8: s, 9: eps, 10: delta } = constants;
  const { h, m, v } = moments(f32, x, constants);
  decayAndMove(f32, x.p, delta, f(blend(kg, h, km, m) / denominator(s, v, eps)));
};

const radam: Update = (f32, x, constants) => {
  const { 6: ka, 7: kb, 8: eps, 9: delta } = constants;
  const { m, v } = moments(f32, x, constants);
  decayAndMove(f32, x.p, delta, f(m * f(f(ka / atLeastTiny(f(f(sqrt(v)) + eps))) + kb)));
};

const adabelief: Update = (f32, x, constants) => {
  const { 2: beta1, 3: c1, 4: beta2, 5: c2, 6: k, 7: s, 8: eps, 9: delta } = constants;
  const h = gradient(f32, x, constants);
  const m = (f32[x.s0] = blend(beta1, f32[x.s0], c1, h));
  const b = f(h - m);
  const v = (f32[x.s1] = f(blend(beta2, f32[x.s1], c2, f(b * b)) + eps));
  decayAndMove(f32, x.p, delta, f(m * f(k / denominator(s, v, eps))));
};

const adabound: Update = (f32, x, constants) => {
  const { 6: k, 7: eps, 8: low, 9: high, 10: delta } = constants;
  const { m, v } = moments(f32, x, constants);
  let rate = f(k / atLeastTiny(f(f(sqrt(v)) + eps)));
  if (rate < low) rate = low;
  if (high < rate) rate = high;
  decayAndMove(f32, x.p, delta, f(m * rate));
};

const lion: Update = (f32, x, k) => {
  const { 2: beta1, 3: c1, 4: beta2, 5: c2, 6: lr, 7: delta } = k;
  const h = gradient(f32, x, k);
  const c = blend(beta1, f32[x.s0], c1, h);
  f32[x.s0] = blend(beta2, f32[x.s0], c2, h);
  decayAndMove(f32, x.p, delta, c === 0 ? 0 : c < 0 ? -lr : lr);
};

const scheduleFree: Update = (
  f32,
  { p, g, s0, s1 },
  { 0: r, 1: beta2, 2: c2, 3: s, 4: eps, 5: lr, 6: wd, 7: b, 8: keep, 9: take },
) => {
  const h = f(r * f32[g]);
  const y = f32[p];
  const z = f32[s0];
  const v = (f32[s1] = blend(beta2, f32[s1], c2, f(h * h)));
  const next = f(z - f(lr * f(f(h / denominator(s, v, eps)) + f(wd * y))));
  f32[s0] = next;
  f32[p] = blend(keep, f(y - f(b * z)), take, next);
};

/** v < 2^-120: v ← 0 and m ← 0; otherwise |m| < 2^-100: m ← 0. */
function flushMoments(f32: Float32Array, m: number, v: number): void {
  if (f32[v] < 2 ** -120) {
    f32[v] = 0;
    f32[m] = 0;
  } else {
    flushMomentum(f32, m);
  }
}

function flushMomentum(f32: Float32Array, m: number): void {
  if (Math.abs(f32[m]) < 2 ** -100) f32[m] = 0;
}

function flushVariance(f32: Float32Array, v: number): void {
  if (f32[v] < 2 ** -120) f32[v] = 0;
}

interface OracleRule {
  readonly update: Update;
  /** Removes what has decayed to nothing from one element's state. */
  flush(f32: Float32Array, s0: number, s1: number): void;
}

const nothing = (): void => {};
const momentumFlush = (f32: Float32Array, s0: number) => flushMomentum(f32, s0);
const adamFamily = (update: Update): OracleRule => ({ update, flush: flushMoments });
const rmspropForm = (momentum: boolean, centered: boolean): OracleRule => ({
  update: rmsprop(momentum, centered),
  flush(f32, s0, s1) {
    flushVariance(f32, s0);
    if (momentum) flushMomentum(f32, s1);
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
  [L.RULE_SCHEDULE_FREE]: { update: scheduleFree, flush: (f32, _, s1) => flushVariance(f32, s1) },
};
