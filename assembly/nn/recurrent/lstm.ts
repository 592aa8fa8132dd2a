/** One step of a long short-term memory, forward and backward; gates lie in the order i f g o. */
import { copyFloats, loadLanes, storeLanes, zeroFloats } from '../../math/partial';
import { handOn, isPadded, logisticSlope, stateGradient, tanhSlope } from '../../math/recurrent';
import { sigmoid4, tanh4 } from '../../math/tanh';

// biome-ignore format: one line a role
export function lstmStep(
  gates: usize, gateStep: i32, product: usize, cell: usize, next: usize, hidden: usize,
  before: usize, beforeStep: i32, y: usize, yStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    if (before) copyFloats(before, hidden, units);
    if (isPadded(lengths, r, step)) {
      copyFloats(next, cell, units);
      if (y) zeroFloats(y, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const z = gates + at;
        const p = product + at;
        const i = sigmoid4(f32x4.add(loadLanes(z, width), loadLanes(p, width)));
        storeLanes(z, i, width);
        const f = sigmoid4(f32x4.add(loadLanes(z + row, width), loadLanes(p + row, width)));
        storeLanes(z + row, f, width);
        const zg = loadLanes(z + 2 * row, width);
        const g = tanh4(f32x4.add(zg, loadLanes(p + 2 * row, width)));
        storeLanes(z + 2 * row, g, width);
        // c = f·c + i·g;  h = o·tanh c
        const c = f32x4.add(f32x4.mul(f, loadLanes(cell + at, width)), f32x4.mul(i, g));
        storeLanes(next + at, c, width);
        const zo = loadLanes(z + 3 * row, width);
        const o = sigmoid4(f32x4.add(zo, loadLanes(p + 3 * row, width)));
        storeLanes(z + 3 * row, o, width);
        const h = f32x4.mul(o, tanh4(c));
        storeLanes(hidden + at, h, width);
        if (y) storeLanes(y + at, h, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    product += 4 * row;
    cell += row;
    next += row;
    hidden += row;
    if (before) before += (<usize>beforeStep) << 2;
    if (y) y += (<usize>yStep) << 2;
  }
}

// biome-ignore format: one line a role
export function lstmStepGrad(
  gates: usize, gateStep: i32, product: usize, cell: usize, next: usize,
  dhidden: usize, dcell: usize, carry: usize, dy: usize, dyStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  const zero = f32x4.splat(0);
  for (let r = 0; r < rows; ++r) {
    if (isPadded(lengths, r, step)) {
      zeroFloats(gates, 4 * units);
      zeroFloats(product, 4 * units);
      handOn(dhidden, carry, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const z = gates + at;
        const p = product + at;
        const dh = stateGradient(
          dhidden + at,
          carry ? carry + at : 0,
          dy ? dy + at : 0,
          width,
        );
        if (carry) storeLanes(carry + at, zero, width);
        const i = loadLanes(z, width);
        const f = loadLanes(z + row, width);
        const g = loadLanes(z + 2 * row, width);
        const o = loadLanes(z + 3 * row, width);
        const t = tanh4(loadLanes(next + at, width));
        // dc = dc + (dh·o)·(1 - tanh² c)
        const dc = f32x4.add(
          loadLanes(dcell + at, width),
          f32x4.mul(f32x4.mul(dh, o), tanhSlope(t)),
        );
        storeLanes(dcell + at, f32x4.mul(dc, f), width);
        const di = f32x4.mul(f32x4.mul(dc, g), logisticSlope(i));
        const df = f32x4.mul(f32x4.mul(dc, loadLanes(cell + at, width)), logisticSlope(f));
        const dg = f32x4.mul(f32x4.mul(dc, i), tanhSlope(g));
        const dout = f32x4.mul(f32x4.mul(dh, t), logisticSlope(o));
        storeLanes(z, di, width);
        storeLanes(p, di, width);
        storeLanes(z + row, df, width);
        storeLanes(p + row, df, width);
        storeLanes(z + 2 * row, dg, width);
        storeLanes(p + 2 * row, dg, width);
        storeLanes(z + 3 * row, dout, width);
        storeLanes(p + 3 * row, dout, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    product += 4 * row;
    cell += row;
    next += row;
    dhidden += row;
    dcell += row;
    if (carry) carry += row;
    if (dy) dy += (<usize>dyStep) << 2;
  }
}
