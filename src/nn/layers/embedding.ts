/** Rows of a table by index. */
import { ArgumentError } from '../../errors';
import type { Prng } from '../../math/prng';
import { checkInteger, checkNoMore, checkOptions, describe } from '../../validate';
import { normal } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';

/** The description of an embedding: y[i] = table[x[i]], for integers x[i] in [0, rows). */
export interface EmbeddingLayer {
  readonly kind: 'embedding';
  /** Rows of the table (the size of the vocabulary), an integer in [1, 2^24]. */
  readonly rows: number;
  /** Floats per row, an integer in [1, 2^24]. */
  readonly dim: number;
  /**
   * Row of an index that stands for padding, in [0, rows): it is zero at first and has no gradient.
   * @default none
   */
  readonly paddingIndex?: number;
}

/**
 * Describes an embedding: [steps] indices → [steps, dim]. It must be the first layer. An index is
 * an integer in [0, rows), stored in the features as float32; an index that names no row gives NaN.
 *
 * Parameter: `weight` [rows, dim], standard normal.
 *
 * @param rows rows of the table (the size of the vocabulary), an integer in [1, 2^24]
 * @param dim floats per row, an integer in [1, 2^24]
 * @param options.paddingIndex row of an index that stands for padding: it is zero at first and has
 * no gradient. @default none
 * @throws ArgumentError for other sizes
 * @example sequential([embedding(96, 16), flatten(), dense(128), tanh(), dense(96)])
 */
export function embedding(
  rows: number,
  dim: number,
  options?: { paddingIndex?: number },
): EmbeddingLayer;
export function embedding(
  rows: number,
  dim: number,
  options: { paddingIndex?: number } = {},
  ...extra: unknown[]
): EmbeddingLayer {
  checkNoMore('embedding(rows, dim, options)', extra, 'its options are { paddingIndex }');
  checkOptions('options', options, ['paddingIndex']);
  return checked(kind, { kind: 'embedding', rows, dim, ...options });
}

const kind: LayerKind<EmbeddingLayer> = {
  kind: 'embedding',
  prefix: 'embedding',
  fields: ['rows', 'dim', 'paddingIndex'],
  check({ rows, dim, paddingIndex = 0 }, nameOf) {
    checkInteger(nameOf('rows'), rows, 1, MAX_UNITS);
    checkInteger(nameOf('dim'), dim, 1, MAX_UNITS);
    checkInteger(nameOf('paddingIndex'), paddingIndex, 0, rows - 1);
  },
  plan({ rows, dim, paddingIndex = -1 }, input, path, { index, readsInput }) {
    if (!readsInput)
      throw new ArgumentError(path, 'an embedding as the first layer only', `place ${index}`);
    if (input.length !== 1)
      throw new ArgumentError(path, 'a row of indices [steps]', describe(input));
    const [steps] = input;
    const initialise = (values: Float32Array, prng: Prng) => {
      normal(values, prng);
      if (paddingIndex >= 0) values.fill(0, dim * paddingIndex, dim * (paddingIndex + 1));
    };
    return {
      ...PLAIN,
      output: [steps, dim],
      parameters: [{ name: 'weight', shape: [rows, dim], initialise }],
      backwardReads: { input: true, output: false },
      differentiable: false,
      forward({ x, y, weights }, { kernels, count }) {
        kernels.embedding(y, x, weights[0], count * steps, rows, dim);
      },
      backward({ x, dy, gradients }, { kernels, count }) {
        kernels.embeddingGrad(gradients[0], dy, x, count * steps, rows, dim, paddingIndex);
      },
    };
  },
};

export default kind;
