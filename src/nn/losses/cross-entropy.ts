/** Softmax with cross-entropy, for one class of several. */
import { ArgumentError } from '../../errors';
import { checkNoMore, checkNumber, checkOptions, fail } from '../../validate';
import type { LossKind } from './loss';

/** Mean of w·(log Σ e^x - x[class]) over Σ w, w being the class's weight. */
export interface CrossEntropyLoss {
  readonly kind: 'crossEntropy';
  readonly classWeights?: readonly number[];
}

/**
 * Softmax cross-entropy over logits, nats: the mean over the batch of log Σ_j e^(x_j) - x_class.
 *
 * @param options.classWeights one positive number a class: both loss and gradient become means weighted by it. @default all 1
 * @throws ArgumentError for weights that are not positive
 * @example createModel(runtime, { inputSize: 4, layers: [dense(3)], loss: crossEntropy({ classWeights: [1, 1, 5] }) })
 */
export function crossEntropy(options?: { classWeights?: readonly number[] }): CrossEntropyLoss;
export function crossEntropy(options: { classWeights?: readonly number[] } = {}, ...extra: unknown[]): CrossEntropyLoss {
  checkNoMore('crossEntropy(options)', extra, 'it describes the loss, and takes no outputs or targets');
  checkOptions('options', options, ['classWeights']);
  const loss: CrossEntropyLoss = { kind: 'crossEntropy', ...options };
  crossEntropyKind.check(loss, (field) => field);
  return loss;
}

export const crossEntropyKind: LossKind<CrossEntropyLoss> = {
  targets: 'classes',
  fields: ['classWeights'],
  check({ classWeights }, nameOf, outputs) {
    if (classWeights === undefined) return;
    const name = nameOf('classWeights');
    if (!Array.isArray(classWeights)) fail(name, 'an array of positive numbers', classWeights);
    for (const [index, weight] of classWeights.entries()) {
      checkNumber(`${name}[${index}]`, weight, '(0, 1e9]', (value) => value > 0 && value <= 1e9);
    }
    if (outputs !== undefined && classWeights.length !== outputs) {
      throw new ArgumentError(name, `${outputs} weights, one a class`, `${classWeights.length}`);
    }
  },
  constants: ({ classWeights = [] }) => classWeights,
  compute: (_loss, kernels, { output, gradient, targets, constants }, count, outputs) =>
    kernels.softmaxCrossEntropy(gradient, output, targets, constants, count, outputs),
};
