/** One training run, from settings to weights, without output. train, demo and doctor share it. */
import { createHash } from 'node:crypto';
import type { SafetensorsEntry } from '../checkpoint';
import {
  createOptimizer,
  createRuntime,
  type OptimizerName,
  type Runtime,
  type RuntimeInfo,
  type RuntimeOptions,
} from '../index';
import {
  type CheckpointOptions,
  createModel,
  describeModel,
  evaluate,
  type FitEpoch,
  type FitProgress,
  type FitResult,
  fit,
  type Model,
} from '../nn';
import { type BuiltModel, buildModel } from './build-model';
import type { LoadedData } from './load-data';
import { layersOf } from './model-file';
import type { ModelSpec } from './model-spec';
import { type OptimizerSettings, optimizerOptions } from './optimizer-options';

export interface SessionSettings extends OptimizerSettings {
  readonly model: ModelSpec;
  readonly optimizer: OptimizerName;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly threads: 'auto' | number;
  readonly backend: NonNullable<RuntimeOptions['backend']>;
}

export interface SessionHooks {
  /** Called when everything is ready, before the first step. */
  onStart?: (info: RuntimeInfo) => void | Promise<void>;
  onProgress?: (progress: FitProgress) => void;
  /** Stops training after the current batch. */
  signal?: AbortSignal;
  /** Returns the store to resume from and to save to. Called after `onStart`. */
  checkpoint?: () => CheckpointOptions;
}

/** Figures of one completed epoch. Losses of classification are in nats. */
export interface EpochResult {
  readonly epoch: number;
  /** Mean loss of the epoch's batches, each before its step. */
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Null for regression. */
  readonly testAccuracy: number | null;
  readonly skippedSteps: number;
}

/** Result of a run. */
export interface SessionResult {
  readonly info: RuntimeInfo;
  readonly model: BuiltModel;
  readonly parameterCount: number;
  /** Completed epochs. */
  readonly epochs: readonly EpochResult[];
  readonly steps: number;
  /** Number of steps that were skipped because their gradients were not finite. */
  readonly skippedSteps: number;
  readonly aborted: boolean;
  /** Training loss of the last completed epoch; null if there is none. */
  readonly trainLoss: number | null;
  /** Test loss of the final weights. */
  readonly testLoss: number;
  readonly testAccuracy: number | null;
  /**
   * Numbers of test examples as confusion[actual][predicted]; null for regression and for very many
   * classes.
   */
  readonly confusion: readonly (readonly number[])[] | null;
  /** Epoch of the lowest test loss; null if none is completed. */
  readonly bestEpoch: number | null;
  /** Test accuracy of that epoch. */
  readonly bestTestAccuracy: number | null;
  readonly samplesPerSecond: number;
  /** Duration of training and evaluation. */
  readonly elapsedMs: number;
  readonly weights: readonly SafetensorsEntry[];
  /** SHA-256 over the bytes of all weights, in order. */
  readonly parameterHash: string;
}

/** With more classes the table would be larger than the weights. */
const MAX_CONFUSION_CLASSES = 256;
/** Milliseconds between two reports of progress. */
const REPORT_MS = 50;

/**
 * Trains a model.
 *
 * @throws UsageError or DataError if the model does not fit the data
 */
export async function runSession(
  data: LoadedData,
  settings: SessionSettings,
  hooks: SessionHooks = {},
): Promise<SessionResult> {
  const built = buildModel(settings.model, data);
  const { structure, loss } = built;
  const { parameterCount } = describeModel({ ...structure, loss });
  const runtime = await createRuntime(runtimeOptions(settings, built, parameterCount));
  try {
    const { batchSize, seed } = settings;
    const model = await createModel(runtime, { ...structure, loss, batchSize, seed });
    const trained = await train(runtime, model, data, settings, hooks);
    const weights = weightsOf(model);
    return {
      info: runtime.info,
      model: built,
      parameterCount,
      ...trained,
      weights,
      parameterHash: hashOf(weights),
    };
  } finally {
    runtime.dispose();
  }
}

async function train(
  runtime: Runtime,
  model: Model,
  data: LoadedData,
  settings: SessionSettings,
  hooks: SessionHooks,
) {
  const { epochs, seed, batchSize } = settings;
  const totalSteps = epochs * Math.ceil(data.train.count / batchSize);
  const options = { ...optimizerOptions(settings, totalSteps), runtime };
  const optimizer = await createOptimizer(settings.optimizer, model.parameters, options);
  await hooks.onStart?.(runtime.info);
  const begin = performance.now();
  const run = await fit(model, data.train, {
    optimizer,
    epochs,
    seed,
    validation: data.test,
    checkpoint: hooks.checkpoint?.(),
    onProgress: hooks.onProgress,
    signal: hooks.signal,
    budgetMs: REPORT_MS,
  });
  const { loss, accuracy, confusion } = judge(model, data);
  return {
    ...figuresOf(run),
    testLoss: loss,
    testAccuracy: accuracy,
    confusion,
    elapsedMs: performance.now() - begin,
  };
}

function judge(model: Model, { test }: LoadedData) {
  const onClasses = model.loss?.kind === 'crossEntropy';
  return evaluate(
    model,
    test,
    onClasses && model.outputSize <= MAX_CONFUSION_CLASSES ? { confusion: true } : {},
  );
}

function figuresOf({ epochs, steps, reason, samplesPerSecond, bestEpoch }: FitResult) {
  const results = epochs.map(resultOf);
  return {
    epochs: results,
    steps,
    skippedSteps: epochs.reduce((sum, { skippedSteps }) => sum + skippedSteps, 0),
    aborted: reason === 'aborted',
    trainLoss: results.at(-1)?.trainLoss ?? null,
    bestEpoch,
    bestTestAccuracy: bestEpoch === null ? null : results[bestEpoch - 1].testAccuracy,
    samplesPerSecond,
  };
}

function resultOf({ epoch, loss, validation, skippedSteps }: FitEpoch): EpochResult {
  return {
    epoch,
    trainLoss: loss,
    testLoss: validation!.loss,
    testAccuracy: validation!.accuracy,
    skippedSteps,
  };
}

/**
 * Returns the options of the runtime. A number of threads that was asked for is used even for small
 * models, to show that it does not change the bits.
 */
function runtimeOptions(
  settings: SessionSettings,
  { structure }: BuiltModel,
  parameterCount: number,
): RuntimeOptions {
  const { threads, backend } = settings;
  if (threads !== 'auto') return { threads, backend, parallelThreshold: 0 };
  // The work of a convolution is far larger than its number of parameters suggests.
  return layersOf(structure).some(({ kind }) => /conv/i.test(kind))
    ? { threads, backend }
    : { threads, backend, parameterCount };
}

/**
 * Returns the weights with which the model predicts: those that the optimizer averages, if it does,
 * and the running statistics of layers.
 */
function weightsOf({ weights, parameters }: Model): SafetensorsEntry[] {
  return Object.entries(weights).map(([name, tensor]) => {
    const { shape, data } = parameters[name]?.evaluationValue ?? tensor;
    return { name, shape, data: data.slice() };
  });
}

/** Returns the SHA-256 of the bytes of all weights, in order. */
function hashOf(weights: readonly SafetensorsEntry[]): string {
  const hash = createHash('sha256');
  for (const { data } of weights)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}
