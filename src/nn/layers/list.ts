/**
 * The list of layers: the one place that names them all. A new layer is a file in this folder and,
 * here, its import, its export, its place in `Layer` and its kind.
 *
 * A layer's file exports its function and its types by name, and its kind by default: `export *`
 * publishes the names and leaves the kind inside.
 */
import add, { type AddLayer } from './add';
import average, { type AverageLayer } from './average';
import avgPool1d, { type AvgPool1dLayer } from './avg-pool1d';
import avgPool2d, { type AvgPool2dLayer } from './avg-pool2d';
import batchNorm, { type BatchNormLayer } from './batch-norm';
import bidirectional, { type BidirectionalLayer } from './bidirectional';
import concat, { type ConcatLayer } from './concat';
import conv1d, { type Conv1dLayer } from './conv1d';
import conv2d, { type Conv2dLayer } from './conv2d';
import conv2dTranspose, { type Conv2dTransposeLayer } from './conv2d-transpose';
import dense, { type DenseLayer } from './dense';
import depthwiseConv2d, { type DepthwiseConv2dLayer } from './depthwise-conv2d';
import dropout, { type DropoutLayer } from './dropout';
import elu, { type EluLayer } from './elu';
import embedding, { type EmbeddingLayer } from './embedding';
import flatten, { type FlattenLayer } from './flatten';
import gelu, { type GeluLayer } from './gelu';
import globalAvgPool, { type GlobalAvgPoolLayer } from './global-avg-pool';
import globalMaxPool, { type GlobalMaxPoolLayer } from './global-max-pool';
import gru, { type GruLayer } from './gru';
import type { LayerKind } from './layer';
import layerNorm, { type LayerNormLayer } from './layer-norm';
import leakyRelu, { type LeakyReluLayer } from './leaky-relu';
import lstm, { type LstmLayer } from './lstm';
import maxPool1d, { type MaxPool1dLayer } from './max-pool1d';
import maxPool2d, { type MaxPool2dLayer } from './max-pool2d';
import maxout, { type MaxoutLayer } from './maxout';
import multiHeadAttention, { type MultiHeadAttentionLayer } from './multi-head-attention';
import multiply, { type MultiplyLayer } from './multiply';
import positionEmbedding, { type PositionEmbeddingLayer } from './position-embedding';
import relu, { type ReluLayer } from './relu';
import relu6, { type Relu6Layer } from './relu6';
import repeatVector, { type RepeatVectorLayer } from './repeat-vector';
import reshape, { type ReshapeLayer } from './reshape';
import separableConv2d, { type SeparableConv2dLayer } from './separable-conv2d';
import sigmoid, { type SigmoidLayer } from './sigmoid';
import silu, { type SiluLayer } from './silu';
import simpleRnn, { type SimpleRnnLayer } from './simple-rnn';
import slice, { type SliceLayer } from './slice';
import softmax, { type SoftmaxLayer } from './softmax';
import tanh, { type TanhLayer } from './tanh';
import upSampling1d, { type UpSampling1dLayer } from './upsampling1d';
import upSampling2d, { type UpSampling2dLayer } from './upsampling2d';

export * from './add';
export * from './average';
export * from './avg-pool1d';
export * from './avg-pool2d';
export * from './batch-norm';
export * from './bidirectional';
export * from './concat';
export * from './conv1d';
export * from './conv2d';
export * from './conv2d-transpose';
export * from './dense';
export * from './depthwise-conv2d';
export * from './dropout';
export * from './elu';
export * from './embedding';
export * from './flatten';
export * from './gelu';
export * from './global-avg-pool';
export * from './global-max-pool';
export * from './gru';
export * from './layer-norm';
export * from './leaky-relu';
export * from './lstm';
export * from './max-pool1d';
export * from './max-pool2d';
export * from './maxout';
export * from './multi-head-attention';
export * from './multiply';
export * from './position-embedding';
export * from './relu';
export * from './relu6';
export * from './repeat-vector';
export * from './reshape';
export * from './separable-conv2d';
export * from './sigmoid';
export * from './silu';
export * from './simple-rnn';
export * from './slice';
export * from './softmax';
export * from './tanh';
export * from './upsampling1d';
export * from './upsampling2d';

/** The description of a layer of any kind. */
export type Layer = (
  | AddLayer
  | AverageLayer
  | AvgPool1dLayer
  | AvgPool2dLayer
  | BatchNormLayer
  | BidirectionalLayer
  | ConcatLayer
  | Conv1dLayer
  | Conv2dLayer
  | Conv2dTransposeLayer
  | DenseLayer
  | DepthwiseConv2dLayer
  | DropoutLayer
  | EluLayer
  | EmbeddingLayer
  | FlattenLayer
  | GeluLayer
  | GlobalAvgPoolLayer
  | GlobalMaxPoolLayer
  | GruLayer
  | LayerNormLayer
  | LeakyReluLayer
  | LstmLayer
  | MaxoutLayer
  | MaxPool1dLayer
  | MaxPool2dLayer
  | MultiHeadAttentionLayer
  | MultiplyLayer
  | PositionEmbeddingLayer
  | ReluLayer
  | Relu6Layer
  | RepeatVectorLayer
  | ReshapeLayer
  | SeparableConv2dLayer
  | SigmoidLayer
  | SiluLayer
  | SimpleRnnLayer
  | SliceLayer
  | SoftmaxLayer
  | TanhLayer
  | UpSampling1dLayer
  | UpSampling2dLayer
) & { readonly name?: string };

/** The kind of every layer; TypeScript refuses a table that lacks one. */
const KINDS: { readonly [Name in Layer['kind']]: LayerKind<Extract<Layer, { kind: Name }>> } = {
  add,
  average,
  avgPool1d,
  avgPool2d,
  batchNorm,
  bidirectional,
  concat,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  dropout,
  elu,
  embedding,
  flatten,
  gelu,
  globalAvgPool,
  globalMaxPool,
  gru,
  layerNorm,
  leakyRelu,
  lstm,
  maxout,
  maxPool1d,
  maxPool2d,
  multiHeadAttention,
  multiply,
  positionEmbedding,
  relu,
  relu6,
  repeatVector,
  reshape,
  separableConv2d,
  sigmoid,
  silu,
  simpleRnn,
  slice,
  softmax,
  tanh,
  upSampling1d,
  upSampling2d,
};

export default KINDS;
