/** Counts of correct predictions. */

/** Returns the number of rows whose label, other than `ignore`, is their first greatest logit. */
// biome-ignore format: one line a role
export function predictedMatches(
  logits: usize, labels: usize, rows: i32, cols: i32, ignore: f64,
): i32 {
  let matches = 0;
  for (let r = 0; r < rows; ++r) {
    const predicted = firstGreatest(logits, cols);
    const label = load<i32>(labels + ((<usize>r) << 2));
    if (predicted >= 0 && predicted === label && <f64>label !== ignore) ++matches;
    logits += (<usize>cols) << 2;
  }
  return matches;
}

/** Returns the index of the first greatest of `cols` ≥ 1 elements; -1 if any of them is NaN. */
function firstGreatest(x: usize, cols: i32): i32 {
  let best = 0;
  let greatest: f32 = -Infinity;
  for (let j = 0; j < cols; ++j) {
    const value = load<f32>(x);
    if (F32.isNaN(value)) return -1;
    if (value > greatest) {
      greatest = value;
      best = j;
    }
    x += 4;
  }
  return best;
}
