/** Hyperbolic tangent. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** y = tanh x, element by element. */
export interface TanhLayer {
  readonly kind: 'tanh';
}

/**
 * The hyperbolic tangent, to 3 ulp, the same bits everywhere.
 * @example sequential([dense(64), tanh(), dense(10)])
 */
export function tanh(): TanhLayer;
export function tanh(...extra: unknown[]): TanhLayer {
  checkNoMore('tanh()', extra, 'it has no options, and takes its size from the layer before');
  return { kind: 'tanh' };
}

export const tanhKind: LayerKind<TanhLayer> = activationKind(
  'tanh',
  'output',
  (kernels, y, x, n) => kernels.tanh(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.tanhGrad(dx, dy, kept, n),
);
