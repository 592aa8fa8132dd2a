/** Softmax cross-entropy over classes. */
import { log } from '../../../math/log';
import type { Arithmetic } from '../math/arithmetic';
import { at, type Floats, type ReferenceMemory } from '../math/memory';

/** Returns the unweighted loss of one row x; writes d = its gradient times weight/whole. */
function crossEntropyRow(
  d: Floats,
  x: Floats,
  label: number,
  weight: number,
  whole: number,
  { round, exp }: Arithmetic,
): number {
  const cols = x.length;
  let largest = x[0]!;
  for (const value of x) if (value > largest) largest = value;
  const known = label >= 0 && label < cols;
  const z = known ? x[label]! - largest : Number.NaN;
  let sum = 0;
  for (let j = 0; j < cols; ++j) sum += d[j] = exp(round(x[j]! - largest));
  const own = d[label]!;
  const scale = known ? round(weight / (sum * whole)) : Number.NaN;
  for (let j = 0; j < cols; ++j) d[j] = d[j]! * scale;
  if (known) d[label] = ((own / sum - 1) * weight) / whole;
  return log(sum) - z;
}

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const row = (address: number, r: number, cols: number) =>
    memory.f32.subarray(at(address) + r * cols, at(address) + (r + 1) * cols);
  const labelOf = (labels: number, r: number) => memory.i32[at(labels) + r]!;
  const weightOf = (label: number, weights: number, cols: number) =>
    weights && label >= 0 && label < cols ? memory.f32[at(weights) + label]! : 1;
  return {
    /**
     * Returns the sum over rows of the cross-entropy log(Σ_j e^x_j) - x_label, each times its
     * label's weight, divided by `whole`: an f64. Writes its gradient (softmax -
     * onehot)·weight/whole to dlogits, which may be logits. `labels` is the address of one i32 per
     * row, `weights` that of one f32 per class, or 0 if all weigh 1. With `whole` = rows the result
     * is the mean over rows, with `whole` = `labelWeight` the weighted mean. rows and cols are at
     * least 1. A row with NaN or +Infinity gives NaN. A label outside [0, cols) makes the loss and
     * its row of dlogits NaN, and nothing outside that row is written.
     */
    // biome-ignore format: one line a role
    softmaxCrossEntropy(
      dlogits: number, logits: number, labels: number, weights: number,
      rows: number, cols: number, whole: number,
    ): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const label = labelOf(labels, r);
        const weight = weightOf(label, weights, cols);
        const [d, x] = [row(dlogits, r, cols), row(logits, r, cols)];
        total += weight * crossEntropyRow(d, x, label, weight, whole, arithmetic);
      }
      return total / whole;
    },
    /**
     * Returns the sum of the labels' weights over rows, an f64; a label outside [0, cols) counts 1.
     */
    labelWeight(labels: number, weights: number, rows: number, cols: number): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) total += weightOf(labelOf(labels, r), weights, cols);
      return total;
    },
  };
}
