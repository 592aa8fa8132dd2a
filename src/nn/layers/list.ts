/**
 * The list of layers: the one place that names them all. A new layer is a file in this folder and,
 * here, its import, its export, its place in `Layer` and its kind.
 *
 * A layer's file exports its function and its types by name, and its kind by default: `export *`
 * publishes the names and leaves the kind inside.
 */
import add, { type AddLayer } from './add';
import average, { type AverageLayer } from './average';
import avgPool2d, { type AvgPool2dLayer } from './avg-pool2d';
import batchNorm, { type BatchNormLayer } from './batch-norm';
import concat, { type ConcatLayer } from './concat';
import conv2d, { type Conv2dLayer } from './conv2d';
import dense, { type DenseLayer } from './dense';
import dropout, { type DropoutLayer } from './dropout';
import embedding, { type EmbeddingLayer } from './embedding';
import flatten, { type FlattenLayer } from './flatten';
import globalAvgPool, { type GlobalAvgPoolLayer } from './global-avg-pool';
import type { LayerKind } from './layer';
import layerNorm, { type LayerNormLayer } from './layer-norm';
import leakyRelu, { type LeakyReluLayer } from './leaky-relu';
import maxPool2d, { type MaxPool2dLayer } from './max-pool2d';
import multiHeadAttention, { type MultiHeadAttentionLayer } from './multi-head-attention';
import multiply, { type MultiplyLayer } from './multiply';
import positionEmbedding, { type PositionEmbeddingLayer } from './position-embedding';
import relu, { type ReluLayer } from './relu';
import sigmoid, { type SigmoidLayer } from './sigmoid';
import silu, { type SiluLayer } from './silu';
import tanh, { type TanhLayer } from './tanh';

export * from './add';
export * from './average';
export * from './avg-pool2d';
export * from './batch-norm';
export * from './concat';
export * from './conv2d';
export * from './dense';
export * from './dropout';
export * from './embedding';
export * from './flatten';
export * from './global-avg-pool';
export * from './layer-norm';
export * from './leaky-relu';
export * from './max-pool2d';
export * from './multi-head-attention';
export * from './multiply';
export * from './position-embedding';
export * from './relu';
export * from './sigmoid';
export * from './silu';
export * from './tanh';

/** The description of a layer of any kind. */
export type Layer = (
  | AddLayer
  | AverageLayer
  | AvgPool2dLayer
  | BatchNormLayer
  | ConcatLayer
  | Conv2dLayer
  | DenseLayer
  | DropoutLayer
  | EmbeddingLayer
  | FlattenLayer
  | GlobalAvgPoolLayer
  | LayerNormLayer
  | LeakyReluLayer
  | MaxPool2dLayer
  | MultiHeadAttentionLayer
  | MultiplyLayer
  | PositionEmbeddingLayer
  | ReluLayer
  | SigmoidLayer
  | SiluLayer
  | TanhLayer
) & { readonly name?: string };

/** The kind of every layer; TypeScript refuses a table that lacks one. */
const KINDS: { readonly [Name in Layer['kind']]: LayerKind<Extract<Layer, { kind: Name }>> } = {
  add,
  average,
  avgPool2d,
  batchNorm,
  concat,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  globalAvgPool,
  layerNorm,
  leakyRelu,
  maxPool2d,
  multiHeadAttention,
  multiply,
  positionEmbedding,
  relu,
  sigmoid,
  silu,
  tanh,
};

export default KINDS;
