/** Softmax cross-entropy, for one class of several. */
import { ArgumentError } from '../../errors';
import { checkChoice, checkNoMore, checkNumber, checkOptions, fail } from '../../validate';
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
}

/** The description of softmax cross-entropy. */
export interface CrossEntropyLoss extends Readonly<CrossEntropyOptions> {
  readonly kind: 'crossEntropy';
}

/**
 * Describes softmax cross-entropy over logits: the mean over samples of ℓ = log Σ_j e^(x_j) -
 * x_class, in nats.
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
  checkOptions('options', options, ['classWeights', 'reduction']);
  return checked(kind, { kind: 'crossEntropy', ...options });
}

const kind: LossKind<CrossEntropyLoss> = {
  targets: 'classes',
  fields: ['classWeights', 'reduction'],
  check({ classWeights, reduction = 'mean' }, nameOf, outputs) {
    checkChoice(nameOf('reduction'), reduction, ['mean', 'weighted-mean']);
    if (classWeights !== undefined) checkWeights(nameOf('classWeights'), classWeights, outputs);
  },
  accepts: (label, outputs) => Number.isInteger(label) && label >= 0 && label < outputs,
  accepted: (outputs) => `a class in [0, ${outputs - 1}]`,
  constants: ({ classWeights = [] }) => classWeights,
  compute(loss, kernels, arrays, count, outputs) {
    const { output, gradient, targets, constants } = arrays;
    const whole = kind.weigh(loss, kernels, arrays, count, outputs);
    return kernels.softmaxCrossEntropy(gradient, output, targets, constants, count, outputs, whole);
  },
  weigh({ classWeights, reduction }, kernels, { targets, constants }, count, outputs) {
    if (classWeights === undefined || reduction !== 'weighted-mean') return count;
    return kernels.labelWeight(targets, constants, count, outputs);
  },
};

function checkWeights(name: string, weights: unknown, outputs: number | undefined): void {
  if (!Array.isArray(weights)) fail(name, 'an array of positive numbers', weights);
  for (const [index, weight] of weights.entries()) {
    const element = `${name}[${index}]`;
    checkNumber(element, weight, '(0, 1e9]', (value) => value > 0 && value <= 1e9);
    if (Math.fround(weight) === 0)
      fail(element, 'a weight of at least 2^-149, the smallest float32', weight);
  }
  if (outputs !== undefined && weights.length !== outputs) {
    throw new ArgumentError(name, `${outputs} weights, one per class`, `${weights.length}`);
  }
}

export default kind;
