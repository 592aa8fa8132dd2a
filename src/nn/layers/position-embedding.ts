/** Positions added to sequences. */

import { ArgumentError } from '../../errors';
import { cos, sin } from '../../math/cos';
import { exp } from '../../math/exp';
import { log } from '../../math/log';
import { elementCount } from '../../math/shape';
import { checkChoice, checkInteger, checkNoMore, checkOptions, describe } from '../../validate';
import { checkInitializer, type Initializer, initializerFor } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';

/** The description of positions: y[step] = x[step] + positions[step]. */
export interface PositionEmbeddingLayer extends Readonly<PositionEmbeddingOptions> {
  readonly kind: 'positionEmbedding';
}

/** Options of `positionEmbedding`. */
export interface PositionEmbeddingOptions {
  /** Whether positions are parameters, or a constant of sines and cosines. @default 'learnt' */
  encoding?: 'learnt' | 'sinusoidal';
  /**
   * Rows of the learnt table, an integer in [steps, 2^24]. A sequence reads the first of them.
   * @default the steps of the input
   */
  maxSteps?: number;
  /** Initial values of learnt positions. @default 'uniform', in ±0.05 */
  embeddingsInitializer?: Initializer;
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * Describes positions that are added to a sequence: [steps, features] → [steps, features].
 *
 * Learnt positions are a parameter, `weight` [maxSteps, features], uniform in ±0.05. Sinusoidal
 * positions (Vaswani et al. 2017) have sin(step/10000^(2i/features)) in feature 2i and the cosine
 * of the same angle in feature 2i + 1; they are computed in float64 and have the same bits on every
 * engine.
 *
 * @throws ArgumentError for options out of range
 * @example sequential([embedding(96, 32), positionEmbedding(), multiHeadAttention({ heads: 4 })])
 */
export function positionEmbedding(options?: PositionEmbeddingOptions): PositionEmbeddingLayer;
export function positionEmbedding(
  options: PositionEmbeddingOptions = {},
  ...extra: unknown[]
): PositionEmbeddingLayer {
  checkNoMore('positionEmbedding(options)', extra, 'its size is that of the layer before');
  checkOptions('options', options, ['encoding', 'maxSteps', 'embeddingsInitializer', 'name']);
  return checked(kind, { kind: 'positionEmbedding', ...options });
}

const kind: LayerKind<PositionEmbeddingLayer> = {
  kind: 'positionEmbedding',
  prefix: 'position',
  fields: ['encoding', 'maxSteps', 'embeddingsInitializer'],
  check({ encoding = 'learnt', maxSteps, embeddingsInitializer = 'uniform' }, nameOf) {
    checkInitializer(nameOf('embeddingsInitializer'), embeddingsInitializer);
    checkChoice(nameOf('encoding'), encoding, ['learnt', 'sinusoidal']);
    if (maxSteps === undefined) return;
    checkInteger(nameOf('maxSteps'), maxSteps, 1, MAX_UNITS);
    if (encoding === 'sinusoidal')
      throw new ArgumentError(nameOf('maxSteps'), 'learnt positions', "'sinusoidal'");
  },
  plan({ encoding = 'learnt', maxSteps, embeddingsInitializer = 'uniform' }, input, path) {
    if (input.length !== 2)
      throw new ArgumentError(path, 'a sequence [steps, features]', describe([...input]));
    const [steps, features] = input;
    const rows = maxSteps ?? steps;
    if (rows < steps) throw new ArgumentError(path, `at most ${rows} steps`, `${steps}`);
    const size = elementCount(input);
    const learnt = encoding === 'learnt';
    const shape = [rows, features];
    const fans = { shape, fanIn: rows, fanOut: features };
    const initialise = initializerFor(embeddingsInitializer, fans);
    return {
      ...PLAIN,
      output: input,
      parameters: learnt ? [{ name: 'weight', shape, initialise }] : [],
      inPlace: 'allowed',
      record: learnt ? null : sinusoids(steps, features),
      forward({ x, y, weights, record }, { kernels, count }) {
        if (y !== x) kernels.copy(y, x, count * size);
        kernels.biasAdd(y, learnt ? weights[0] : record, count, size);
      },
      backward({ dx, dy, gradients }, { kernels, count }) {
        if (learnt && gradients[0]) {
          kernels.fill(gradients[0], 0, rows * features);
          kernels.biasGrad(gradients[0], dy, count, size);
        }
        if (dx && dx !== dy) kernels.copy(dx, dy, count * size);
      },
    };
  },
};

/** Returns the positions of Vaswani et al. as floats. */
function sinusoids(steps: number, features: number): Float32Array {
  const positions = new Float32Array(steps * features);
  for (let c = 0; c < features; c++) {
    const frequency = exp((-2 * Math.floor(c / 2) * log(10000)) / features);
    const wave = c % 2 === 0 ? sin : cos;
    for (let step = 0; step < steps; step++)
      positions[step * features + c] = wave(step * frequency);
  }
  return positions;
}

export default kind;
