/** What the numbers of a tensor look like from afar. */
import { bf16ToF32, f16ToF32, type SafetensorsTensor } from '../checkpoint';

/** Norms in float64; NaN or Infinity where an element is. */
export interface TensorNorms {
  /** Σ|x| */
  readonly l1: number;
  /** √Σx² */
  readonly l2: number;
  /** max|x|; 0 for no elements. */
  readonly max: number;
  /** Elements that are NaN or infinite. */
  readonly nonFinite: number;
}

/** Of a tensor of any type; elements of U8 and I64 count as the whole numbers they are. */
export function normsOf(tensor: SafetensorsTensor): TensorNorms {
  const numbers = numbersOf(tensor);
  let l1 = 0;
  let max = 0;
  let nonFinite = 0;
  for (const element of numbers) {
    const x = Math.abs(Number(element));
    l1 += x;
    if (x > max || Number.isNaN(x)) max = x; // once NaN it stays
    if (!Number.isFinite(x)) nonFinite++;
  }
  return { l1, l2: euclidean(numbers, max), max, nonFinite };
}

/** Relative to the maximum, since squares of float64 numbers may overflow. */
function euclidean(numbers: Iterable<number | bigint>, max: number): number {
  if (max === 0 || !Number.isFinite(max)) return max;
  let squares = 0;
  for (const element of numbers) squares += (Number(element) / max) ** 2;
  return max * Math.sqrt(squares);
}

function numbersOf({ dtype, data }: SafetensorsTensor): Iterable<number | bigint> {
  if (dtype === 'BF16') return bf16ToF32(data);
  return dtype === 'F16' ? f16ToF32(data) : data;
}
