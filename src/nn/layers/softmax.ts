/** Softmax over the last axis. */
import { checkNoMore } from '../../validate';
import { type LayerKind, PLAIN, positionsOf } from './layer';

/** The description of softmax: y = e^x/Σ e^x over the last axis. */
export interface SoftmaxLayer {
  readonly kind: 'softmax';
}

/**
 * Describes softmax over the last axis: y[j] = e^x[j]/Σ e^x. It makes probabilities within a model,
 * as for gates and attention. A classifier does not end with it: `crossEntropy` takes logits.
 * @example sequential([dense(8), softmax(), dense(2)])
 */
export function softmax(): SoftmaxLayer;
export function softmax(...extra: unknown[]): SoftmaxLayer {
  checkNoMore('softmax()', extra, 'it has no options; it works along the last axis');
  return { kind: 'softmax' };
}

const kind: LayerKind<SoftmaxLayer> = {
  kind: 'softmax',
  prefix: 'softmax',
  fields: [],
  check() {},
  plan(_layer, input) {
    const [positions, classes] = [positionsOf(input), input[input.length - 1]];
    return {
      ...PLAIN,
      output: input,
      backwardReads: { input: false, output: true },
      inPlace: 'allowed',
      forward({ x, y }, { kernels, count }) {
        kernels.softmax(y, x, count * positions, classes);
      },
      backward({ y, dx, dy }, { kernels, count }) {
        if (dx) kernels.softmaxGrad(dx, dy, y, count * positions, classes);
      },
    };
  },
};

export default kind;
