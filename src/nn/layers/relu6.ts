/** Rectified linear unit that ends at 6, as in MobileNet. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** The description of the rectified linear unit that ends at 6: y = min(max(x, 0), 6). */
export interface Relu6Layer {
  readonly kind: 'relu6';
}

/**
 * Describes the rectified linear unit that ends at 6: y = min(max(x, 0), 6); NaN passes. The
 * gradient is 0 at 0 and 6.
 * @example sequential([conv2d(8, { kernelSize: 3 }), batchNorm(), relu6(), flatten(), dense(10)])
 */
export function relu6(): Relu6Layer;
export function relu6(...extra: unknown[]): Relu6Layer {
  checkNoMore('relu6()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'relu6' };
}

const kind: LayerKind<Relu6Layer> = activationKind(
  'relu6',
  'output',
  (kernels, y, x, n) => kernels.relu6(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.relu6Grad(dx, dy, kept, n),
);

export default kind;
