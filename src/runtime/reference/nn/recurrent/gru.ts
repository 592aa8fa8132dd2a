/**
 * One step of a gated recurrent unit; gates lie in the order r z n. gruStep applies the reset gate
 * after the recurrent product; gruGates and gruCandidate compute the step in two parts, with the
 * product of the reset state between them.
 */
import { type Arithmetic, sigmoid } from '../../math/arithmetic';
import { at, type ReferenceMemory } from '../../math/memory';
import { isPadded, logisticSlope, stateGradient, tanhSlope } from '../../math/recurrent';

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const { round, tanh } = arithmetic;
  /** n + z·(h - n) */
  const mix = (n: number, z: number, h: number) => round(n + round(z * round(h - n)));
  const candidateGradient = (dh: number, z: number, n: number) =>
    round(round(dh * round(1 - z)) * tanhSlope(n, arithmetic));
  const updateGradient = (dh: number, z: number, n: number, h: number) =>
    round(round(dh * round(h - n)) * logisticSlope(z, arithmetic));
  return {
    /**
     * Step `step` of all samples: r, z = σ(gates + product), n = tanh(gates + r·product) and
     * h = n + z·(h - n).
     *
     * gates: in sums, out gates; kept: receives the third part of product, if it is not 0; rows of
     * 3·units, `gateStep` floats apart. product: [rows][3·units]. hidden: [rows][units], in place.
     * before, y and lengths: as for lstmStep.
     */
    // biome-ignore format: one line a role
    gruStep(
      gates: number, kept: number, gateStep: number, product: number, hidden: number,
      before: number, beforeStep: number, y: number, yStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = at(hidden) + r * units + j;
          if (before) f[at(before) + r * beforeStep + j] = f[own]!;
          if (padded) {
            if (y) f[at(y) + r * yStep + j] = 0;
            continue;
          }
          const z = at(gates) + r * gateStep + j;
          const p = at(product) + 3 * r * units + j;
          const reset = sigmoid(round(f[z]! + f[p]!), arithmetic);
          const update = sigmoid(round(f[z + units]! + f[p + units]!), arithmetic);
          const q = f[p + 2 * units]!;
          const n = tanh(round(f[z + 2 * units]! + round(reset * q)));
          const h = mix(n, update, f[own]!);
          f[z] = reset;
          f[z + units] = update;
          f[z + 2 * units] = n;
          if (kept) f[at(kept) + r * gateStep + j + 2 * units] = q;
          f[own] = h;
          if (y) f[at(y) + r * yStep + j] = h;
        }
      }
    },
    /**
     * The gradients of gruStep. The gradient by the hidden state after the step is dhidden + carry
     * + dy (dy may be 0). gates: in gates, out gradients of the input's sums. kept: in what gruStep
     * kept, out gradients of the product, which product receives too. carry becomes the part of the
     * gradient by the state before that does not come from the product.
     */
    // biome-ignore format: one line a role
    gruStepGrad(
      gates: number, kept: number, gateStep: number, product: number,
      before: number, beforeStep: number,
      dhidden: number, carry: number, dy: number, dyStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          const z = at(gates) + r * gateStep + j;
          const k = at(kept) + r * gateStep + j;
          const p = at(product) + 3 * r * units + j;
          const store = (gate: number, input: number, recurrent: number) => {
            f[z + gate * units] = input;
            f[k + gate * units] = recurrent;
            f[p + gate * units] = recurrent;
          };
          if (padded) {
            for (let gate = 0; gate < 3; ++gate) store(gate, 0, 0);
            f[at(carry) + own] = stateGradient(f, dhidden, carry, own, 0, 0, arithmetic);
            continue;
          }
          const dh = stateGradient(f, dhidden, carry, own, dy, r * dyStep + j, arithmetic);
          const [reset, update, n] = [f[z]!, f[z + units]!, f[z + 2 * units]!];
          const dn = candidateGradient(dh, update, n);
          const dz = updateGradient(dh, update, n, f[at(before) + r * beforeStep + j]!);
          const inner = round(dn * f[k + 2 * units]!);
          const dr = round(inner * logisticSlope(reset, arithmetic));
          f[at(carry) + own] = dh * update;
          store(0, dr, dr);
          store(1, dz, dz);
          store(2, dn, round(dn * reset));
        }
      }
    },
    /**
     * First part of a step: r, z = σ(gates + product), and reset = r·h. gates: rows of 3·units,
     * `gateStep` floats apart. product: [rows][2·units]; hidden and reset: [rows][units]. If before
     * is not 0, it receives the hidden state and `resets` the reset one.
     */
    // biome-ignore format: one line a role
    gruGates(
      gates: number, gateStep: number, product: number, hidden: number, reset: number,
      before: number, resets: number, beforeStep: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          const z = at(gates) + r * gateStep + j;
          const p = at(product) + 2 * r * units + j;
          const h = f[at(hidden) + own]!;
          const gate = sigmoid(round(f[z]! + f[p]!), arithmetic);
          const update = sigmoid(round(f[z + units]! + f[p + units]!), arithmetic);
          const gated = round(gate * h);
          f[z] = gate;
          f[z + units] = update;
          f[at(reset) + own] = gated;
          if (!before) continue;
          f[at(before) + r * beforeStep + j] = h;
          f[at(resets) + r * beforeStep + j] = gated;
        }
      }
    },
    /**
     * Second part: n = tanh(gates + product) and h = n + z·(h - n). n takes the place of its sum.
     * product: [rows][units].
     */
    // biome-ignore format: one line a role
    gruCandidate(
      gates: number, gateStep: number, product: number, hidden: number, y: number, yStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          if (padded) {
            if (y) f[at(y) + r * yStep + j] = 0;
            continue;
          }
          const own = r * units + j;
          const c = at(gates) + r * gateStep + j + 2 * units;
          const n = tanh(round(f[c]! + f[at(product) + own]!));
          const update = f[at(gates) + r * gateStep + j + units]!;
          const h = mix(n, update, f[at(hidden) + own]!);
          f[c] = n;
          f[at(hidden) + own] = h;
          if (y) f[at(y) + r * yStep + j] = h;
        }
      }
    },
    /**
     * The gradients of gruCandidate: gates receives those of the sums of z and n in their places,
     * and product that of n. dhidden, carry and dy: as for gruStepGrad.
     */
    // biome-ignore format: one line a role
    gruCandidateGrad(
      gates: number, gateStep: number, product: number,
      before: number, beforeStep: number,
      dhidden: number, carry: number, dy: number, dyStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          const c = at(gates) + r * gateStep + j + 2 * units;
          const z = at(gates) + r * gateStep + j + units;
          if (padded) {
            f[z] = 0;
            f[c] = 0;
            f[at(product) + own] = 0;
            f[at(carry) + own] = stateGradient(f, dhidden, carry, own, 0, 0, arithmetic);
            continue;
          }
          const dh = stateGradient(f, dhidden, carry, own, dy, r * dyStep + j, arithmetic);
          const [update, n] = [f[z]!, f[c]!];
          const dn = candidateGradient(dh, update, n);
          f[c] = dn;
          f[at(product) + own] = dn;
          f[z] = updateGradient(dh, update, n, f[at(before) + r * beforeStep + j]!);
          f[at(carry) + own] = dh * update;
        }
      }
    },
    /**
     * The gradients of gruGates, after those of gruCandidate; dreset is the gradient by the reset
     * state. gates receives the gradient of the sum of r in the place of r, product both of them,
     * and carry what comes by the reset state in addition.
     */
    // biome-ignore format: one line a role
    gruGatesGrad(
      gates: number, gateStep: number, product: number, dreset: number,
      before: number, beforeStep: number, carry: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          const z = at(gates) + r * gateStep + j;
          const p = at(product) + 2 * r * units + j;
          if (padded) {
            f[z] = 0;
            f[p] = 0;
            f[p + units] = 0;
            continue;
          }
          const [d, gate] = [f[at(dreset) + own]!, f[z]!];
          const inner = round(d * f[at(before) + r * beforeStep + j]!);
          const dr = round(inner * logisticSlope(gate, arithmetic));
          f[z] = dr;
          f[p] = dr;
          f[p + units] = f[z + units]!;
          f[at(carry) + own] = round(f[at(carry) + own]! + round(d * gate));
        }
      }
    },
  };
}
