/** The mean of a loss over elements, and its gradient. */
import { at, type ReferenceMemory } from './memory';

/** Returns the mean of value(x, t) over n elements; writes d = slope(x, t)/n. */
export function elementLoss(
  memory: ReferenceMemory,
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
