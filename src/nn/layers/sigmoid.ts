/** Logistic function. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** The description of the logistic function: y = 1/(1 + e^-x). */
export interface SigmoidLayer {
  readonly kind: 'sigmoid';
}

/**
 * Describes the logistic function 1/(1 + e^-x), to 3 ulp, with the same bits everywhere; 0 below
 * -87.3. `binaryCrossEntropy` takes logits: it needs no sigmoid before it.
 * @example sequential([dense(64), sigmoid(), dense(10)])
 */
export function sigmoid(): SigmoidLayer;
export function sigmoid(...extra: unknown[]): SigmoidLayer {
  checkNoMore('sigmoid()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'sigmoid' };
}

const kind: LayerKind<SigmoidLayer> = activationKind(
  'sigmoid',
  'output',
  (kernels, y, x, n) => kernels.sigmoid(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.sigmoidGrad(dx, dy, kept, n),
);

export default kind;
