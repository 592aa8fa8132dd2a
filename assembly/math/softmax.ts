/** The exponentials of a dense row of logits, and their sum. */
import { exp4 } from './exp';
import { loadPartial, storePartial } from './partial';

/** Returns the greatest x[j]. If there is a NaN, any element will do: the row's sum is NaN. */
export function rowMax(x: usize, cols: i32): f32 {
  if (cols < 4) {
    const first = load<f32>(x);
    const last = load<f32>(x + ((<usize>(cols - 1)) << 2));
    const larger = last > first ? last : first;
    if (cols < 3) return larger;
    const middle = load<f32>(x, 4);
    return middle > larger ? middle : larger;
  }
  // The last vector may overlap the one before.
  const end = x + ((<usize>(cols - 4)) << 2);
  let m = v128.load(end);
  for (; x < end; x += 16) m = f32x4.pmax(m, v128.load(x));
  m = f32x4.pmax(m, v128.shuffle<i64>(m, m, 1, 1));
  m = f32x4.pmax(m, v128.shuffle<i32>(m, m, 1, 1, 1, 1));
  return f32x4.extract_lane(m, 0);
}

/** Writes d[j] = e^(x[j] - largest); returns their sum over ascending j, in f64. d may be x. */
export function exponentials(d: usize, x: usize, largest: f32, cols: i32): f64 {
  const m = f32x4.splat(largest);
  let sum: f64 = 0;
  for (; cols >= 4; cols -= 4) {
    const e = exp4(f32x4.sub(v128.load(x), m));
    v128.store(d, e);
    sum += f32x4.extract_lane(e, 0);
    sum += f32x4.extract_lane(e, 1);
    sum += f32x4.extract_lane(e, 2);
    sum += f32x4.extract_lane(e, 3);
    d += 16;
    x += 16;
  }
  if (cols > 0) {
    const e = exp4(f32x4.sub(loadPartial(x, cols), m));
    storePartial(d, e, cols);
    sum += f32x4.extract_lane(e, 0);
    if (cols > 1) sum += f32x4.extract_lane(e, 1);
    if (cols > 2) sum += f32x4.extract_lane(e, 2);
  }
  return sum;
}

/** d[j] = d[j]·a */
export function scaleRow(d: usize, cols: i32, a: f32): void {
  const k = f32x4.splat(a);
  for (; cols >= 4; cols -= 4) {
    v128.store(d, f32x4.mul(v128.load(d), k));
    d += 16;
  }
  if (cols > 0) storePartial(d, f32x4.mul(loadPartial(d, cols), k), cols);
}
