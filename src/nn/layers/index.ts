/**
 * All kinds of layers, and lists of layers. A new kind is a file here and two lines in this one.
 */

import { checkOptions, fail } from '../../validate';
import { type AvgPool2dLayer, avgPool2dKind } from './avg-pool2d';
import { type BatchNormLayer, batchNormKind } from './batch-norm';
import { type Conv2dLayer, conv2dKind } from './conv2d';
import { type DenseLayer, denseKind } from './dense';
import { type DropoutLayer, dropoutKind } from './dropout';
import { type EmbeddingLayer, embeddingKind } from './embedding';
import { type FlattenLayer, flattenKind } from './flatten';
import { type GlobalAvgPoolLayer, globalAvgPoolKind } from './global-avg-pool';
import type { LayerKind, LayerSpec } from './layer';
import { type LayerNormLayer, layerNormKind } from './layer-norm';
import { type LeakyReluLayer, leakyReluKind } from './leaky-relu';
import { type MaxPool2dLayer, maxPool2dKind } from './max-pool2d';
import { type ReluLayer, reluKind } from './relu';
import { type SigmoidLayer, sigmoidKind } from './sigmoid';
import { type SiluLayer, siluKind } from './silu';
import { type TanhLayer, tanhKind } from './tanh';

export type Layer =
  | AvgPool2dLayer
  | BatchNormLayer
  | Conv2dLayer
  | DenseLayer
  | DropoutLayer
  | EmbeddingLayer
  | FlattenLayer
  | GlobalAvgPoolLayer
  | LayerNormLayer
  | LeakyReluLayer
  | MaxPool2dLayer
  | ReluLayer
  | SigmoidLayer
  | SiluLayer
  | TanhLayer;

const KINDS: Readonly<Record<string, { readonly kind: string }>> = Object.fromEntries(
  [
    avgPool2dKind,
    batchNormKind,
    conv2dKind,
    denseKind,
    dropoutKind,
    embeddingKind,
    flattenKind,
    globalAvgPoolKind,
    layerNormKind,
    leakyReluKind,
    maxPool2dKind,
    reluKind,
    sigmoidKind,
    siluKind,
    tanhKind,
  ].map((kind) => [kind.kind, kind]),
);

/** The kind of a checked layer. */
export function kindOf(layer: Layer): LayerKind<LayerSpec> {
  return KINDS[layer.kind] as unknown as LayerKind<LayerSpec>;
}

/** Checks a list of layers; `argument` names it in errors. */
export function checkLayers(argument: string, layers: unknown): readonly Layer[] {
  if (!Array.isArray(layers) || layers.length === 0) fail(argument, 'at least one layer', layers);
  for (const [index, layer] of layers.entries()) {
    const path = `${argument}[${index}]`;
    if (typeof layer === 'function')
      fail(path, 'a layer: call the function that makes it, as in relu()', layer);
    const kind = layer?.kind;
    if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
      fail(path, `a layer (${Object.keys(KINDS).join(', ')})`, layer);
    checkOptions(path, layer, ['kind', ...kindOf(layer).fields]);
    kindOf(layer).check(layer, (field) => `${path}.${field}`);
  }
  return layers as Layer[];
}

/**
 * Layers one after another, checked; lists within the list are taken apart, so that blocks can be
 * made by functions.
 *
 * @throws ArgumentError naming the layer and field out of range
 * @example
 * const block = (filters) => sequential([conv2d(filters, { kernelSize: 3, padding: 'same' }),
 * relu(), maxPool2d(2)]); const layers = sequential([block(16), block(32), flatten(), dense(10)]);
 */
export function sequential(layers: readonly (Layer | readonly Layer[])[]): readonly Layer[] {
  if (!Array.isArray(layers)) fail('layers', 'an array of layers', layers);
  return Object.freeze(checkLayers('layers', layers.flat()).slice());
}
