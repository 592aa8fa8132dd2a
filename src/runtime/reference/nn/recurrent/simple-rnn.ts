/** One step of a plain recurrent layer. */
import type { Arithmetic } from '../../math/arithmetic';
import { at, type ReferenceMemory } from '../../math/memory';
import { isPadded, stateGradient, tanhSlope } from '../../math/recurrent';

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const { round, tanh } = arithmetic;
  return {
    /**
     * Step `step` of all samples: h = tanh(sums + product), or ReLU if `rectify` is 1. sums: in
     * sums, out h; rows of units, `sumStep` floats apart. product: [rows][units]. hidden, before, y
     * and lengths: as for lstmStep.
     */
    // biome-ignore format: one line a role
    rnnStep(
      sums: number, sumStep: number, product: number, hidden: number, rectify: number,
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
          const s = at(sums) + r * sumStep + j;
          const sum = round(f[s]! + f[at(product) + r * units + j]!);
          const h = rectify ? (sum < 0 ? 0 : sum) : tanh(sum);
          f[s] = h;
          f[own] = h;
          if (y) f[at(y) + r * yStep + j] = h;
        }
      }
    },
    /**
     * The gradients of rnnStep. sums: in h, out gradients of the sums, which product receives too.
     * dhidden, carry and dy: as for lstmStepGrad.
     */
    // biome-ignore format: one line a role
    rnnStepGrad(
      sums: number, sumStep: number, product: number, rectify: number,
      dhidden: number, carry: number, dy: number, dyStep: number,
      lengths: number, step: number, rows: number, units: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const padded = isPadded(f, lengths, r, step);
        for (let j = 0; j < units; ++j) {
          const own = r * units + j;
          const s = at(sums) + r * sumStep + j;
          const p = at(product) + own;
          if (padded) {
            f[s] = 0;
            f[p] = 0;
            f[at(carry) + own] = stateGradient(f, dhidden, carry, own, 0, 0, arithmetic);
            continue;
          }
          const dh = stateGradient(f, dhidden, carry, own, dy, r * dyStep + j, arithmetic);
          if (carry) f[at(carry) + own] = 0;
          const ds = rectify ? (f[s]! > 0 ? dh : 0) : round(dh * tanhSlope(f[s]!, arithmetic));
          f[s] = ds;
          f[p] = ds;
        }
      }
    },
  };
}
