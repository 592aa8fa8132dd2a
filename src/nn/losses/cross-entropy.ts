/** Softmax cross-entropy, for one class of several. */
import { checkChoice, checkInteger, checkNoMore, checkOptions } from '../../validate';
import { checkClassWeights, checkSmoothing } from './class-options';
import { checked, type LossKind } from './loss';

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /**
   * One weight per class, each in (0, 1e9] and above 0 in float32. The loss and gradient of a
   * sample are multiplied by the weight of its class. @default all 1
   */
  classWeights?: readonly number[];
  /**
   * Reduction of the weighted losses w·ℓ of n samples. 'mean': Σ w·ℓ / n, as in Keras.
   * 'weighted-mean': Σ w·ℓ / Σ w, as in PyTorch; weights then have no effect on a batch whose
   * samples all have one class, such as a batch of one. Without class weights both are the same.
   * @default 'mean'
   */
  reduction?: 'mean' | 'weighted-mean';
  /**
   * Share s of the target that is spread over all classes, in [0, 1): ℓ = (1 - s)·ℓ_class + s times
   * the mean over classes j of ℓ_j. Class weights multiply each ℓ_j by the weight of class j, as in
   * PyTorch; Keras multiplies all of ℓ by the weight of the sample's class.
   * @default 0
   */
  labelSmoothing?: number;
  /**
   * Label of positions that have no loss, no gradient and no weight, such as padding: an integer in
   * [-2^31, 2^31). They leave the mean's denominator and accuracies, too, as with PyTorch's
   * `ignore_index` and Keras's `ignore_class`. (Sample weights of 0, Keras's other way to ignore
   * samples, leave the denominator as it is.) A batch in which every label is ignored has loss 0.
   * @default none
   */
  ignoreLabel?: number;
}

/** The description of softmax cross-entropy. */
export interface CrossEntropyLoss extends Readonly<CrossEntropyOptions> {
  readonly kind: 'crossEntropy';
}

/**
 * Describes softmax cross-entropy over logits: the mean over samples of ℓ = log Σ_j e^(x_j) -
 * x_class, in nats.
 *
 * The classes are the last axis of the output. With further axes, such as [steps, classes], every
 * position has a label of its own, row-major, and the mean is over samples and positions.
 *
 * Training takes the mean over the batch, an accumulated step over all samples that it accumulates,
 * and `evaluate` over the whole set, so that the results of the latter two do not depend on the
 * batch size. Multiplying all class weights by a factor multiplies the loss and gradient by it
 * under 'mean', and changes nothing under 'weighted-mean'.
 *
 * @throws ArgumentError for options out of range
 * @example
 * const loss = crossEntropy({ classWeights: [1, 1, 5] });
 * const model = await createModel(runtime, { inputSize: 4, layers: [dense(3)], loss });
 */
export function crossEntropy(options?: CrossEntropyOptions): CrossEntropyLoss;
export function crossEntropy(
  options: CrossEntropyOptions = {},
  ...extra: unknown[]
): CrossEntropyLoss {
  checkNoMore(
    'crossEntropy(options)',
    extra,
    'it describes the loss; it takes no outputs or targets',
  );
  checkOptions('options', options, kind.fields);
  return checked(kind, { kind: 'crossEntropy', ...options });
}

const kind: LossKind<CrossEntropyLoss> = {
  targets: 'classes',
  lastAxis: true,
  fields: ['classWeights', 'reduction', 'labelSmoothing', 'ignoreLabel'],
  check({ classWeights, reduction = 'mean', labelSmoothing, ignoreLabel = 0 }, nameOf, outputs) {
    checkChoice(nameOf('reduction'), reduction, ['mean', 'weighted-mean']);
    checkClassWeights(nameOf('classWeights'), classWeights, outputs);
    checkSmoothing(nameOf('labelSmoothing'), labelSmoothing);
    checkInteger(nameOf('ignoreLabel'), ignoreLabel, -(2 ** 31), 2 ** 31 - 1);
  },
  accepts: (label, outputs, { ignoreLabel }) =>
    (Number.isInteger(label) && label >= 0 && label < outputs) || label === ignoreLabel,
  accepted: (outputs, { ignoreLabel }) =>
    `a class in [0, ${outputs - 1}]${ignoreLabel === undefined ? '' : ` or ${ignoreLabel}`}`,
  constants: ({ classWeights = [] }) => classWeights,
  compute(loss, kernels, arrays, count, outputs) {
    const { output, gradient, targets, constants } = arrays;
    const { labelSmoothing = 0 } = loss;
    const whole = kind.weigh(loss, kernels, arrays, count, outputs);
    const given = [gradient, output, targets, constants, count, outputs, whole] as const;
    return labelSmoothing > 0
      ? kernels.smoothCrossEntropy(...given, ignored(loss), labelSmoothing)
      : kernels.softmaxCrossEntropy(...given, ignored(loss));
  },
  weigh(loss, kernels, { targets, constants }, count, outputs) {
    const weighted = loss.classWeights !== undefined && loss.reduction === 'weighted-mean';
    if (!weighted && loss.ignoreLabel === undefined) return count;
    return kernels.labelWeight(targets, weighted ? constants : 0, count, outputs, ignored(loss));
  },
};

/** Returns the label that is ignored, as kernels take it: NaN for none. */
const ignored = ({ ignoreLabel = Number.NaN }: CrossEntropyLoss) => ignoreLabel;

export default kind;
