/** Gaussian error linear units, exact and by tanh. Their gradients read their input. */
import { Activation, activateSingly, activationGradientSingly } from '../math/activation';
import { erf4 } from '../math/erf';
import { exp4 } from '../math/exp';
import { tanh4 } from '../math/tanh';

/** Returns (1 + p)/2. */
function half(p: v128): v128 {
  return f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.splat(1), p));
}

@unmanaged
class Gelu extends Activation {
  /** x·Φ, with Φ = (1 + erf(x/√2))/2 */
  @inline
  value(x: v128, k: v128): v128 {
    return f32x4.mul(x, half(erf4(f32x4.mul(x, f32x4.splat(<f32>Math.SQRT1_2)))));
  }

  /** dy·(Φ + x·φ), with φ = e^(-x²/2)/√(2π) */
  @inline
  gradient(dy: v128, x: v128, k: v128): v128 {
    const z = f32x4.mul(x, f32x4.splat(<f32>Math.SQRT1_2));
    const e = exp4(f32x4.neg(f32x4.mul(z, z)));
    const density = f32x4.mul(e, f32x4.splat(0.3989422804014327));
    return f32x4.mul(dy, f32x4.add(half(erf4(z)), f32x4.mul(x, density)));
  }
}

/** Returns x², at most 100: beyond, tanh is 1 anyway, and x² could overflow. */
function square(x: v128): v128 {
  return f32x4.pmin(f32x4.mul(x, x), f32x4.splat(100));
}

/** Returns tanh(x·(a + b·x²)) for the square of x, with a = √(2/π) and b = 0.044715·a. */
function bent(x: v128, square: v128): v128 {
  const cubic = f32x4.mul(square, f32x4.splat(0.03567740813636141));
  return tanh4(f32x4.mul(x, f32x4.add(f32x4.splat(0.7978845608028654), cubic)));
}

@unmanaged
class GeluTanh extends Activation {
  /** x·(1 + t)/2, with t = tanh(√(2/π)·(x + 0.044715·x³)) */
  @inline
  value(x: v128, k: v128): v128 {
    return f32x4.mul(x, half(bent(x, square(x))));
  }

  /** dy·((1 + t)/2 + (x·((1 - t²)/2))·(a + 3b·x²)) */
  @inline
  gradient(dy: v128, x: v128, k: v128): v128 {
    const s = square(x);
    const t = bent(x, s);
    const rest = f32x4.mul(f32x4.splat(0.5), f32x4.sub(f32x4.splat(1), f32x4.mul(t, t)));
    const slope = f32x4.add(
      f32x4.splat(0.7978845608028654),
      f32x4.mul(s, f32x4.splat(0.10703222440908423)),
    );
    return f32x4.mul(dy, f32x4.add(half(t), f32x4.mul(f32x4.mul(x, rest), slope)));
  }
}

export function gelu(out: usize, x: usize, n: i32): void {
  activateSingly<Gelu>(out, x, n, 0);
}

export function geluGrad(dx: usize, dy: usize, x: usize, n: i32): void {
  activationGradientSingly<Gelu>(dx, dy, x, n, 0);
}

export function geluTanh(out: usize, x: usize, n: i32): void {
  activateSingly<GeluTanh>(out, x, n, 0);
}

export function geluTanhGrad(dx: usize, dy: usize, x: usize, n: i32): void {
  activationGradientSingly<GeluTanh>(dx, dy, x, n, 0);
}
