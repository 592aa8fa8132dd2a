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
export { AdaBelief, type AdaBeliefOptions } from './optimizers/adabelief';
export { AdaBound, type AdaBoundOptions } from './optimizers/adabound';
export { Adagrad, type AdagradOptions } from './optimizers/adagrad';
export { AdaL, type AdaLHyperparameters, type AdaLOptions, practical } from './optimizers/adal';
export { Adam, type AdamOptions } from './optimizers/adam';
export type { AdamHyperparameters } from './optimizers/adam-family';
export { AdamW, type AdamWOptions } from './optimizers/adamw';
export { AMSGrad, type AMSGradOptions } from './optimizers/amsgrad';
export type { ClippingOptions, GradNormClip } from './optimizers/clipping';
export type { StateFormat } from './optimizers/compact-tensor';
export type { AnyHyperparameters, BaseHyperparameters, Betas } from './optimizers/hyperparameters';
export { Lion, type LionOptions } from './optimizers/lion';
export type { OptimizerMemory } from './optimizers/memory';
export { NAdam, type NAdamOptions } from './optimizers/nadam';
export { Optimizer } from './optimizers/optimizer';
export type {
  MatchedGroup,
  NameMatch,
  ParameterRecord,
  ParamGroup,
  ParamGroupInit,
  ParamsInit,
} from './optimizers/param-group';
export { RAdam, type RAdamOptions } from './optimizers/radam';
export {
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
  optimizerNames,
} from './optimizers/registry';
export { RMSProp, type RMSPropOptions } from './optimizers/rmsprop';
export type { CommonOptions } from './optimizers/rule';
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions } from './optimizers/schedule-free';
export { SGD, type SGDOptions } from './optimizers/sgd';
export type { RowIndices } from './optimizers/sparse-rows';
export type { Bf16State, EightBitState, StateArray } from './optimizers/state-array';
export type {
  FixedOptions,
  LoadOptions,
  StateDict,
  StateDictGroup,
  StateDictParameter,
  StateDictSchedule,
  StateDictState,
} from './optimizers/state-dict';
export { emptyResult, type Gradients, type StepResult } from './optimizers/step-result';
export type { BinaryName } from './runtime/binaries';
export { createRuntime, type Runtime, type RuntimeInfo } from './runtime/runtime';
export type { Backend, RuntimeOptions } from './runtime/runtime-options';
export type { WasmSource, WasmSources } from './runtime/wasm-source';
export type { EvaluatedTensor } from './tensors/evaluated-tensor';
export type { Parameter, ParameterInit } from './tensors/parameter';
export type { Tensor } from './tensors/tensor';
export type { TensorViews } from './tensors/views';
export type { LearningRate } from './types';
