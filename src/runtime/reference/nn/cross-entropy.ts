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

/**
 * Returns the loss of one row x, given the weighted share of every class in its target; writes d =
 * its gradient over `whole`.
 */
function distributionRow(
  d: Floats,
  x: Floats,
  shares: readonly number[],
  whole: number,
  { round, exp }: Arithmetic,
): number {
  let largest = x[0]!;
  for (const value of x) if (value > largest) largest = value;
  let mass = 0;
  let product = 0;
  for (const [j, a] of shares.entries()) {
    mass += a;
    if (a !== 0) product += a * (x[j]! - largest);
  }
  let sum = 0;
  for (let j = 0; j < x.length; ++j) sum += d[j] = exp(round(x[j]! - largest));
  for (const [j, a] of shares.entries()) d[j] = (mass * (d[j]! / sum) - a) / whole;
  return mass * log(sum) - product;
}

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const row = (address: number, r: number, cols: number) =>
    memory.f32.subarray(at(address) + r * cols, at(address) + (r + 1) * cols);
  const labelOf = (labels: number, r: number) => memory.i32[at(labels) + r]!;
  const weightOf = (label: number, weights: number, cols: number) =>
    weights && label >= 0 && label < cols ? memory.f32[at(weights) + label]! : 1;
  const sharesOf = (
    targetOf: (j: number) => number,
    weights: number,
    cols: number,
    smoothing: number,
  ) =>
    Array.from({ length: cols }, (_, j) => {
      const smoothed = (1 - smoothing) * targetOf(j) + smoothing / cols;
      return weightOf(j, weights, cols) * smoothed;
    });
  return {
    /**
     * Returns the sum over rows of the cross-entropy log(Σ_j e^x_j) - x_label, each times its
     * label's weight, divided by `whole`: an f64. Writes its gradient (softmax -
     * onehot)·weight/whole to dlogits, which may be logits. `labels` is the address of one i32 per
     * row, `weights` that of one f32 per class, or 0 if all weigh 1. With `whole` = rows the result
     * is the mean over rows, with `whole` = `labelWeight` the weighted mean. rows and cols are at
     * least 1. A row with NaN or +Infinity gives NaN. A row whose label is `ignore` has neither loss
     * nor gradient; NaN ignores none, and the result is 0 if `whole` is. Another label outside [0,
     * cols) makes the loss and its row of dlogits NaN, and nothing outside that row is written.
     */
    // biome-ignore format: one line a role
    softmaxCrossEntropy(
      dlogits: number, logits: number, labels: number, weights: number,
      rows: number, cols: number, whole: number, ignore: number,
    ): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const label = labelOf(labels, r);
        const weight = weightOf(label, weights, cols);
        const [d, x] = [row(dlogits, r, cols), row(logits, r, cols)];
        if (label === ignore) d.fill(0);
        else total += weight * crossEntropyRow(d, x, label, weight, whole, arithmetic);
      }
      return whole === 0 ? 0 : total / whole;
    },
    /**
     * Returns the same with label smoothing: of each row Σ_j w_j·q_j·(log(Σ_k e^x_k) - x_j), where
     * q_j is (1 - smoothing)·onehot_j + smoothing/cols. A class without a share adds nothing, even
     * where its logit is -Infinity.
     */
    // biome-ignore format: one line a role
    smoothCrossEntropy(
      dlogits: number, logits: number, labels: number, weights: number,
      rows: number, cols: number, whole: number, ignore: number, smoothing: number,
    ): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const label = labelOf(labels, r);
        const known = label >= 0 && label < cols;
        const targetOf = (j: number) => (known ? Number(j === label) : Number.NaN);
        const [d, x] = [row(dlogits, r, cols), row(logits, r, cols)];
        if (label === ignore) {
          d.fill(0);
          continue;
        }
        const shares = sharesOf(targetOf, weights, cols, smoothing);
        total += distributionRow(d, x, shares, whole, arithmetic);
      }
      return whole === 0 ? 0 : total / whole;
    },
    /**
     * Returns the mean over rows of the same loss against `targets`, rows × cols probabilities in
     * [0, 1]. Another target makes the loss and its row of dlogits NaN.
     */
    // biome-ignore format: one line a role
    categoricalCrossEntropy(
      dlogits: number, logits: number, targets: number, weights: number,
      rows: number, cols: number, smoothing: number,
    ): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const given = row(targets, r, cols);
        const targetOf = (j: number) => (given[j]! >= 0 && given[j]! <= 1 ? given[j]! : Number.NaN);
        const shares = sharesOf(targetOf, weights, cols, smoothing);
        const [d, x] = [row(dlogits, r, cols), row(logits, r, cols)];
        total += distributionRow(d, x, shares, rows, arithmetic);
      }
      return total / rows;
    },
    /**
     * Returns the sum of the labels' weights over rows, an f64, without the labels that are
     * `ignore`; another label outside [0, cols) counts 1.
     */
    // biome-ignore format: one line a role
    labelWeight(
      labels: number, weights: number, rows: number, cols: number, ignore: number,
    ): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const label = labelOf(labels, r);
        if (label !== ignore) total += weightOf(label, weights, cols);
      }
      return total;
    },
  };
}
