/** Looks up the kinds of layers, and checks lists of layers. */
import { checkOptions, fail } from '../../validate';
import type { LayerKind, LayerSpec } from './layer';
import KINDS, { type Layer } from './list';

export type { Layer } from './list';

/** Returns the kind of a checked layer. */
export function kindOf(layer: Layer): LayerKind<LayerSpec> {
  return KINDS[layer.kind] as unknown as LayerKind<LayerSpec>;
}

/** Checks a list of layers; errors name it `argument`. */
export function checkLayers(argument: string, layers: unknown): readonly Layer[] {
  if (!Array.isArray(layers) || layers.length === 0) fail(argument, 'at least one layer', layers);
  for (const [index, layer] of layers.entries()) {
    const path = `${argument}[${index}]`;
    if (typeof layer === 'function') fail(path, 'a layer: call the function, as in relu()', layer);
    const kind = layer?.kind;
    if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
      fail(path, `a layer (${Object.keys(KINDS).join(', ')})`, layer);
    checkOptions(path, layer, ['kind', ...kindOf(layer).fields]);
    kindOf(layer).check(layer, (field) => `${path}.${field}`);
  }
  return layers as Layer[];
}

/**
 * Checks layers and returns them as one frozen list. Lists within the list are flattened, so that
 * functions can build blocks of layers.
 *
 * @throws ArgumentError naming the layer and field out of range
 * @example
 * const block = (filters: number) =>
 *   sequential([conv2d(filters, { kernelSize: 3, padding: 'same' }), relu(), maxPool2d(2)]);
 * const layers = sequential([block(16), block(32), flatten(), dense(10)]);
 */
export function sequential(layers: readonly (Layer | readonly Layer[])[]): readonly Layer[] {
  if (!Array.isArray(layers)) fail('layers', 'an array of layers', layers);
  return Object.freeze(checkLayers('layers', layers.flat()).slice());
}
