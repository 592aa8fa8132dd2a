/** Sums of values, as residual connections need them. */
import { checkNoMore } from '../../validate';
import type { LayerKind } from './layer';
import { mergingKind } from './merging';

/** The description of a sum: y = x₁ + x₂ + … */
export interface AddLayer {
  readonly kind: 'add';
}

/**
 * Describes the sum of two or more values of one shape, added in their order. It merges values, so
 * it stands in a graph.
 *
 * @example
 * const x = input('x', 8);
 * const sum = apply(add(), [x, apply(dense(8), x)]);
 * const logits = apply(dense(2), sum);
 * const model = await createModel(runtime, { ...graph([logits]), batchSize: 16 });
 */
export function add(): AddLayer;
export function add(...extra: unknown[]): AddLayer {
  checkNoMore('add()', extra, 'its values are the inputs of a node: apply(add(), [a, b])');
  return { kind: 'add' };
}

const kind: LayerKind<AddLayer> = mergingKind('add', (size) => ({
  inPlace: 'allowed',
  forward({ y, inputs }, { kernels, count }) {
    kernels.add(y, inputs[0], inputs[1], count * size);
    for (let k = 2; k < inputs.length; k++) kernels.add(y, y, inputs[k], count * size);
  },
  backward({ dy, inputGradients }, { kernels, count }) {
    for (let k = inputGradients.length - 1; k >= 0; k--) {
      const dx = inputGradients[k];
      if (dx !== 0 && dx !== dy) kernels.copy(dx, dy, count * size);
    }
  },
}));

export default kind;
