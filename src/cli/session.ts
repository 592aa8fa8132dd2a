/** One training run, from settings to weights: what train, demo and doctor have in common. Prints nothing, writes nothing. */
import { createHash } from 'node:crypto';
import type { SafetensorsEntry } from '../checkpoint/safetensors';
import {
  createOptimizer,
  createRuntime,
  type OptimizerName,
  practical,
  type Runtime,
  type RuntimeInfo,
  type RuntimeOptions,
  type StateDict,
} from '../index';
import {
  countParameters,
  createModel,
  dense,
  type EpochResult,
  evaluateClassifier,
  type Layer,
  type Model,
  relu,
  type TrainPosition,
  type TrainProgress,
  trainClassifier,
} from '../nn';
import { constant, cosine, inverseSqrt, linear, oneCycle, type Schedule } from '../schedules';
import { UsageError } from './errors';
import type { LoadedData } from './load-data';
import type { ModelSpec, Preset, ScheduleChoice } from './options';

export interface SessionSettings {
  readonly model: ModelSpec;
  readonly optimizer: OptimizerName;
  readonly preset: Preset;
  readonly schedule?: ScheduleChoice;
  readonly lr?: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly threads: 'auto' | number;
  readonly backend: NonNullable<RuntimeOptions['backend']>;
}

export interface SessionHooks {
  /** Called once everything is in place, before the first step. */
  onStart?: (info: RuntimeInfo) => void;
  /** @param stateDict takes the optimizer's state as it is now */
  onProgress?: (progress: TrainProgress, stateDict: () => StateDict) => void | Promise<void>;
  /** Ends training after the batch under way. */
  signal?: AbortSignal;
  /** Where to go on. */
  from?: { readonly position: TrainPosition; readonly stateDict: StateDict };
}

/** What came of a run. */
export interface SessionResult {
  readonly info: RuntimeInfo;
  /** Sizes from input to classes. */
  readonly sizes: readonly number[];
  readonly parameterCount: number;
  /** Complete epochs. */
  readonly epochs: readonly EpochResult[];
  readonly steps: number;
  /** Steps refused because their gradients were not finite. */
  readonly skippedSteps: number;
  readonly aborted: boolean;
  /** Mean over the last complete epoch's batches as they were trained on; null without one. */
  readonly trainLoss: number | null;
  /** Of the weights as they are now. */
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** Of the epoch that did best; the last one's if training ended in the first. */
  readonly bestTestAccuracy: number;
  /** The first such epoch; null if training ended in the first. */
  readonly bestEpoch: number | null;
  readonly samplesPerSecond: number;
  /** Training and evaluation. */
  readonly elapsedMs: number;
  readonly weights: readonly SafetensorsEntry[];
  /** SHA-256 over the bytes of all weights, in order. */
  readonly parameterHash: string;
  /** Where the run stopped, and the optimizer's state there. */
  readonly position: TrainPosition;
  readonly stateDict: StateDict;
}

/**
 * Trains a classifier.
 * @throws UsageError when the model does not fit the data; otherwise the library's errors
 */
export async function runSession(data: LoadedData, settings: SessionSettings, hooks: SessionHooks = {}): Promise<SessionResult> {
  const sizes = modelSizes(settings.model, data);
  const layers = layersOf(sizes);
  const parameterCount = countParameters(sizes[0], layers);
  const runtime = await createRuntime(runtimeOptions(settings, parameterCount));
  try {
    const { batchSize, seed } = settings;
    const model = await createModel(runtime, { inputSize: sizes[0], layers, batchSize, seed });
    const trained = await train(runtime, model, data, settings, hooks);
    const weights = Object.entries(model.parameters).map(([name, { evaluationValue }]) => {
      return { name, shape: evaluationValue.shape, data: evaluationValue.data.slice() };
    });
    return { info: runtime.info, sizes, parameterCount, ...trained, weights, parameterHash: hashOf(weights) };
  } finally {
    runtime.dispose();
  }
}

