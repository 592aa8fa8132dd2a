/** Rectified linear unit. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** The description of the rectified linear unit: y = max(x, 0). */
export interface ReluLayer {
  readonly kind: 'relu';
}

/**
 * Describes the rectified linear unit: y = x for x ≥ 0, 0 below; NaN passes.
 * @example sequential([dense(64), relu(), dense(10)])
 */
export function relu(): ReluLayer;
export function relu(...extra: unknown[]): ReluLayer {
  checkNoMore('relu()', extra, 'for a slope below 0 use leakyRelu(slope)');
  return { kind: 'relu' };
}

const kind: LayerKind<ReluLayer> = activationKind(
  'relu',
  'output',
  (kernels, y, x, n) => kernels.relu(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.reluGrad(dx, dy, kept, n),
);

export default kind;
