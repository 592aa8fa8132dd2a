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
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluateStream,
  type OutputEvaluation,
  predict,
  predictOutputs,
} from './evaluation';
export { extractFeatures } from './extract-features';
export { fit } from './fit';
export type {
  CheckpointOptions,
  FitAccumulator,
  FitAverage,
  FitBatch,
  FitEpoch,
  FitOptimizer,
  FitOptions,
  FitProgress,
  FitResult,
} from './fit-options';
export type { Freeze } from './freeze';
export { apply, graph, input, type Value } from './graph-builder';
export { named, sequential } from './layers';
export type { Initializer, KernelOptions } from './layers/initial';
export type { Shape } from './layers/layer';
export * from './layers/list';
export type { Pool1dOptions, Pool2dOptions } from './layers/pooling';
export type { GatedOptions, RecurrentOptions } from './layers/recurrent';
export type { Pair } from './layers/window';
export type { ModelArrays, ModelStateDict, ModelStateDictOptions } from './learnt-state';
export * from './losses/list';
export type { ClassMetrics, MetricName, Metrics } from './metrics';
export type { Model } from './model';
export type { Graph, GraphNode } from './model-graph';
export type { ModelMemory } from './model-memory';
export type { Penalty } from './penalties';
export type {
  ChunkStream,
  FeatureTensor,
  FeatureValues,
  Samples,
  SampleWeights,
  TrainingData,
} from './samples';
export {
  type TrainInWorkerOptions,
  type TrainInWorkerResult,
  trainInWorker,
  type WorkerData,
} from './train-in-worker';
export type { DataNames, TrainingHistoryState } from './training-history';
export type { OptimizerSpec, TrainingSpec } from './training-spec';
export { type UpdateStatisticsOptions, updateStatistics } from './update-statistics';
