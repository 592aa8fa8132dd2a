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
import bidirectional, { type BidirectionalLayer } from './bidirectional';
import concat, { type ConcatLayer } from './concat';
import conv2d, { type Conv2dLayer } from './conv2d';
import dense, { type DenseLayer } from './dense';
import dropout, { type DropoutLayer } from './dropout';
import elu, { type EluLayer } from './elu';
import embedding, { type EmbeddingLayer } from './embedding';
import flatten, { type FlattenLayer } from './flatten';
import gelu, { type GeluLayer } from './gelu';
import globalAvgPool, { type GlobalAvgPoolLayer } from './global-avg-pool';
import gru, { type GruLayer } from './gru';
import type { LayerKind } from './layer';
import layerNorm, { type LayerNormLayer } from './layer-norm';
import leakyRelu, { type LeakyReluLayer } from './leaky-relu';
import lstm, { type LstmLayer } from './lstm';
import maxPool2d, { type MaxPool2dLayer } from './max-pool2d';
import maxout, { type MaxoutLayer } from './maxout';
import multiHeadAttention, { type MultiHeadAttentionLayer } from './multi-head-attention';
import multiply, { type MultiplyLayer } from './multiply';
import positionEmbedding, { type PositionEmbeddingLayer } from './position-embedding';
import relu, { type ReluLayer } from './relu';
import relu6, { type Relu6Layer } from './relu6';
import repeatVector, { type RepeatVectorLayer } from './repeat-vector';
import reshape, { type ReshapeLayer } from './reshape';
import sigmoid, { type SigmoidLayer } from './sigmoid';
import silu, { type SiluLayer } from './silu';
import simpleRnn, { type SimpleRnnLayer } from './simple-rnn';
import slice, { type SliceLayer } from './slice';
import softmax, { type SoftmaxLayer } from './softmax';
import tanh, { type TanhLayer } from './tanh';

export * from './add';
export * from './average';
export * from './avg-pool2d';
export * from './batch-norm';
export * from './bidirectional';
export * from './concat';
export * from './conv2d';
export * from './dense';
export * from './dropout';
export * from './elu';
export * from './embedding';
export * from './flatten';
export * from './gelu';
export * from './global-avg-pool';
export * from './gru';
export * from './layer-norm';
export * from './leaky-relu';
export * from './lstm';
export * from './max-pool2d';
export * from './maxout';
export * from './multi-head-attention';
export * from './multiply';
export * from './position-embedding';
export * from './relu';
export * from './relu6';
export * from './repeat-vector';
export * from './reshape';
export * from './sigmoid';
export * from './silu';
export * from './simple-rnn';
export * from './slice';
export * from './softmax';
export * from './tanh';

/** The description of a layer of any kind. */
export type Layer = (
  | AddLayer
  | AverageLayer
  | AvgPool2dLayer
  | BatchNormLayer
  | BidirectionalLayer
  | ConcatLayer
  | Conv2dLayer
  | DenseLayer
  | DropoutLayer
  | EluLayer
  | EmbeddingLayer
  | FlattenLayer
  | GeluLayer
  | GlobalAvgPoolLayer
  | GruLayer
  | LayerNormLayer
  | LeakyReluLayer
  | LstmLayer
  | MaxPool2dLayer
  | MaxoutLayer
  | MultiplyLayer
  | Relu6Layer
  | MultiHeadAttentionLayer
  | MultiplyLayer
  | PositionEmbeddingLayer
  | ReluLayer
  | RepeatVectorLayer
  | ReshapeLayer
  | SigmoidLayer
  | SiluLayer
  | SoftmaxLayer
  | SimpleRnnLayer
  | SliceLayer
  | TanhLayer
) & { readonly name?: string };

/** The kind of every layer; TypeScript refuses a table that lacks one. */
const KINDS: { readonly [Name in Layer['kind']]: LayerKind<Extract<Layer, { kind: Name }>> } = {
  add,
  average,
  avgPool2d,
  batchNorm,
  bidirectional,
  concat,
  conv2d,
  dense,
  dropout,
  elu,
  embedding,
  flatten,
  gelu,
  globalAvgPool,
  gru,
  layerNorm,
  leakyRelu,
  maxout,
  lstm,
  maxPool2d,
  multiHeadAttention,
  multiply,
  positionEmbedding,
  relu,
  relu6,
  repeatVector,
  reshape,
  sigmoid,
  silu,
  softmax,
  simpleRnn,
  slice,
  tanh,
};

export default KINDS;
