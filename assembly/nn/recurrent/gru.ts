/**
 * One step of a gated recurrent unit, forward and backward; gates lie in the order r z n.
 * gruStep applies the reset gate after the recurrent product; gruGates and gruCandidate compute
 * the step in two parts, with the product of the reset state between them.
 */
import { copyFloats, loadLanes, storeLanes, zeroFloats } from '../../math/partial';
import { handOn, isPadded, logisticSlope, stateGradient, tanhSlope } from '../../math/recurrent';
import { sigmoid4, tanh4 } from '../../math/tanh';

// biome-ignore format: one line a role
export function gruStep(
  gates: usize, kept: usize, gateStep: i32, product: usize, hidden: usize,
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
        const z = gates + at;
        const p = product + at;
        const reset = sigmoid4(f32x4.add(loadLanes(z, width), loadLanes(p, width)));
        const update = sigmoid4(f32x4.add(loadLanes(z + row, width), loadLanes(p + row, width)));
        const q = loadLanes(p + 2 * row, width);
        // n = tanh(sum + r·q);  h = n + z·(h - n)
        const sum = f32x4.add(loadLanes(z + 2 * row, width), f32x4.mul(reset, q));
        const n = tanh4(sum);
        const h = mix(n, update, loadLanes(hidden + at, width));
        storeLanes(z, reset, width);
        storeLanes(z + row, update, width);
        storeLanes(z + 2 * row, n, width);
        if (kept) storeLanes(kept + at + 2 * row, q, width);
        storeLanes(hidden + at, h, width);
        if (y) storeLanes(y + at, h, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    if (kept) kept += (<usize>gateStep) << 2;
    product += 3 * row;
    hidden += row;
    if (before) before += (<usize>beforeStep) << 2;
    if (y) y += (<usize>yStep) << 2;
  }
}

/** Returns n + z·(h - n). */
function mix(n: v128, z: v128, h: v128): v128 {
  return f32x4.add(n, f32x4.mul(z, f32x4.sub(h, n)));
}

