/** One step of a plain recurrent layer, forward and backward. */
import { copyFloats, loadLanes, storeLanes, zeroFloats } from '../../math/partial';
import { handOn, isPadded, stateGradient, tanhSlope } from '../../math/recurrent';
import { tanh4 } from '../../math/tanh';

// biome-ignore format: one line a role
export function rnnStep(
  sums: usize, sumStep: i32, product: usize, hidden: usize, rectify: i32,
  before: usize, beforeStep: i32, y: usize, yStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    if (before) copyFloats(before, hidden, units);
    if (isPadded(lengths, r, step)) {
      if (y) zeroFloats(y, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const s = f32x4.add(loadLanes(sums + at, width), loadLanes(product + at, width));
        // As relu: 0 below 0, and NaN passes.
        const h = rectify ? v128.andnot(s, f32x4.lt(s, f32x4.splat(0))) : tanh4(s);
        storeLanes(sums + at, h, width);
        storeLanes(hidden + at, h, width);
        if (y) storeLanes(y + at, h, width);
      }
    }
    sums += (<usize>sumStep) << 2;
    product += row;
    hidden += row;
    if (before) before += (<usize>beforeStep) << 2;
    if (y) y += (<usize>yStep) << 2;
  }
}

// biome-ignore format: one line a role
export function rnnStepGrad(
  sums: usize, sumStep: i32, product: usize, rectify: i32,
  dhidden: usize, carry: usize, dy: usize, dyStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  const zero = f32x4.splat(0);
  for (let r = 0; r < rows; ++r) {
    if (isPadded(lengths, r, step)) {
      zeroFloats(sums, units);
      zeroFloats(product, units);
      handOn(dhidden, carry, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const dh = stateGradient(dhidden + at, carry ? carry + at : 0, dy ? dy + at : 0, width);
        if (carry) storeLanes(carry + at, zero, width);
        const h = loadLanes(sums + at, width);
        const ds = rectify ? v128.and(dh, f32x4.gt(h, zero)) : f32x4.mul(dh, tanhSlope(h));
        storeLanes(sums + at, ds, width);
        storeLanes(product + at, ds, width);
      }
    }
    sums += (<usize>sumStep) << 2;
    product += row;
    dhidden += row;
    if (carry) carry += row;
    if (dy) dy += (<usize>dyStep) << 2;
  }
}
