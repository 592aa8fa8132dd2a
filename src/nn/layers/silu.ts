/** Sigmoid linear unit, also called swish. */
import { checkNoMore } from '../../validate';
import { activationKind } from './activation';
import type { LayerKind } from './layer';

/** y = x/(1 + e^-x), element by element. */
export interface SiluLayer {
  readonly kind: 'silu';
}

/**
 * The sigmoid linear unit (swish): y = x·σ(x).
 * @example sequential([dense(64), silu(), dense(10)])
 */
export function silu(): SiluLayer;
export function silu(...extra: unknown[]): SiluLayer {
  checkNoMore('silu()', extra, 'it has no options, and takes its size from the layer before');
  return { kind: 'silu' };
}

export const siluKind: LayerKind<SiluLayer> = activationKind(
  'silu',
  'input',
  (kernels, y, x, n) => kernels.silu(y, x, n),
  (kernels, dx, dy, kept, n) => kernels.siluGrad(dx, dy, kept, n),
);
