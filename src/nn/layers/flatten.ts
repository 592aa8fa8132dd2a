/** A sample of any shape as one row. */

import { elementCount } from '../../math/shape';
import { checkNoMore } from '../../validate';
import { type LayerKind, PLAIN } from './layer';

export interface FlattenLayer {
  readonly kind: 'flatten';
}

/**
 * Makes one row of a sample: [height, width, channels] → [height·width·channels]. Nothing moves.
 * @example sequential([conv2d(8, { kernelSize: 3 }), relu(), flatten(), dense(10)])
 */
export function flatten(): FlattenLayer;
export function flatten(...extra: unknown[]): FlattenLayer {
  checkNoMore('flatten()', extra, 'it has no options, and takes its size from the layer before');
  return { kind: 'flatten' };
}

export const flattenKind: LayerKind<FlattenLayer> = {
  kind: 'flatten',
  prefix: 'flatten',
  fields: [],
  check() {},
  plan: (_layer, input) => ({
    ...PLAIN,
    output: [elementCount(input)],
    inPlace: 'view',
    forward() {},
    backward() {},
  }),
};
