/**
 * The library of optimizers: AdaL and others, runtimes, tensors and errors.
 *
 * @module adal-wasm
 */

export type { NNFamily } from '../build/nn-families';
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
export {
  AdaBelief,
  type AdaBeliefHyperparameters,
  type AdaBeliefOptions,
} from './optimizers/adabelief';
export {
  AdaBound,
  type AdaBoundHyperparameters,
  type AdaBoundOptions,
} from './optimizers/adabound';
export {
  Adadelta,
  type AdadeltaHyperparameters,
  type AdadeltaOptions,
} from './optimizers/adadelta';
export { Adagrad, type AdagradHyperparameters, type AdagradOptions } from './optimizers/adagrad';
export { AdaL, type AdaLHyperparameters, type AdaLOptions, practical } from './optimizers/adal';
export { Adam, type AdamOptions } from './optimizers/adam';
export type { AdamHyperparameters } from './optimizers/adam-family';
export { Adamax, type AdamaxHyperparameters, type AdamaxOptions } from './optimizers/adamax';
export { AdamW, type AdamWHyperparameters, type AdamWOptions } from './optimizers/adamw';
export { AMSGrad, type AMSGradOptions } from './optimizers/amsgrad';
export type { ClippingOptions, GradNormClip } from './optimizers/clipping';
export type { CommonOptions } from './optimizers/declaration';
export type {
  AnyHyperparameters,
  BaseHyperparameters,
  Betas,
  FixedOptions,
} from './optimizers/hyperparameters';
export { Lion, type LionHyperparameters, type LionOptions } from './optimizers/lion';
export type { OptimizerMemory } from './optimizers/memory';
export { Muon, type MuonHyperparameters, type MuonOptions } from './optimizers/muon';
export { NAdam, type NAdamHyperparameters, type NAdamOptions } from './optimizers/nadam';
export { Optimizer } from './optimizers/optimizer';
export type {
  MatchedGroup,
  NameMatch,
  ParameterRecord,
  ParamGroup,
  ParamGroupBase,
  ParamGroupInit,
  ParamsInit,
} from './optimizers/param-group';
export { RAdam, type RAdamOptions } from './optimizers/radam';
export {
  createOptimizer,
  type OptimizerHyperparameters,
  type OptimizerName,
  type OptimizerOptions,
  optimizerNames,
} from './optimizers/registry';
export { RMSProp, type RMSPropHyperparameters, type RMSPropOptions } from './optimizers/rmsprop';
export {
  ScheduleFreeAdamW,
  type ScheduleFreeAdamWOptions,
  type ScheduleFreeHyperparameters,
} from './optimizers/schedule-free';
export { SGD, type SGDHyperparameters, type SGDOptions } from './optimizers/sgd';
export type { RowIndices } from './optimizers/sparse-rows';
export type { StateArray } from './optimizers/state-array';
export type {
  LoadOptions,
  StateDict,
  StateDictParameter,
  StateDictState,
} from './optimizers/state-dict';
export type { StateDictGroup, StateDictSchedule } from './optimizers/state-dict-groups';
export type { CodedArray, StateFormat } from './optimizers/state-formats';
export type { Bf16State } from './optimizers/state-formats/bf16';
export type { EightBitState } from './optimizers/state-formats/eight-bit';
export { emptyResult, type Gradients, type StepResult } from './optimizers/step-result';
export type { BinaryName } from './runtime/binaries';
export { createRuntime, type Runtime, type RuntimeInfo } from './runtime/runtime';
export type { Backend, RuntimeOptions } from './runtime/runtime-options';
export type { WasmModule, WasmSource, WasmSources } from './runtime/wasm-source';
export type { WorkerHandle, WorkerHost } from './runtime/worker-host-types';
export type { EvaluatedTensor } from './tensors/evaluated-tensor';
export type { Parameter, ParameterInit } from './tensors/parameter';
export type { Tensor } from './tensors/tensor';
export type { TensorViews } from './tensors/views';
export type { AbortSignalLike, LearningRate, ResponseLike, UrlLike } from './types';
