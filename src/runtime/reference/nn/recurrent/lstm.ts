/** One step of a long short-term memory; gates lie in the order i f g o. */
import { type Arithmetic, sigmoid } from '../../math/arithmetic';
import { at, type ReferenceMemory } from '../../math/memory';
import { isPadded, logisticSlope, stateGradient, tanhSlope } from '../../math/recurrent';

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const { round, tanh } = arithmetic;
  return {
    /**
     * Step `step` of all samples: c = f·c + i·g and h = o·tanh c, with i, f, o = σ and g = tanh of
     * gates + product.
     *
     * gates: in sums, out gates; rows of 4·units, `gateStep` floats apart. product: [rows][4·units].
     * cell → next, and hidden in place: [rows][units]; next may be cell. `before` receives the
     * hidden state before the step, y the one after it, in rows `beforeStep` and `yStep` floats
     * apart; 0 for none. `lengths` has one float per row, or is 0: a row with lengths[r] ≤ step
     * keeps its states, and its y is 0.
     */
    // biome-ignore format: one line a role
    lstmStep(
      gates: number, gateStep: number, product: number, cell: number, next: number, hidden: number,
      before: number, beforeStep: number, y: number, yStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          if (before) f[at(before) + r * beforeStep + j] = f[at(hidden) + own]!;
          if (padded) {
            f[at(next) + own] = f[at(cell) + own]!;
            if (y) f[at(y) + r * yStep + j] = 0;
            continue;
          }
          const z = at(gates) + r * gateStep + j;
          const p = at(product) + 4 * r * units + j;
          const sum = (k: number) => round(f[z + k * units]! + f[p + k * units]!);
          const i = sigmoid(sum(0), arithmetic);
          const forget = sigmoid(sum(1), arithmetic);
          const g = tanh(sum(2));
          const o = sigmoid(sum(3), arithmetic);
          const c = round(round(forget * f[at(cell) + own]!) + round(i * g));
          const h = round(o * tanh(c));
          f[z] = i;
          f[z + units] = forget;
          f[z + 2 * units] = g;
          f[z + 3 * units] = o;
          f[at(next) + own] = c;
          f[at(hidden) + own] = h;
          if (y) f[at(y) + r * yStep + j] = h;
        }
      }
    },
    /**
     * The gradients of lstmStep. The gradient by the hidden state after the step is dhidden + carry
     * + dy (carry and dy may be 0); dcell is the one by the cell, and becomes that by the cell
     * before. gates: in gates, out gradients of their sums, which product receives too. carry
     * becomes what a padded row hands on to the hidden state before, else 0.
     */
    // biome-ignore format: one line a role
    lstmStepGrad(
      gates: number, gateStep: number, product: number, cell: number, next: number,
      dhidden: number, dcell: number, carry: number, dy: number, dyStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          const z = at(gates) + r * gateStep + j;
          const p = at(product) + 4 * r * units + j;
          const store = (k: number, value: number) => {
            f[z + k * units] = value;
            f[p + k * units] = value;
          };
          if (padded) {
            for (let k = 0; k < 4; ++k) store(k, 0);
            f[at(carry) + own] = stateGradient(f, dhidden, carry, own, 0, 0, arithmetic);
            continue;
          }
          const dh = stateGradient(f, dhidden, carry, own, dy, r * dyStep + j, arithmetic);
          if (carry) f[at(carry) + own] = 0;
          const [i, forget] = [f[z]!, f[z + units]!];
          const [g, o] = [f[z + 2 * units]!, f[z + 3 * units]!];
          const t = tanh(f[at(next) + own]!);
          const inner = round(round(dh * o) * tanhSlope(t, arithmetic));
          const dc = round(f[at(dcell) + own]! + inner);
          f[at(dcell) + own] = dc * forget;
          store(0, round(dc * g) * logisticSlope(i, arithmetic));
          store(1, round(dc * f[at(cell) + own]!) * logisticSlope(forget, arithmetic));
          store(2, round(dc * i) * tanhSlope(g, arithmetic));
          store(3, round(dh * t) * logisticSlope(o, arithmetic));
        }
      }
    },
  };
}
