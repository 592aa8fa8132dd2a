/** Binary cross-entropy, on logits. */
import { checkNoMore } from '../../validate';
import { type LossKind, ON_VALUES } from './loss';

/** The description of binary cross-entropy. */
export interface BinaryCrossEntropyLoss {
  readonly kind: 'binaryCrossEntropy';
}

/**
 * Describes binary cross-entropy with logits: the mean over batch and outputs of max(x, 0) - x·t +
 * log(1 + e^-|x|), in nats. Targets t are probabilities in [0, 1]; other targets are refused,
 * because the loss would have no lower bound. The model's last layer returns logits x, without a
 * sigmoid. The loss is computed from the logits, so that its gradient never vanishes by rounding,
 * as it does beyond logits of about ±16 where Keras clips probabilities to [1e-7, 1 - 1e-7].
 *
 * @example createModel(runtime, { inputSize: 4, layers: [dense(1)], loss: binaryCrossEntropy() })
 */
export function binaryCrossEntropy(): BinaryCrossEntropyLoss;
export function binaryCrossEntropy(...extra: unknown[]): BinaryCrossEntropyLoss {
  checkNoMore(
    'binaryCrossEntropy()',
    extra,
    'it describes the loss; it takes no outputs or targets',
  );
  return { kind: 'binaryCrossEntropy' };
}

const kind: LossKind<BinaryCrossEntropyLoss> = {
  ...ON_VALUES,
  fields: [],
  check() {},
  accepts: (target) => target >= 0 && target <= 1,
  accepted: () => 'a probability in [0, 1]',
  constants: () => [],
  compute: (_loss, kernels, { output, gradient, targets }, count, outputs) =>
    kernels.binaryCrossEntropy(gradient, output, targets, count * outputs),
};

export default kind;
