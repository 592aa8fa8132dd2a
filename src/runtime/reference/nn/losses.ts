/** The oracle of assembly/math/loss.ts and regression-loss.ts. */
import { log } from '../../../math/log';
import type { Arithmetic } from './arithmetic';
import { at, type OracleMemory } from './memory';

type Floats = Float32Array | Float64Array;

/** Unweighted loss of one row of x; d = its gradient times weight/whole. */
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

/** -1 if any is NaN. */
function firstGreatest(x: Floats): number {
  let best = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < x.length; ++j) {
    if (Number.isNaN(x[j])) return -1;
    if (x[j]! > greatest) greatest = x[(best = j)]!;
  }
  return best;
}

/** Mean of value(x, t) over n elements; d = slope(x, t)/n. */
function elementLoss(
  memory: OracleMemory,
  [d, x, t, n]: readonly [number, number, number, number],
  value: (x: number, t: number) => number,
  slope: (x: number, t: number) => number,
): number {
  const f = memory.f32;
  let total = 0;
  for (let i = 0; i < n; ++i) {
    const [prediction, target] = [f[at(x) + i]!, f[at(t) + i]!];
    total += value(prediction, target);
    f[at(d) + i] = slope(prediction, target) / n;
  }
  return total / n;
}

function regression(memory: OracleMemory, { exp }: Arithmetic) {
  return {
    binaryCrossEntropy(d: number, x: number, t: number, n: number): number {
      const valid = (target: number) => (target >= 0 && target <= 1 ? target : Number.NaN);
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => (v < 0 ? 0 : v) - v * valid(target) + log(1 + exp(-Math.abs(v))),
        (v, target) => {
          const e = exp(-Math.abs(v));
          return (v < 0 ? e : 1) / (1 + e) - valid(target);
        },
      );
    },
    meanSquaredError(d: number, x: number, t: number, n: number): number {
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => (v - target) * (v - target),
        (v, target) => 2 * (v - target),
      );
    },
    huber(d: number, x: number, t: number, n: number, delta: number): number {
      return elementLoss(
        memory,
        [d, x, t, n],
        (v, target) => {
          const r = Math.abs(v - target);
          return r > delta ? delta * (r - 0.5 * delta) : 0.5 * (r * r);
        },
        (v, target) => {
          const r = v - target;
          return r > delta ? delta : r < -delta ? -delta : r;
        },
      );
    },
  };
}

function classification(memory: OracleMemory, arithmetic: Arithmetic) {
  const row = (address: number, r: number, cols: number) =>
    memory.f32.subarray(at(address) + r * cols, at(address) + (r + 1) * cols);
  const argmaxOf = (logits: number, r: number, cols: number) => firstGreatest(row(logits, r, cols));
  const labelOf = (labels: number, r: number) => memory.i32[at(labels) + r]!;
  const weightOf = (label: number, weights: number, cols: number) =>
    weights && label >= 0 && label < cols ? memory.f32[at(weights) + label]! : 1;
  return {
    // biome-ignore format: one line a role
    softmaxCrossEntropy(
      dlogits: number, logits: number, labels: number, weights: number,
      rows: number, cols: number, whole: number,
    ): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) {
        const label = labelOf(labels, r);
        const weight = weightOf(label, weights, cols);
        total += weight * crossEntropyRow(row(dlogits, r, cols), row(logits, r, cols), label, weight, whole, arithmetic);
      }
      return total / whole;
    },
    labelWeight(labels: number, weights: number, rows: number, cols: number): number {
      let total = 0;
      for (let r = 0; r < rows; ++r) total += weightOf(labelOf(labels, r), weights, cols);
      return total;
    },
    argmax(out: number, logits: number, rows: number, cols: number): void {
      for (let r = 0; r < rows; ++r) memory.i32[at(out) + r] = argmaxOf(logits, r, cols);
    },
    predictedMatches(logits: number, labels: number, rows: number, cols: number): number {
      let matches = 0;
      for (let r = 0; r < rows; ++r) {
        const predicted = argmaxOf(logits, r, cols);
        if (predicted >= 0 && predicted === labelOf(labels, r)) ++matches;
      }
      return matches;
    },
  };
}

export function losses(memory: OracleMemory, arithmetic: Arithmetic) {
  return { ...classification(memory, arithmetic), ...regression(memory, arithmetic) };
}
