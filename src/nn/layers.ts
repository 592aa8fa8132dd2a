/** Layer descriptions: plain data, so that a model can be written down, checked and rebuilt. */
import { checkInteger, checkOptions, fail } from '../validate';

/** y = x·Wᵀ + b, with W of shape [units, inputs] and b of shape [units]. */
export interface DenseLayer {
  readonly kind: 'dense';
  readonly units: number;
}

/** y = max(x, 0), element by element. */
export interface ReluLayer {
  readonly kind: 'relu';
}

export type Layer = DenseLayer | ReluLayer;

/** The most units that a layer may have. */
const MAX_UNITS = 2 ** 24;

/**
 * A fully connected layer.
 * @param units outputs a sample, an integer in [1, 2^24]
 */
export function dense(units: number): DenseLayer {
  return { kind: 'dense', units: checkInteger('units', units, 1, MAX_UNITS) };
}

/** The rectified linear unit. */
export function relu(): ReluLayer {
  return { kind: 'relu' };
}

/** Checks a list of layers; `argument` names it in errors. */
export function checkLayers(argument: string, layers: unknown): readonly Layer[] {
  if (!Array.isArray(layers) || layers.length === 0) fail(argument, 'at least one layer', layers);
  for (const [index, layer] of layers.entries()) {
    const path = `${argument}[${index}]`;
    if (layer?.kind === 'dense') {
      checkOptions(path, layer, ['kind', 'units']);
      checkInteger(`${path}.units`, layer.units, 1, MAX_UNITS);
    } else if (layer?.kind !== 'relu') {
      fail(path, 'dense(units) or relu()', layer);
    }
  }
  return layers as Layer[];
}
