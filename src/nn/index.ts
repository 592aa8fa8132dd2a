/**
 * Neural networks whose weights, activations and gradients lie in linear memory.
 *
 * @module adal-wasm/nn
 */
export type { EvaluatedTensor } from '../tensors/evaluated-tensor';
export type { LastBatch } from './batch-source';
export {
  createModel,
  describeModel,
  type ModelDescription,
  type ModelOptions,
} from './create-model';
export type { EarlyStoppingOptions } from './early-stopping';
export { type EvaluateOptions, type Evaluation, evaluate, predict } from './evaluation';
export { extractFeatures } from './extract-features';
export { fit } from './fit';
export type {
  CheckpointOptions,
  FitAccumulator,
  FitAverage,
  FitEpoch,
  FitOptimizer,
  FitOptions,
  FitProgress,
  FitResult,
} from './fit-options';
export type { Freeze } from './freeze';
export { type Layer, sequential } from './layers';
export { type AvgPool2dLayer, avgPool2d } from './layers/avg-pool2d';
export { type BatchNormLayer, type BatchNormOptions, batchNorm } from './layers/batch-norm';
export { type Conv2dLayer, type Conv2dOptions, conv2d } from './layers/conv2d';
export { type DenseLayer, dense } from './layers/dense';
export { type DropoutLayer, dropout } from './layers/dropout';
export { type EmbeddingLayer, embedding } from './layers/embedding';
export { type FlattenLayer, flatten } from './layers/flatten';
export { type GlobalAvgPoolLayer, globalAvgPool } from './layers/global-avg-pool';
export type { Shape } from './layers/layer';
export { type LayerNormLayer, layerNorm } from './layers/layer-norm';
export { type LeakyReluLayer, leakyRelu } from './layers/leaky-relu';
export { type MaxPool2dLayer, maxPool2d } from './layers/max-pool2d';
export { type ReluLayer, relu } from './layers/relu';
export { type SigmoidLayer, sigmoid } from './layers/sigmoid';
export { type SiluLayer, silu } from './layers/silu';
export { type TanhLayer, tanh } from './layers/tanh';
export type { Pair } from './layers/window';
export type { ModelArrays, ModelStateDict, ModelStateDictOptions } from './learnt-state';
export type { Loss } from './losses';
export { type BinaryCrossEntropyLoss, binaryCrossEntropy } from './losses/binary-cross-entropy';
export {
  type CrossEntropyLoss,
  type CrossEntropyOptions,
  crossEntropy,
} from './losses/cross-entropy';
export { type HuberLoss, huber } from './losses/huber';
export { type MeanSquaredErrorLoss, meanSquaredError } from './losses/mean-squared-error';
export type { Model } from './model';
export type { ModelMemory } from './model-memory';
export type { ChunkStream, FeatureTensor, Samples, TrainingData } from './samples';
export {
  type TrainInWorkerOptions,
  type TrainInWorkerResult,
  trainInWorker,
  type WorkerData,
} from './train-in-worker';
export type { DataNames, TrainingHistoryState } from './training-history';
export type { OptimizerSpec, TrainingSpec } from './training-spec';
export { type UpdateStatisticsOptions, updateStatistics } from './update-statistics';
