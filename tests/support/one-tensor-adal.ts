/** AdaL over one tensor, `w`, as tests of its numbers drive it and look at it. */
import type { AdaL, AdaLOptions } from '../../src/index';
import { stateOf } from './state';

/** u itself: θ starts each step at 0, with a step size of 1. */
export const BARE: AdaLOptions = { lr: 1, decay: 'none', eps: 0, weightDecay: 0 };

/** One step from θ = 0; returns u = -θ, a copy. */
export function updateOf(optimizer: AdaL, g: ArrayLike<number>): Float32Array {
  optimizer.params.w.fill(0);
  optimizer.grads.w.set(g);
  optimizer.step();
  return optimizer.params.w.map((x) => 0 - x);
}

export function moments(optimizer: AdaL) {
  const dict = optimizer.stateDict();
  const { m, v } = stateOf(dict, 'w');
  return { m, v, exponent: dict.state.w.exponent };
}

export function allFinite(optimizer: AdaL): boolean {
  const { m, v } = moments(optimizer);
  return [m, v, optimizer.params.w].every((array) => array.every(Number.isFinite));
}

/** Largest |x|. */
export function maxAbs(values: ArrayLike<number>): number {
  return Array.from(values).reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
}
