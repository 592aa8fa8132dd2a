/** Flattening of a sample of any shape. */

import { elementCount } from '../../math/shape';
import { checkNoMore } from '../../validate';
import { type LayerKind, PLAIN } from './layer';

/** The description of flattening. */
export interface FlattenLayer {
  readonly kind: 'flatten';
}

/**
 * Describes flattening of each sample: [height, width, channels] → [height·width·channels]. It
 * copies nothing.
 * @example sequential([conv2d(8, { kernelSize: 3 }), relu(), flatten(), dense(10)])
 */
export function flatten(): FlattenLayer;
export function flatten(...extra: unknown[]): FlattenLayer {
  checkNoMore('flatten()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'flatten' };
}

const kind: LayerKind<FlattenLayer> = {
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

export default kind;
