/** Values side by side along their last axis. */
import { ArgumentError } from '../../errors';
import { checkNoMore, describe } from '../../validate';
import { type LayerKind, PLAIN, positionsOf, type Shape } from './layer';
import { checkInputs } from './merging';

/** The description of a concatenation along the last axis. */
export interface ConcatLayer {
  readonly kind: 'concat';
}

/**
 * Describes the concatenation of two or more values along their last axis (features or channels);
 * their other sizes are equal. It merges values, so it stands in a graph.
 *
 * @example const both = apply(concat(), [apply(flatten(), image), numbers]);
 */
export function concat(): ConcatLayer;
export function concat(...extra: unknown[]): ConcatLayer {
  checkNoMore('concat()', extra, 'its values are the inputs of a node: apply(concat(), [a, b])');
  return { kind: 'concat' };
}

const lastOf = (shape: Shape) => shape[shape.length - 1];

const kind: LayerKind<ConcatLayer> = {
  kind: 'concat',
  prefix: 'concat',
  fields: [],
  merges: true,
  check() {},
  plan(_layer, input, path, { inputs }) {
    checkInputs(path, inputs);
    const leading = input.slice(0, -1);
    const odd = inputs.find((shape) => shape.slice(0, -1).join() !== leading.join());
    if (odd) {
      const expected = `inputs whose shapes begin with ${describe([...leading])}`;
      throw new ArgumentError(path, expected, describe(odd));
    }
    const positions = positionsOf(input);
    const widths = inputs.map(lastOf);
    const width = widths.reduce((sum, each) => sum + each, 0);
    return {
      ...PLAIN,
      output: [...leading, width],
      forward({ y, inputs: xs }, { kernels, count }) {
        let at = y;
        for (let k = 0; k < xs.length; k++) {
          kernels.copyColumns(at, width, xs[k], widths[k], widths[k], count * positions);
          at += 4 * widths[k];
        }
      },
      backward({ dy, inputGradients }, { kernels, count }) {
        let at = dy;
        for (let k = 0; k < inputGradients.length; k++) {
          const [dx, columns] = [inputGradients[k], widths[k]];
          if (dx !== 0) kernels.copyColumns(dx, columns, at, width, columns, count * positions);
          at += 4 * columns;
        }
      },
    };
  },
};

export default kind;
