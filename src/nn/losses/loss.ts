/**
 * The two forms of a loss: a description of plain data, and the kind that checks and computes it.
 */
import type { NNKernels } from '../../runtime/kernels-nn';

/** Byte addresses of a loss's arrays. */
export interface LossArrays {
  /** The model's output, count × outputs. */
  readonly output: number;
  /** The gradient by the output, which the loss writes. */
  readonly gradient: number;
  /** Classes as i32, one per position; or values as f32, one per output. */
  readonly targets: number;
  /** The loss's constants; 0 if it has none. */
  readonly constants: number;
}

/**
 * A kind of loss, which checks and computes descriptions. The `count` that it receives is one of
 * positions: samples, times the product of all axes but the last if the loss is on `lastAxis`; and
 * `outputs` are those of one position.
 */
export interface LossKind<L> {
  /** 'classes': one class index per position. 'values': as many floats as the model has outputs. */
  readonly targets: 'classes' | 'values';
  /** Whether the outputs along the last axis belong together, as classes do. */
  readonly lastAxis: boolean;
  /** Fields of the description besides `kind`. */
  readonly fields: readonly string[];
  /**
   * Checks the fields of a description; `nameOf` returns the name of a field in errors.
   * @throws ArgumentError for a field that is out of range or does not fit that many outputs
   */
  check(loss: L, nameOf: (field: string) => string, outputs?: number): void;
  /**
   * Returns whether the loss is defined for a class or value. `compute` returns NaN or Infinity for
   * targets that this refuses.
   */
  accepts(target: number, outputs: number, loss: L): boolean;
  /** Returns the range of accepted targets, for error messages. */
  accepted(outputs: number, loss: L): string;
  /** Returns the floats that `compute` reads in every pass. */
  constants(loss: L): readonly number[];
  /** Returns the mean loss of a batch, float64, and writes its gradient. */
  compute(loss: L, kernels: NNKernels, arrays: LossArrays, count: number, outputs: number): number;
  /** Returns the weight of the batch in a mean over several batches. */
  weigh(loss: L, kernels: NNKernels, arrays: LossArrays, count: number, outputs: number): number;
}

/** The fields that losses on values share: finite targets, and equal weights of samples. */
export const ON_VALUES = {
  targets: 'values',
  lastAxis: false,
  accepts: Number.isFinite as (target: number) => boolean,
  accepted: () => 'a finite number',
  weigh: (_loss: unknown, _kernels: NNKernels, _arrays: LossArrays, count: number) => count,
} as const;

/** Returns a description after its kind has checked it; errors name its fields alone. */
export function checked<L>(kind: LossKind<L>, loss: L): L {
  kind.check(loss, (field) => field);
  return loss;
}
