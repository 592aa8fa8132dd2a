/** Dropout (Srivastava et al. 2014), scaled in training so that evaluation needs no scaling. */
import { elementCount } from '../../math/shape';
import { checkNoMore, checkNumber } from '../../validate';
import { checked, type LayerArrays, type LayerKind, type Pass, PLAIN } from './layer';

/**
 * The description of dropout: in training y = 0 with probability `rate` and x/(1 - rate) otherwise;
 * in evaluation y = x.
 */
export interface DropoutLayer {
  readonly kind: 'dropout';
  /** Probability that an element is dropped, in [0, 1). */
  readonly rate: number;
}

/**
 * Describes dropout. The elements that are dropped depend only on the model's seed, the layer's
 * place, the number of the training pass and the element's index. So they are the same on every
 * backend and thread count, and after training is resumed.
 *
 * @param rate probability that an element is dropped, in [0, 1)
 * @throws ArgumentError for other rates
 * @example sequential([dense(128), relu(), dropout(0.5), dense(10)])
 */
export function dropout(rate: number): DropoutLayer;
export function dropout(rate: number, ...extra: unknown[]): DropoutLayer {
  checkNoMore('dropout(rate)', extra, 'the seed is an option of createModel');
  return checked(kind, { kind: 'dropout', rate });
}

const kind: LayerKind<DropoutLayer> = {
  kind: 'dropout',
  prefix: 'dropout',
  fields: ['rate'],
  check({ rate }, nameOf) {
    checkNumber(nameOf('rate'), rate, '[0, 1)', (value) => value >= 0 && value < 1);
  },
  plan({ rate }, input, _path, { index }) {
    const size = elementCount(input);
    const threshold = Math.floor(rate * 2 ** 32);
    const drop = (out: number, x: number, { kernels, count, key, step }: Pass) =>
      kernels.dropout(out, x, count * size, threshold, 1 / (1 - rate), key[0], key[1], index, step);
    return {
      ...PLAIN,
      output: input,
      inPlace: 'allowed',
      forward({ x, y }: LayerArrays, pass) {
        if (pass.training) drop(y, x, pass);
        else if (y !== x) pass.kernels.copy(y, x, pass.count * size);
      },
      backward({ dx, dy }, pass) {
        if (dx && pass.training) drop(dx, dy, pass);
        else if (dx && dx !== dy) pass.kernels.copy(dx, dy, pass.count * size);
      },
    };
  },
};

export default kind;