async function train(
  runtime: Runtime,
  model: Model,
  data: LoadedData,
  settings: SessionSettings,
  { onStart, onProgress, signal, from }: SessionHooks,
) {
  const { epochs, seed, batchSize } = settings;
  const totalSteps = epochs * Math.ceil(data.train.count / batchSize);
  const options = { ...optimizerOptions(settings, totalSteps), runtime };
  const optimizer = await createOptimizer(settings.optimizer, model.parameters, options);
  if (from) optimizer.loadStateDict(from.stateDict);
  onStart?.(runtime.info);
  const begin = performance.now();
  const result = await trainClassifier(model, optimizer, {
    train: data.train,
    test: data.test,
    epochs,
    seed,
    from: from?.position,
    onProgress: (progress) => onProgress?.(progress, () => optimizer.stateDict()),
    signal,
  });
  const stateDict = optimizer.stateDict();
  const last = result.epochs.at(-1);
  const upToDate = last !== undefined && last.epoch * Math.ceil(data.train.count / batchSize) === result.steps;
  const evaluation = upToDate ? { loss: last.testLoss!, accuracy: last.testAccuracy! } : evaluateClassifier(model, data.test);
  const best = bestOf(result.epochs);
  return {
    ...result,
    stateDict,
    skippedSteps: skippedIn(result.position),
    trainLoss: last?.trainLoss ?? null,
    testLoss: evaluation.loss,
    testAccuracy: evaluation.accuracy,
    bestTestAccuracy: best?.testAccuracy ?? evaluation.accuracy,
    bestEpoch: best?.epoch ?? null,
    elapsedMs: performance.now() - begin,
  };
}

function skippedIn({ epochs, skippedSteps }: TrainPosition): number {
  return epochs.reduce((sum, epoch) => sum + epoch.skippedSteps, skippedSteps);
}

/** The first of the epochs of highest test accuracy. */
function bestOf(epochs: readonly EpochResult[]): EpochResult | null {
  let best: EpochResult | null = null;
  for (const epoch of epochs) {
    if (best === null || epoch.testAccuracy! > best.testAccuracy!) best = epoch;
  }
  return best;
}

/** From input to classes; throws when sizes were given that are not the data's. */
function modelSizes({ hidden, outer }: ModelSpec, { name, train }: LoadedData): number[] {
  if (outer && (outer.inputs !== train.featureCount || outer.classes !== train.classCount)) {
    const expected = `${train.featureCount} inputs and ${train.classCount} classes, as ${name} has`;
    throw new UsageError('--model', expected, `${outer.inputs} and ${outer.classes}`);
  }
  return [train.featureCount, ...hidden, train.classCount];
}

function layersOf(sizes: readonly number[]): Layer[] {
  return sizes.slice(1).flatMap((units, index) => (index === 0 ? [dense(units)] : [relu(), dense(units)]));
}

/** Threads that were asked for by number are used however little there is to do: that is what shows that they change no bit. */
function runtimeOptions({ threads, backend }: SessionSettings, parameterCount: number): RuntimeOptions {
  if (threads === 'auto') return { threads, backend, parameterCount };
  return { threads, backend, parameterCount, parallelThreshold: 0 };
}

/**
 * A preset is AdaL's; the other optimizers have their own defaults. A schedule goes from --lr to 0 over the run, and takes the
 * place of the preset's.
 */
function optimizerOptions({ optimizer, preset, schedule, lr }: SessionSettings, totalSteps: number): Record<string, unknown> {
  if (preset === 'practical' && optimizer !== 'adal')
    throw new UsageError('--preset', `restated with --optimizer ${optimizer}`, preset);
  if (schedule && lr === undefined) throw new UsageError('--lr', 'a learning rate with --schedule', 'nothing');
  const options = preset === 'practical' ? practical({ totalSteps, lr }) : lr === undefined ? {} : { lr };
  return { ...options, ...(schedule ? { lr: createSchedule(schedule, lr as number, totalSteps) } : {}), onNonFinite: 'skip' };
}

function createSchedule(name: ScheduleChoice, lr: number, totalSteps: number): Schedule {
  switch (name) {
    case 'constant':
      return constant(lr);
    case 'linear':
      return linear({ lr, totalSteps });
    case 'cosine':
      return cosine({ lr, totalSteps });
    case 'one-cycle':
      return oneCycle({ maxLr: lr, totalSteps });
    case 'inverse-sqrt':
      return inverseSqrt({ lr });
  }
}

/** SHA-256 over the weights' bytes, in order. */
function hashOf(weights: readonly SafetensorsEntry[]): string {
  const hash = createHash('sha256');
  for (const { data } of weights) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}
