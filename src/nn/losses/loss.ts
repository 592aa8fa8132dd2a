/** What a loss is: plain data, with a kind that knows how to compute it. */
import type { NNKernels } from '../../runtime/kernels-nn';

/** Byte addresses of what a loss works on. */
export interface LossArrays {
  /** The model's output, count × outputs. */
  readonly output: number;
  /** Where the gradient by the output goes. */
  readonly gradient: number;
  /** Classes as i32, one a sample; or values as f32, one an output. */
  readonly targets: number;
  /** The kind's constants, or 0. */
  readonly constants: number;
}

export interface LossKind<L> {
  /** 'classes': one class index a sample. 'values': as many floats as the model has outputs. */
  readonly targets: 'classes' | 'values';
  /** Fields of the description besides `kind`. */
  readonly fields: readonly string[];
  /**
   * @throws ArgumentError for a description that is out of range or does not fit a model with so
   * many outputs
   */
  check(loss: L, nameOf: (field: string) => string, outputs?: number): void;
  /**
   * Whether the loss is defined for a class or value. `compute` returns NaN or Infinity for those
   * that it refuses.
   */
  accepts(target: number, outputs: number): boolean;
  /** What `accepts` takes, for error messages. */
  accepted(outputs: number): string;
  /** Floats that `compute` needs, the same in every pass. */
  constants(loss: L): readonly number[];
  /** The mean loss of a batch, float64, and its gradient. */
  compute(loss: L, kernels: NNKernels, arrays: LossArrays, count: number, outputs: number): number;
  /** What the batch counts in a mean over several batches. */
  weigh(loss: L, kernels: NNKernels, arrays: LossArrays, count: number, outputs: number): number;
}

/** What losses on values have in common: finite targets, and every sample counts the same. */
export const ON_VALUES = {
  targets: 'values',
  accepts: Number.isFinite as (target: number) => boolean,
  accepted: () => 'a finite number',
  weigh: (_loss: unknown, _kernels: NNKernels, _arrays: LossArrays, count: number) => count,
} as const;
