/** Rows of a table by index. */
import { ArgumentError } from '../../errors';
import { checkInteger, checkNoMore, describe } from '../../validate';
import { normal } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';

/** The description of an embedding: y[i] = table[x[i]], for integers x[i] in [0, rows). */
export interface EmbeddingLayer {
  readonly kind: 'embedding';
  /** Rows of the table (the size of the vocabulary), an integer in [1, 2^24]. */
  readonly rows: number;
  /** Floats per row, an integer in [1, 2^24]. */
  readonly dim: number;
}

/**
 * Describes an embedding: [steps] indices → [steps, dim]. It must be the first layer. An index is
 * an integer in [0, rows), stored in the features as float32; an index that names no row gives NaN.
 *
 * Parameter: `weight` [rows, dim], standard normal.
 *
 * @param rows rows of the table (the size of the vocabulary), an integer in [1, 2^24]
 * @param dim floats per row, an integer in [1, 2^24]
 * @throws ArgumentError for other sizes
 * @example sequential([embedding(96, 16), flatten(), dense(128), tanh(), dense(96)])
 */
export function embedding(rows: number, dim: number): EmbeddingLayer;
export function embedding(rows: number, dim: number, ...extra: unknown[]): EmbeddingLayer {
  checkNoMore('embedding(rows, dim)', extra, 'it has no options');
  return checked(kind, { kind: 'embedding', rows, dim });
}

const kind: LayerKind<EmbeddingLayer> = {
  kind: 'embedding',
  prefix: 'embedding',
  fields: ['rows', 'dim'],
  check({ rows, dim }, nameOf) {
    checkInteger(nameOf('rows'), rows, 1, MAX_UNITS);
    checkInteger(nameOf('dim'), dim, 1, MAX_UNITS);
  },
  plan({ rows, dim }, input, path, { index, readsInput }) {
    if (!readsInput)
      throw new ArgumentError(path, 'an embedding as the first layer only', `place ${index}`);
    if (input.length !== 1)
      throw new ArgumentError(path, 'a row of indices [steps]', describe(input));
    const [steps] = input;
    return {
      ...PLAIN,
      output: [steps, dim],
      parameters: [{ name: 'weight', shape: [rows, dim], initialise: normal }],
      backwardReads: { input: true, output: false },
      differentiable: false,
      forward({ x, y, weights }, { kernels, count }) {
        kernels.embedding(y, x, weights[0], count * steps, rows, dim);
      },
      backward({ x, dy, gradients }, { kernels, count }) {
        kernels.embeddingGrad(gradients[0], dy, x, count * steps, rows, dim);
      },
    };
  },
};

export default kind;
