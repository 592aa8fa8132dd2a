/**
 * One training run, from settings to weights: what train, demo and doctor have in common. Prints
 * nothing, writes nothing.
 */
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
  /** Called once everything is in place, before the first step. */
  onStart?: (info: RuntimeInfo) => void | Promise<void>;
  onProgress?: (progress: FitProgress) => void;
  /** Ends training after the batch under way. */
  signal?: AbortSignal;
  /** Where to go on from, and to save to. Called after `onStart`. */
  checkpoint?: () => CheckpointOptions;
}

/** One complete epoch. Losses on classes are in nats. */
export interface EpochResult {
  readonly epoch: number;
  /** Mean over the epoch's batches as they were trained on. */
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Null where values are learnt. */
  readonly testAccuracy: number | null;
  readonly skippedSteps: number;
}

/** What came of a run. */
export interface SessionResult {
  readonly info: RuntimeInfo;
  readonly model: BuiltModel;
  readonly parameterCount: number;
  /** Complete epochs. */
  readonly epochs: readonly EpochResult[];
  readonly steps: number;
  /** Steps refused because their gradients were not finite. */
  readonly skippedSteps: number;
  readonly aborted: boolean;
  /** Of the last complete epoch; null without one. */
  readonly trainLoss: number | null;
  /** Of the weights as they are now. */
  readonly testLoss: number;
  readonly testAccuracy: number | null;
  /**
   * confusion[actual][predicted], examples of the test part; null where values or very many classes
   * are learnt.
   */
  readonly confusion: readonly (readonly number[])[] | null;
  /** The epoch of lowest test loss, as `fit` has it; null without one. */
  readonly bestEpoch: number | null;
  /** Of that epoch. */
  readonly bestTestAccuracy: number | null;
  readonly samplesPerSecond: number;
  /** Training and evaluation. */
  readonly elapsedMs: number;
  readonly weights: readonly SafetensorsEntry[];
  /** SHA-256 over the bytes of all weights, in order. */
  readonly parameterHash: string;
}

/** A table of more classes would be larger than the weights. */
const MAX_CONFUSION_CLASSES = 256;
/** Milliseconds between two reports: a terminal is not read faster. */
const REPORT_MS = 50;

/**
 * Trains a model.
 * @throws UsageError or DataError when the model does not fit the data; otherwise the library's
 * errors
 */
export async function runSession(
  data: LoadedData,
  settings: SessionSettings,
  hooks: SessionHooks = {},
): Promise<SessionResult> {
  const built = buildModel(settings.model, data);
  const { inputShape, layers, loss } = built;
  const { parameterCount } = describeModel({ inputShape, layers, loss });
  const runtime = await createRuntime(runtimeOptions(settings, built, parameterCount));
  try {
    const { batchSize, seed } = settings;
    const model = await createModel(runtime, { inputShape, layers, loss, batchSize, seed });
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
  const onClasses = model.loss.kind === 'crossEntropy';
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
 * Threads that were asked for by number are used however little there is to do: that is what shows
 * that they change no bit.
 */
function runtimeOptions(
  settings: SessionSettings,
  { layers }: BuiltModel,
  parameterCount: number,
): RuntimeOptions {
  const { threads, backend } = settings;
  if (threads !== 'auto') return { threads, backend, parallelThreshold: 0 };
  // Convolutions work far more than their parameters tell.
  return layers.some(({ kind }) => kind === 'conv2d')
    ? { threads, backend }
    : { threads, backend, parameterCount };
}

/**
 * What the model predicts with: the optimizer's averaged point where it has one, and running
 * figures of layers.
 */
function weightsOf({ weights, parameters }: Model): SafetensorsEntry[] {
  return Object.entries(weights).map(([name, tensor]) => {
    const { shape, data } = parameters[name]?.evaluationValue ?? tensor;
    return { name, shape, data: data.slice() };
  });
}

/** SHA-256 over the weights' bytes, in order. */
function hashOf(weights: readonly SafetensorsEntry[]): string {
  const hash = createHash('sha256');
  for (const { data } of weights)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}
