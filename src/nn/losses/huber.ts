/** Huber's loss (1964): squared near the target, absolute away from it. */
import { checkNoMore, checkNumber, checkOptions } from '../../validate';
import { checked, type LossKind, ON_VALUES } from './loss';

/** The description of Huber's loss. */
export interface HuberLoss {
  readonly kind: 'huber';
  /** |r| at which the loss changes from quadratic to linear, in [2^-126, ∞). @default 1 */
  readonly delta?: number;
}

/**
 * Describes Huber's loss: the mean over batch and outputs of ½r² for |r| ≤ delta and
 * delta·(|r| - ½·delta) beyond, where r is the output minus its target. Targets are finite.
 *
 * @param options.delta |r| at which the loss changes from quadratic to linear, in [2^-126, ∞);
 * smaller values have no gradient in float32. @default 1
 * @throws ArgumentError for other deltas
 * @example createModel(runtime, { inputSize: 8, layers: [dense(1)], loss: huber({ delta: 0.5 }) })
 */
export function huber(options?: { delta?: number }): HuberLoss;
export function huber(options: { delta?: number } = {}, ...extra: unknown[]): HuberLoss {
  checkNoMore('huber(options)', extra, 'it describes the loss; it takes no outputs or targets');
  checkOptions('options', options, ['delta']);
  return checked(kind, { kind: 'huber', ...options });
}

const kind: LossKind<HuberLoss> = {
  ...ON_VALUES,
  fields: ['delta'],
  check({ delta = 1 }, nameOf) {
    checkNumber(nameOf('delta'), delta, '[2^-126, ∞)', (value) => value >= 2 ** -126);
  },
  constants: () => [],
  compute: ({ delta = 1 }, kernels, { output, gradient, targets }, count, outputs) =>
    kernels.huber(gradient, output, targets, count * outputs, delta),
};

export default kind;
