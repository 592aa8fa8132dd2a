/** The embedded handwritten digits, which scripts/make-digits.js packs. */
import type { Dataset } from './dataset';
import { LABELS, PIXELS } from './digits-data';

const FEATURES = 64;

/**
 * Returns 1,797 handwritten digits in 10 classes, images of 8 × 8 pixels in [0, 1]. (Each pixel is
 * the number of inked points in a field of 4 × 4, divided by 16.) The examples are in the order of
 * the source.
 *
 * @returns a new dataset in each call, 0.5 MB
 * @example
 * const { train, test } = trainTestSplit(loadDigits(), { seed: 1 });
 * @see E. Alpaydin and C. Kaynak 1998, UCI Machine Learning Repository,
 * https://doi.org/10.24432/C50P49 (CC BY 4.0)
 */
export function loadDigits(): Dataset {
  const count = LABELS.length;
  const features = new Float32Array(count * FEATURES);
  for (let i = 0; i < features.length; i += 3) {
    const at = (i / 3) * 2;
    const triple = digitAt(at) * 71 + digitAt(at + 1);
    features[i] = Math.floor(triple / 289) / 16;
    features[i + 1] = (Math.floor(triple / 17) % 17) / 16;
    features[i + 2] = (triple % 17) / 16;
  }
  const labels = Int32Array.from(LABELS, Number);
  const classNames = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
  return {
    name: 'digits',
    features,
    labels,
    count,
    featureCount: FEATURES,
    shape: [8, 8, 1],
    classCount: 10,
    classNames,
  };
}

/** A digit in base 71: '(' is 0, and the backslash (92) is left out. */
function digitAt(index: number): number {
  const code = PIXELS.charCodeAt(index);
  return code < 92 ? code - 40 : code - 41;
}
