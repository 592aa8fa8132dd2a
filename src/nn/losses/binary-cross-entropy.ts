/** Cross-entropy of independent yes-or-no outputs, on logits. */
import { checkNoMore } from '../../validate';
import type { LossKind } from './loss';

export interface BinaryCrossEntropyLoss {
  readonly kind: 'binaryCrossEntropy';
}

/**
 * Binary cross-entropy with logits: the mean over batch and outputs of max(x, 0) - x·t + log(1 + e^-|x|), nats, for targets t in
 * [0, 1]. The model's last layer gives logits: no sigmoid before it.
 * @example createModel(runtime, { inputSize: 4, layers: [dense(1)], loss: binaryCrossEntropy() })
 */
export function binaryCrossEntropy(): BinaryCrossEntropyLoss;
export function binaryCrossEntropy(...extra: unknown[]): BinaryCrossEntropyLoss {
  checkNoMore('binaryCrossEntropy()', extra, 'it describes the loss, and takes no outputs or targets');
  return { kind: 'binaryCrossEntropy' };
}

export const binaryCrossEntropyKind: LossKind<BinaryCrossEntropyLoss> = {
  targets: 'values',
  fields: [],
  check() {},
  constants: () => [],
  compute: (_loss, kernels, { output, gradient, targets }, count, outputs) =>
    kernels.binaryCrossEntropy(gradient, output, targets, count * outputs),
};
