/** A small task with classes that overlap, so that training has something left to do. */
import { generator } from '../kernels/values';

/** Three clouds in four dimensions. */
export function clouds(
  count: number,
  seed: number,
): { features: Float32Array; labels: Int32Array } {
  const next = generator(seed);
  const labels = Int32Array.from({ length: count }, () => Math.floor(next() * 3));
  const features = Float32Array.from(
    { length: count * 4 },
    (_, i) => 1.5 * (next() - 0.5) + (labels[i >> 2] === (i & 3) ? 0.6 : 0),
  );
  return { features, labels };
}
