/** Neural networks in linear memory. Public exports, nothing else. */
export type { EvaluatedTensor } from '../tensors/evaluated-tensor';
export {
  countParameters,
  createModel,
  describeModel,
  type ModelDescription,
  type ModelOptions,
} from './create-model';
export type { EarlyStoppingOptions } from './early-stopping';
export { type EvaluateOptions, type Evaluation, evaluate, predict } from './evaluation';
export { extractFeatures } from './features';
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
export { sequential } from './layers';
export type { Shape } from './layers/layer';
export * from './layers/list';
export type { Pair } from './layers/window';
export type { ModelArrays, ModelState, ModelStateOptions } from './learnt-state';
export * from './losses/list';
export type { Model } from './model';
export type { ModelMemory } from './model-memory';
export type { ChunkStream, FeatureTensor, Samples, TrainingData } from './samples';
export {
  type TrainInWorkerOptions,
  trainInWorker,
  type WorkerData,
  type WorkerTraining,
} from './train-in-worker';
export type { DataNames, TrainingHistoryState } from './training-history';
export type { OptimizerSpec, TrainingSpec } from './training-spec';
export { type UpdateStatisticsOptions, updateStatistics } from './update-statistics';
