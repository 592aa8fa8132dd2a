/** Looks up the kinds of layers, and checks lists of layers. */
import { checkOptions, fail } from '../../validate';
import { checkLayerName, type LayerKind, type LayerSpec } from './layer';
import KINDS, { type Layer } from './list';

export { checkLayerName } from './layer';
export type { Layer } from './list';

/** Returns the kind of a checked layer. */
export function kindOf(layer: Layer): LayerKind<LayerSpec> {
  return KINDS[layer.kind] as unknown as LayerKind<LayerSpec>;
}

/**
 * Checks a layer, which errors name `path`.
 * @throws ArgumentError
 */
export function checkLayer(path: string, layer: unknown): Layer {
  if (typeof layer === 'function') fail(path, 'a layer: call the function, as in relu()', layer);
  const { kind, name } = (layer ?? {}) as Partial<Layer>;
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
    fail(path, `a layer (${Object.keys(KINDS).join(', ')})`, layer);
  const checked = layer as Layer;
  checkOptions(path, layer, ['kind', 'name', ...kindOf(checked).fields]);
  if (name !== undefined) checkLayerName(`${path}.name`, name);
  kindOf(checked).check(checked, (field) => `${path}.${field}`);
  return checked;
}

/** Checks a list of layers; errors name it `argument`. */
export function checkLayers(argument: string, layers: unknown): readonly Layer[] {
  if (!Array.isArray(layers) || layers.length === 0) fail(argument, 'at least one layer', layers);
  for (const [index, layer] of layers.entries()) checkLayer(`${argument}[${index}]`, layer);
  return layers as Layer[];
}

/**
 * Names a layer of a chain; its parameters are then `${name}.weight` and so on. In a graph the
 * nodes have the names.
 *
 * @param name 1 to 200 characters without "."; no two layers of a model may have the same
 * @throws ArgumentError for other names and values that are no layer
 * @example sequential([named('hidden', dense(64)), relu(), named('head', dense(10))])
 */
export function named<L extends Layer>(name: string, layer: L): L {
  checkLayerName('name', name);
  checkLayer('layer', layer);
  return { ...layer, name };
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
