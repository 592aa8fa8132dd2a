/** A sample's values in another shape. */
import { ArgumentError } from '../../errors';
import { elementCount } from '../../math/shape';
import { checkInteger, checkNoMore, describe, fail } from '../../validate';
import { checked, type LayerKind, MAX_UNITS, PLAIN, type Shape } from './layer';

/** The description of reshaping. */
export interface ReshapeLayer {
  readonly kind: 'reshape';
  /** Shape of a sample's output: 1 to 3 sizes in [1, 2^24], of which one may be -1. */
  readonly shape: Shape;
}

/**
 * Describes reshaping of each sample: the same values in the same order, [12] → [2, 3, 2]. It
 * copies nothing.
 *
 * @param shape 1 to 3 sizes in [1, 2^24]; one of them may be -1, for what remains
 * @throws ArgumentError for other shapes
 * @example sequential([dense(48), reshape([4, 4, 3]), conv2d(8, { kernelSize: 3 })])
 */
export function reshape(shape: Shape): ReshapeLayer;
export function reshape(shape: Shape, ...extra: unknown[]): ReshapeLayer {
  checkNoMore('reshape(shape)', extra, 'the sizes are one array: reshape([4, 4, 3])');
  const layer = checked<ReshapeLayer>(kind, { kind: 'reshape', shape });
  return { ...layer, shape: [...shape] };
}

const kind: LayerKind<ReshapeLayer> = {
  kind: 'reshape',
  prefix: 'reshape',
  fields: ['shape'],
  check({ shape }, nameOf) {
    if (!Array.isArray(shape) || shape.length < 1 || shape.length > 3)
      fail(nameOf('shape'), 'an array of 1 to 3 sizes', shape);
    const open = shape.indexOf(-1);
    for (const [index, size] of shape.entries())
      if (index !== open) checkInteger(`${nameOf('shape')}[${index}]`, size, 1, MAX_UNITS);
  },
  plan({ shape }, input, path) {
    const [size, given] = [elementCount(input), Math.abs(elementCount(shape))];
    const output = shape.map((each) => (each === -1 ? size / given : each));
    if (elementCount(output) !== size || output.some((each) => !Number.isInteger(each))) {
      const number = shape.includes(-1) ? `a multiple of ${given}` : given;
      throw new ArgumentError(path, `an input of ${number} elements`, describe([...input]));
    }
    return { ...PLAIN, output, inPlace: 'view', forward() {}, backward() {} };
  },
};

export default kind;
