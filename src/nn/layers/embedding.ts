/** Rows of a table by index. */
import { ArgumentError } from '../../errors';
import type { Prng } from '../../math/prng';
import { checkInteger, checkNoMore, checkOptions, describe } from '../../validate';
import { checkInitializer, type Initializer, initializerFor } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';

/** The description of an embedding: y[i] = table[x[i]], for integers x[i] in [0, rows). */
export interface EmbeddingLayer extends Readonly<EmbeddingOptions> {
  readonly kind: 'embedding';
  /** Rows of the table (the size of the vocabulary), an integer in [1, 2^24]. */
  readonly rows: number;
  /** Floats per row, an integer in [1, 2^24]. */
  readonly dim: number;
}

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** Initial values of `weight`. @default { kind: 'normal', stddev: 1 } */
  embeddingsInitializer?: Initializer;
  /**
   * Row of an index that stands for padding, in [0, rows): it is zero at first and has no gradient.
   * @default none
   */
  paddingIndex?: number;
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * Describes an embedding: [steps] indices → [steps, dim]. It must be the first layer. An index is
 * an integer in [0, rows), stored in the features as float32; an index that names no row gives NaN.
 *
 * Parameter: `weight` [rows, dim], standard normal.
 *
 * @param rows rows of the table (the size of the vocabulary), an integer in [1, 2^24]
 * @param dim floats per row, an integer in [1, 2^24]
 * @throws ArgumentError for other sizes, and for options out of range
 * @example sequential([embedding(96, 16), flatten(), dense(128), tanh(), dense(96)])
 */
export function embedding(rows: number, dim: number, options?: EmbeddingOptions): EmbeddingLayer;
export function embedding(
  rows: number,
  dim: number,
  options: EmbeddingOptions = {},
  ...extra: unknown[]
): EmbeddingLayer {
  checkNoMore('embedding(rows, dim, options)', extra, 'the length is that of the input');
  checkOptions('options', options, ['embeddingsInitializer', 'paddingIndex', 'name']);
  return checked(kind, { kind: 'embedding', rows, dim, ...options });
}

const STANDARD_NORMAL: Initializer = { kind: 'normal', stddev: 1 };

const kind: LayerKind<EmbeddingLayer> = {
  kind: 'embedding',
  prefix: 'embedding',
  fields: ['rows', 'dim', 'embeddingsInitializer', 'paddingIndex'],
  check({ rows, dim, embeddingsInitializer = STANDARD_NORMAL, paddingIndex = 0 }, nameOf) {
    checkInteger(nameOf('rows'), rows, 1, MAX_UNITS);
    checkInteger(nameOf('dim'), dim, 1, MAX_UNITS);
    checkInitializer(nameOf('embeddingsInitializer'), embeddingsInitializer);
    checkInteger(nameOf('paddingIndex'), paddingIndex, 0, rows - 1);
  },
  plan(layer, input, path, { index, readsInput }) {
    const { rows, dim, embeddingsInitializer = STANDARD_NORMAL, paddingIndex = -1 } = layer;
    if (!readsInput)
      throw new ArgumentError(path, 'an embedding as the first layer only', `place ${index}`);
    if (input.length !== 1)
      throw new ArgumentError(path, 'a row of indices [steps]', describe(input));
    const [steps] = input;
    const shape = [rows, dim];
    const draw = initializerFor(embeddingsInitializer, { shape, fanIn: rows, fanOut: dim });
    const initialise = (values: Float32Array, prng: Prng) => {
      draw(values, prng);
      if (paddingIndex >= 0) values.fill(0, dim * paddingIndex, dim * (paddingIndex + 1));
    };
    return {
      ...PLAIN,
      output: [steps, dim],
      parameters: [{ name: 'weight', shape, initialise }],
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
