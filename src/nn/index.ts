/** Neural networks in linear memory. Public exports, nothing else. */
export type { NNKernels } from '../runtime/kernels-nn';
export { type DenseLayer, dense, type Layer, type ReluLayer, relu } from './layers';
export { countParameters, createModel, type Model, type ModelOptions } from './model';
export {
  type EpochResult,
  evaluateClassifier,
  type StepsParameters,
  type TrainOptions,
  type TrainPosition,
  type TrainProgress,
  type TrainResult,
  trainClassifier,
} from './trainer';
