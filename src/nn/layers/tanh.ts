/** Hyperbolic tangent. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** The description of the hyperbolic tangent: y = tanh x. */
export interface TanhLayer {
  readonly kind: 'tanh';
}

/**
 * Describes the hyperbolic tangent, to 3 ulp, with the same bits everywhere.
 * @example sequential([dense(64), tanh(), dense(10)])
 */
export function tanh(): TanhLayer;
export function tanh(...extra: unknown[]): TanhLayer {
  checkNoMore('tanh()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'tanh' };
}

const kind: LayerKind<TanhLayer> = activationKind(
  'tanh',
  'output',
  (kernels, y, x, n) => kernels.tanh(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.tanhGrad(dx, dy, kept, n),
);

export default kind;
