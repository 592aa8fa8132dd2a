/** Softmax cross-entropy against probabilities. */
import { checkNoMore, checkOptions } from '../../validate';
import { checkClassWeights, checkSmoothing } from './class-options';
import { checked, type LossKind, ON_VALUES } from './loss';

/** Options of `categoricalCrossEntropy`. */
export interface CategoricalCrossEntropyOptions {
  /**
   * One weight per class, each in (0, 1e9] and above 0 in float32, by which the class's part of the
   * loss is multiplied. The mean is Σ w·ℓ / n. @default all 1
   */
  classWeights?: readonly number[];
  /**
   * Share s of the target that is spread over all classes: (1 - s)·t + s/classes, in [0, 1).
   * @default 0
   */
  labelSmoothing?: number;
}

/** The description of softmax cross-entropy against probabilities. */
export interface CategoricalCrossEntropyLoss extends Readonly<CategoricalCrossEntropyOptions> {
  readonly kind: 'categoricalCrossEntropy';
}

/**
 * Describes softmax cross-entropy over logits x against probabilities t of the classes: the mean
 * over samples of Σ_j t_j·(log Σ_k e^(x_k) - x_j), in nats. Targets are in [0, 1]; those of a sample
 * usually have the sum 1, which is not checked. For one class per sample, `crossEntropy` takes its
 * index.
 *
 * The classes are the last axis of the output. With further axes, such as [steps, classes], every
 * position has probabilities of its own, and the mean is over samples and positions.
 *
 * @throws ArgumentError for options out of range
 * @example
 * const loss = categoricalCrossEntropy({ labelSmoothing: 0.1 });
 * const model = await createModel(runtime, { inputSize: 4, layers: [dense(3)], loss });
 */
export function categoricalCrossEntropy(
  options?: CategoricalCrossEntropyOptions,
): CategoricalCrossEntropyLoss;
export function categoricalCrossEntropy(
  options: CategoricalCrossEntropyOptions = {},
  ...extra: unknown[]
): CategoricalCrossEntropyLoss {
  checkNoMore(
    'categoricalCrossEntropy(options)',
    extra,
    'it describes the loss; it takes no outputs or targets',
  );
  checkOptions('options', options, ['classWeights', 'labelSmoothing']);
  return checked(kind, { kind: 'categoricalCrossEntropy', ...options });
}

const kind: LossKind<CategoricalCrossEntropyLoss> = {
  ...ON_VALUES,
  lastAxis: true,
  fields: ['classWeights', 'labelSmoothing'],
  check({ classWeights, labelSmoothing }, nameOf, outputs) {
    checkClassWeights(nameOf('classWeights'), classWeights, outputs);
    checkSmoothing(nameOf('labelSmoothing'), labelSmoothing);
  },
  accepts: (target) => target >= 0 && target <= 1,
  accepted: () => 'a probability in [0, 1]',
  constants: ({ classWeights = [] }) => classWeights,
  compute({ labelSmoothing = 0 }, kernels, arrays, count, outputs) {
    const { output, gradient, targets, constants } = arrays;
    // biome-ignore format: arrays, sizes
    return kernels.categoricalCrossEntropy(
      gradient, output, targets, constants, count, outputs, labelSmoothing,
    );
  },
};

export default kind;
