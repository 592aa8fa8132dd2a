/** Sigmoid linear unit, also called swish. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** The description of the sigmoid linear unit: y = x/(1 + e^-x). */
export interface SiluLayer {
  readonly kind: 'silu';
}

/**
 * Describes the sigmoid linear unit (swish): y = x·σ(x).
 * @example sequential([dense(64), silu(), dense(10)])
 */
export function silu(): SiluLayer;
export function silu(...extra: unknown[]): SiluLayer {
  checkNoMore('silu()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'silu' };
}

const kind: LayerKind<SiluLayer> = activationKind(
  'silu',
  'input',
  (kernels, y, x, n) => kernels.silu(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.siluGrad(dx, dy, kept, n),
);

export default kind;
