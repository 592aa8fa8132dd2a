/** Sums that batch and layer normalisation share. */
import { at, type Floats } from './memory';

/** Returns the mean of n elements and the sum of squared distances from it, in f64. */
export function moments(
  n: number,
  element: (i: number) => number,
): { mean: number; squares: number } {
  let sum = 0;
  for (let i = 0; i < n; ++i) sum += element(i);
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; ++i) squares += (element(i) - mean) * (element(i) - mean);
  return { mean, squares };
}

/** Writes dbeta = Σ dy and dgamma = Σ dy·h over rows, column by column, in f64. */
// biome-ignore format: one line a role
export function affineGradient(
  f: Floats, dgamma: number, dbeta: number,
  dy: number, normalized: (i: number) => number, rows: number, cols: number,
): void {
  for (let c = 0; c < cols; ++c) {
    let sum = 0;
    let products = 0;
    for (let i = c; i < rows * cols; i += cols) {
      sum += f[at(dy) + i]!;
      products += f[at(dy) + i]! * normalized(i);
    }
    f[at(dbeta) + c] = sum;
    f[at(dgamma) + c] = products;
  }
}
