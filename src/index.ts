/** adal-wasm: the AdaL optimizer in WebAssembly. Public exports, nothing else. */
export {
  AdalError,
  ArgumentError,
  BusyError,
  DataError,
  DisposedError,
  NonFiniteGradientError,
  OutOfMemoryError,
  StepAbortedError,
  UnsupportedError,
  WorkerError,
} from './errors';
export { AdaL, type AdaLOptions, practical } from './optimizers/adal';
export { type CommonOptions, emptyResult, type Gradients, Optimizer, type StepResult } from './optimizers/optimizer';
export type { ParameterRecord, ParamGroup, ParamGroupInit, ParamsInit } from './optimizers/param-group';
export { createOptimizer, type OptimizerName, type OptimizerOptions, optimizerNames } from './optimizers/registry';
export type { StateDict, StateDictGroup, StateDictParameter, StateDictState } from './optimizers/state-dict';
export { type Backend, createRuntime, type Runtime, type RuntimeInfo, type RuntimeOptions } from './runtime/runtime';
export type { Parameter, ParameterInit } from './tensors/parameter';
export type { TensorViews } from './tensors/views';
export type { LearningRate } from './types';
