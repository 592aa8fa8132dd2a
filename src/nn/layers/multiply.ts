/** Products of values, as gates need them. */
import { checkNoMore } from '../../validate';
import type { LayerArrays, LayerKind, Pass } from './layer';
import { mergingKind } from './merging';

/** The description of a product by elements: y = x₁·x₂·… */
export interface MultiplyLayer {
  readonly kind: 'multiply';
}

/**
 * Describes the product, by elements, of two or more values of one shape, multiplied in their
 * order. It merges values, so it stands in a graph.
 *
 * @example const gated = apply(multiply(), [x, apply(sigmoid(), apply(dense(8), x))]);
 */
export function multiply(): MultiplyLayer;
export function multiply(...extra: unknown[]): MultiplyLayer {
  const hint = 'its values are the inputs of a node: apply(multiply(), [a, b])';
  checkNoMore('multiply()', extra, hint);
  return { kind: 'multiply' };
}

const kind: LayerKind<MultiplyLayer> = mergingKind('multiply', (size) => ({
  backwardReads: { input: true, output: false },
  inPlace: 'allowed',
  forward({ y, inputs }, { kernels, count }) {
    kernels.multiply(y, inputs[0], inputs[1], count * size);
    for (let k = 2; k < inputs.length; k++) kernels.multiply(y, y, inputs[k], count * size);
  },
  backward(arrays, pass) {
    for (let k = arrays.inputGradients.length - 1; k >= 0; k--)
      if (arrays.inputGradients[k] !== 0) gradient(arrays, pass, k, pass.count * size);
  },
}));

/** dx_k = dy times all inputs but the kth, in their order. */
function gradient(
  { dy, inputs, inputGradients }: LayerArrays,
  { kernels }: Pass,
  k: number,
  n: number,
): void {
  const dx = inputGradients[k];
  let product = dy;
  for (let other = 0; other < inputs.length; other++) {
    if (other === k) continue;
    kernels.multiply(dx, product, inputs[other], n);
    product = dx;
  }
}

export default kind;
