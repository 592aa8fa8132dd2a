/** Logistic function. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** y = 1/(1 + e^-x), element by element. */
export interface SigmoidLayer {
  readonly kind: 'sigmoid';
}

/**
 * The logistic function 1/(1 + e^-x), to 3 ulp, the same bits everywhere; 0 below -87.3. For a loss
 * on logits use `binaryCrossEntropy` without it.
 * @example sequential([dense(64), sigmoid(), dense(10)])
 */
export function sigmoid(): SigmoidLayer;
export function sigmoid(...extra: unknown[]): SigmoidLayer {
  checkNoMore('sigmoid()', extra, 'it has no options, and takes its size from the layer before');
  return { kind: 'sigmoid' };
}

export const sigmoidKind: LayerKind<SigmoidLayer> = activationKind(
  'sigmoid',
  'output',
  (kernels, y, x, n) => kernels.sigmoid(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.sigmoidGrad(dx, dy, kept, n),
);
