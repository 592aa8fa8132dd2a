/** Rectified linear unit. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** y = max(x, 0), element by element. */
export interface ReluLayer {
  readonly kind: 'relu';
}

/**
 * The rectified linear unit: y = x for x ≥ 0, 0 below; NaN passes.
 * @example sequential([dense(64), relu(), dense(10)])
 */
export function relu(): ReluLayer;
export function relu(...extra: unknown[]): ReluLayer {
  checkNoMore('relu()', extra, 'for a slope below 0 use leakyRelu(slope)');
  return { kind: 'relu' };
}

export const reluKind: LayerKind<ReluLayer> = activationKind(
  'relu',
  'output',
  (kernels, y, x, n) => kernels.relu(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.reluGrad(dx, dy, kept, n),
);
