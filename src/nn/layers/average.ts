/** Means of values. */
import { checkNoMore } from '../../validate';
import type { LayerKind } from './layer';
import { mergingKind } from './merging';

/** The description of a mean of k values: y = (x₁ + … + x_k)/k. */
export interface AverageLayer {
  readonly kind: 'average';
}

/**
 * Describes the mean, by elements, of two or more values of one shape. It merges values, so it
 * stands in a graph.
 *
 * @example const mean = apply(average(), [apply(dense(4), x), apply(dense(4), x)]);
 */
export function average(): AverageLayer;
export function average(...extra: unknown[]): AverageLayer {
  checkNoMore('average()', extra, 'its values are the inputs of a node: apply(average(), [a, b])');
  return { kind: 'average' };
}

const kind: LayerKind<AverageLayer> = mergingKind('average', (size, inputCount) => ({
  inPlace: 'allowed',
  forward({ y, inputs }, { kernels, count }) {
    kernels.add(y, inputs[0], inputs[1], count * size);
    for (let k = 2; k < inputs.length; k++) kernels.add(y, y, inputs[k], count * size);
    kernels.scale(y, y, 1 / inputCount, count * size);
  },
  backward({ dy, inputGradients }, { kernels, count }) {
    for (let k = inputGradients.length - 1; k >= 0; k--)
      if (inputGradients[k] !== 0)
        kernels.scale(inputGradients[k], dy, 1 / inputCount, count * size);
  },
}));

export default kind;
