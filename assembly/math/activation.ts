/**
 * The two loops that run every activation, forward and backward. Each activation is a class in
 * assembly/nn. Loops process whole 64-byte turns (see map.ts) and leave padding zero.
 */
import { turnsEnd, zeroTail } from './partial';

/**
 * An activation with one parameter k. The class is never instantiated: it is a type argument, so
 * that asc compiles the loops once for each activation and inlines its methods. A subclass
 * overrides both methods, because a call of an inherited one would be virtual and read the address
 * 0.
 */
@unmanaged
export class Activation {
  /** Returns out for x. */
  value(x: v128, k: v128): v128 {
    return x;
  }

  /** Returns dx for dy and s; s is the activation's output or its input, as the file states. */
  gradient(dy: v128, s: v128, k: v128): v128 {
    return dy;
  }
}

/** out[i] = value(x[i]). out may be x. */
export function activate<A extends Activation>(out: usize, x: usize, n: i32, parameter: f32): void {
  const k = f32x4.splat(parameter);
  for (let p = out, end = turnsEnd(out, n); p < end; p += 64) {
    v128.store(p, changetype<A>(0).value(v128.load(x), k));
    v128.store(p, changetype<A>(0).value(v128.load(x, 16), k), 16);
    v128.store(p, changetype<A>(0).value(v128.load(x, 32), k), 32);
    v128.store(p, changetype<A>(0).value(v128.load(x, 48), k), 48);
    x += 64;
  }
  zeroTail(out, n);
}

/** dx[i] = gradient(dy[i], s[i]). dx may be dy or s. */
export function activationGradient<A extends Activation>(
  dx: usize,
  dy: usize,
  s: usize,
  n: i32,
  parameter: f32,
): void {
  const k = f32x4.splat(parameter);
  for (let p = dx, end = turnsEnd(dx, n); p < end; p += 64) {
    v128.store(p, changetype<A>(0).gradient(v128.load(dy), v128.load(s), k));
    v128.store(p, changetype<A>(0).gradient(v128.load(dy, 16), v128.load(s, 16), k), 16);
    v128.store(p, changetype<A>(0).gradient(v128.load(dy, 32), v128.load(s, 32), k), 32);
    v128.store(p, changetype<A>(0).gradient(v128.load(dy, 48), v128.load(s, 48), k), 48);
    dy += 64;
    s += 64;
  }
  zeroTail(dx, n);
}

/** `activate` for values of many operations: a vector at a time, since turns would be long code. */
export function activateSingly<A extends Activation>(
  out: usize,
  x: usize,
  n: i32,
  parameter: f32,
): void {
  const k = f32x4.splat(parameter);
  for (let p = out, end = turnsEnd(out, n); p < end; p += 16) {
    v128.store(p, changetype<A>(0).value(v128.load(x), k));
    x += 16;
  }
  zeroTail(out, n);
}

/** `activationGradient` for gradients of many operations. */
export function activationGradientSingly<A extends Activation>(
  dx: usize,
  dy: usize,
  s: usize,
  n: i32,
  parameter: f32,
): void {
  const k = f32x4.splat(parameter);
  for (let p = dx, end = turnsEnd(dx, n); p < end; p += 16) {
    v128.store(p, changetype<A>(0).gradient(v128.load(dy), v128.load(s), k));
    dy += 16;
    s += 16;
  }
  zeroTail(dx, n);
}
