/** What the steps of recurrent layers share. */
import { loadLanes, storeLanes } from './partial';

/** Tells whether `step` lies beyond the length of sample r; without lengths none does. */
export function isPadded(lengths: usize, r: i32, step: i32): bool {
  return lengths !== 0 && !(<f32>step < load<f32>(lengths + ((<usize>r) << 2)));
}

/** Returns s·(1 - s), the slope of the logistic function where it is s. */
export function logisticSlope(s: v128): v128 {
  return f32x4.mul(s, f32x4.sub(f32x4.splat(1), s));
}

/** Returns 1 - t², the slope of tanh where it is t. */
export function tanhSlope(t: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(t, t));
}

/** Returns (dhidden + carry) + dy, without those that are 0. */
export function stateGradient(dhidden: usize, carry: usize, dy: usize, width: i32): v128 {
  let dh = loadLanes(dhidden, width);
  if (carry) dh = f32x4.add(dh, loadLanes(carry, width));
  return dy ? f32x4.add(dh, loadLanes(dy, width)) : dh;
}

/** carry = dhidden + carry: a padded step hands the gradient on to the state before. */
export function handOn(dhidden: usize, carry: usize, units: i32): void {
  for (let j = 0; j < units; j += 4) {
    const at = (<usize>j) << 2;
    const width = min(4, units - j);
    storeLanes(carry + at, stateGradient(dhidden + at, carry + at, 0, width), width);
  }
}
