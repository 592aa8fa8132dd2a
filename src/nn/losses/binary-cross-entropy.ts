/** Binary cross-entropy, on logits. */
import { checkNoMore, checkOptions } from '../../validate';
import { checkClassWeights, checkWeight } from './class-options';
import { checked, type LossKind, ON_VALUES } from './loss';

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions {
  /**
   * Weight p of the positive case, for all outputs or one per output, each in (0, 1e9] and above 0
   * in float32: ℓ = p·t·log(1 + e^-x) + (1 - t)·log(1 + e^x). PyTorch's `pos_weight`.
   * @default 1
   */
  posWeight?: number | readonly number[];
}

/** The description of binary cross-entropy. */
export interface BinaryCrossEntropyLoss extends Readonly<BinaryCrossEntropyOptions> {
  readonly kind: 'binaryCrossEntropy';
}

/**
 * Describes binary cross-entropy with logits: the mean over batch and outputs of max(x, 0) - x·t +
 * log(1 + e^-|x|), in nats. Targets t are probabilities in [0, 1]; other targets are refused,
 * because the loss would have no lower bound. The model's last layer returns logits x, without a
 * sigmoid. The loss is computed from the logits, so that its gradient never vanishes by rounding,
 * as it does beyond logits of about ±16 where Keras clips probabilities to [1e-7, 1 - 1e-7].
 *
 * @throws ArgumentError for options out of range
 * @example createModel(runtime, { inputSize: 4, layers: [dense(1)], loss: binaryCrossEntropy() })
 */
export function binaryCrossEntropy(options?: BinaryCrossEntropyOptions): BinaryCrossEntropyLoss;
export function binaryCrossEntropy(
  options: BinaryCrossEntropyOptions = {},
  ...extra: unknown[]
): BinaryCrossEntropyLoss {
  checkNoMore(
    'binaryCrossEntropy(options)',
    extra,
    'it describes the loss; it takes no outputs or targets',
  );
  checkOptions('options', options, ['posWeight']);
  return checked(kind, { kind: 'binaryCrossEntropy', ...options });
}

const kind: LossKind<BinaryCrossEntropyLoss> = {
  ...ON_VALUES,
  fields: ['posWeight'],
  check({ posWeight }, nameOf, outputs) {
    if (typeof posWeight === 'number') checkWeight(nameOf('posWeight'), posWeight);
    else checkClassWeights(nameOf('posWeight'), posWeight, outputs, 'output');
  },
  accepts: (target) => target >= 0 && target <= 1,
  accepted: () => 'a probability in [0, 1]',
  constants: ({ posWeight = [] }) => (typeof posWeight === 'number' ? [posWeight] : posWeight),
  compute({ posWeight }, kernels, arrays, count, outputs) {
    const { output, gradient, targets, constants } = arrays;
    const n = count * outputs;
    if (posWeight === undefined) return kernels.binaryCrossEntropy(gradient, output, targets, n);
    const columns = typeof posWeight === 'number' ? 1 : outputs;
    return kernels.weightedBinaryCrossEntropy(
      gradient,
      output,
      targets,
      constants,
      n / columns,
      columns,
    );
  },
};

export default kind;