// biome-ignore format: one line a role
export function gruStepGrad(
  gates: usize, kept: usize, gateStep: i32, product: usize, before: usize, beforeStep: i32,
  dhidden: usize, carry: usize, dy: usize, dyStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    if (isPadded(lengths, r, step)) {
      zeroFloats(gates, 3 * units);
      zeroFloats(kept, 3 * units);
      zeroFloats(product, 3 * units);
      handOn(dhidden, carry, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const z = gates + at;
        const k = kept + at;
        const p = product + at;
        const dh = stateGradient(dhidden + at, carry + at, dy ? dy + at : 0, width);
        const reset = loadLanes(z, width);
        const update = loadLanes(z + row, width);
        const n = loadLanes(z + 2 * row, width);
        const dn = candidateGradient(dh, update, n);
        const dz = updateGradient(dh, update, n, loadLanes(before + at, width));
        const dr = f32x4.mul(f32x4.mul(dn, loadLanes(k + 2 * row, width)), logisticSlope(reset));
        const dq = f32x4.mul(dn, reset);
        storeLanes(carry + at, f32x4.mul(dh, update), width);
        storeLanes(z, dr, width);
        storeLanes(k, dr, width);
        storeLanes(p, dr, width);
        storeLanes(z + row, dz, width);
        storeLanes(k + row, dz, width);
        storeLanes(p + row, dz, width);
        storeLanes(z + 2 * row, dn, width);
        storeLanes(k + 2 * row, dq, width);
        storeLanes(p + 2 * row, dq, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    kept += (<usize>gateStep) << 2;
    product += 3 * row;
    before += (<usize>beforeStep) << 2;
    dhidden += row;
    carry += row;
    if (dy) dy += (<usize>dyStep) << 2;
  }
}

/** Returns the gradient by the sum of n: (dh·(1 - z))·(1 - n²). */
function candidateGradient(dh: v128, z: v128, n: v128): v128 {
  return f32x4.mul(f32x4.mul(dh, f32x4.sub(f32x4.splat(1), z)), tanhSlope(n));
}

/** Returns the gradient by the sum of z: (dh·(h - n))·(z·(1 - z)). */
function updateGradient(dh: v128, z: v128, n: v128, h: v128): v128 {
  return f32x4.mul(f32x4.mul(dh, f32x4.sub(h, n)), logisticSlope(z));
}

// biome-ignore format: one line a role
export function gruGates(
  gates: usize, gateStep: i32, product: usize, hidden: usize, reset: usize,
  before: usize, resets: usize, beforeStep: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    for (let j = 0; j < units; j += 4) {
      const at = (<usize>j) << 2;
      const width = min(4, units - j);
      const z = gates + at;
      const p = product + at;
      const h = loadLanes(hidden + at, width);
      const gate = sigmoid4(f32x4.add(loadLanes(z, width), loadLanes(p, width)));
      const update = sigmoid4(f32x4.add(loadLanes(z + row, width), loadLanes(p + row, width)));
      const gated = f32x4.mul(gate, h);
      storeLanes(z, gate, width);
      storeLanes(z + row, update, width);
      storeLanes(reset + at, gated, width);
      if (before) {
        storeLanes(before + at, h, width);
        storeLanes(resets + at, gated, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    product += 2 * row;
    hidden += row;
    reset += row;
    if (before) {
      before += (<usize>beforeStep) << 2;
      resets += (<usize>beforeStep) << 2;
    }
  }
}

// biome-ignore format: one line a role
export function gruCandidate(
  gates: usize, gateStep: i32, product: usize, hidden: usize, y: usize, yStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    if (isPadded(lengths, r, step)) {
      if (y) zeroFloats(y, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const c = gates + at + 2 * row;
        const n = tanh4(f32x4.add(loadLanes(c, width), loadLanes(product + at, width)));
        const update = loadLanes(gates + at + row, width);
        const h = mix(n, update, loadLanes(hidden + at, width));
        storeLanes(c, n, width);
        storeLanes(hidden + at, h, width);
        if (y) storeLanes(y + at, h, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    product += row;
    hidden += row;
    if (y) y += (<usize>yStep) << 2;
  }
}

// biome-ignore format: one line a role
export function gruCandidateGrad(
  gates: usize, gateStep: i32, product: usize, before: usize, beforeStep: i32,
  dhidden: usize, carry: usize, dy: usize, dyStep: i32,
  lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    if (isPadded(lengths, r, step)) {
      zeroFloats(gates + row, 2 * units);
      zeroFloats(product, units);
      handOn(dhidden, carry, units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const c = gates + at + 2 * row;
        const z = gates + at + row;
        const dh = stateGradient(dhidden + at, carry + at, dy ? dy + at : 0, width);
        const update = loadLanes(z, width);
        const n = loadLanes(c, width);
        const dn = candidateGradient(dh, update, n);
        storeLanes(c, dn, width);
        storeLanes(product + at, dn, width);
        storeLanes(z, updateGradient(dh, update, n, loadLanes(before + at, width)), width);
        storeLanes(carry + at, f32x4.mul(dh, update), width);
      }
    }
    gates += (<usize>gateStep) << 2;
    product += row;
    before += (<usize>beforeStep) << 2;
    dhidden += row;
    carry += row;
    if (dy) dy += (<usize>dyStep) << 2;
  }
}

// biome-ignore format: one line a role
export function gruGatesGrad(
  gates: usize, gateStep: i32, product: usize, dreset: usize, before: usize, beforeStep: i32,
  carry: usize, lengths: usize, step: i32, rows: i32, units: i32,
): void {
  const row = (<usize>units) << 2;
  for (let r = 0; r < rows; ++r) {
    if (isPadded(lengths, r, step)) {
      zeroFloats(gates, units);
      zeroFloats(product, 2 * units);
    } else {
      for (let j = 0; j < units; j += 4) {
        const at = (<usize>j) << 2;
        const width = min(4, units - j);
        const z = gates + at;
        const p = product + at;
        const d = loadLanes(dreset + at, width);
        const gate = loadLanes(z, width);
        const inner = f32x4.mul(d, loadLanes(before + at, width));
        const dr = f32x4.mul(inner, logisticSlope(gate));
        storeLanes(z, dr, width);
        storeLanes(p, dr, width);
        storeLanes(p + row, loadLanes(z + row, width), width);
        const next = f32x4.add(loadLanes(carry + at, width), f32x4.mul(d, gate));
        storeLanes(carry + at, next, width);
      }
    }
    gates += (<usize>gateStep) << 2;
    product += 2 * row;
    dreset += row;
    before += (<usize>beforeStep) << 2;
    carry += row;
  }
}
