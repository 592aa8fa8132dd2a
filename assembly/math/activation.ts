/**
 * Activations, forward and backward: one class an activation, and the two loops that run them all.
 * As in map.ts, loops run over whole 64-byte turns and leave padding zero.
 */
import { turnsEnd, zeroTail } from './partial';
import { sigmoid4, tanh4 } from './tanh';

/** An activation with one parameter k. Never instantiated: see optimizers/rule.ts. */
@unmanaged
export class Activation {
  /** out, of x. */
  value(x: v128, k: v128): v128 {
    return x;
  }

  /** dx, of dy and s: what the activation wrote, or read (said with each). */
  gradient(dy: v128, s: v128, k: v128): v128 {
    return dy;
  }
}

/** ReLU; s is its output. */
@unmanaged
export class Rectifier extends Activation {
  /** x < 0 ? 0 : x */
  @inline
  value(x: v128, k: v128): v128 {
    return v128.andnot(x, f32x4.lt(x, f32x4.splat(0)));
  }

  /** out > 0 ? dy : 0 */
  @inline
  gradient(dy: v128, s: v128, k: v128): v128 {
    return v128.and(dy, f32x4.gt(s, f32x4.splat(0)));
  }
}

/** LeakyReLU of slope k ≥ 0; s is its output. */
@unmanaged
export class LeakyRectifier extends Activation {
  /** x < 0 ? k·x : x */
  @inline
  value(x: v128, k: v128): v128 {
    return v128.bitselect(f32x4.mul(x, k), x, f32x4.lt(x, f32x4.splat(0)));
  }

  /** out > 0 ? dy : k·dy */
  @inline
  gradient(dy: v128, s: v128, k: v128): v128 {
    return v128.bitselect(dy, f32x4.mul(dy, k), f32x4.gt(s, f32x4.splat(0)));
  }
}

/** s is the output. */
@unmanaged
export class Tanh extends Activation {
  @inline
  value(x: v128, k: v128): v128 {
    return tanh4(x);
  }

  /** dy·(1 - out²) */
  @inline
  gradient(dy: v128, s: v128, k: v128): v128 {
    return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(s, s)));
  }
}

/** s is the output. */
@unmanaged
export class Sigmoid extends Activation {
  @inline
  value(x: v128, k: v128): v128 {
    return sigmoid4(x);
  }

  /** dy·(out·(1 - out)) */
  @inline
  gradient(dy: v128, s: v128, k: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(f32x4.splat(1), s)));
  }
}

/** s is the input. */
@unmanaged
export class Silu extends Activation {
  /** x·σ(x) */
  @inline
  value(x: v128, k: v128): v128 {
    return f32x4.mul(x, sigmoid4(x));
  }

  /** dy·(σ·(1 + x·(1 - σ))) */
  @inline
  gradient(dy: v128, s: v128, k: v128): v128 {
    const one = f32x4.splat(1);
    const sigma = sigmoid4(s);
    return f32x4.mul(dy, f32x4.mul(sigma, f32x4.add(one, f32x4.mul(s, f32x4.sub(one, sigma)))));
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
