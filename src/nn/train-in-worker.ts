/**
 * `trainInWorker`: training off the main thread. This side starts the worker, keeps its
 * checkpoints, and starts another worker if it crashes.
 *
 * Invariant: the result has the bits of `fit` on one thread, even if workers crash. No buffer of
 * the caller is transferred before the worker has accepted the spec and the samples have been
 * checked.
 */
import type { CheckpointStore } from '../checkpoint/stores/store';
import { ArgumentError, WorkerError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { loadTrainerStarter } from '../runtime/train-worker-host';
import type { ModuleWorker, StartTrainer } from '../runtime/train-worker-host-types';
import type { AbortSignalLike, UrlLike } from '../types';
import { checkInteger, checkNumber, checkOptions, fail } from '../validate';
import { readEvaluation } from './evaluation';
import { checkCheckpoint, type FitProgress, type FitResult } from './fit-options';
import type { ModelStateDict } from './learnt-state';
import { readSamples, type SampleFormat, type Samples } from './samples';
import {
  buffersOf,
  receiveError,
  sendError,
  type TrainerReport,
  type TrainerRequest,
} from './training-messages';
import { type PlainSpec, readSpec, type TrainingSpec } from './training-spec';

/** Samples, or a function that returns samples for each worker that is started. */
export type WorkerData = Samples | (() => Samples | Promise<Samples>);

/** Options of `trainInWorker`. */
export interface TrainInWorkerOptions {
  /** Samples to evaluate after every epoch. */
  validation?: WorkerData;
  /**
   * Store on this side that keeps the checkpoints, and number of steps between saves. The worker
   * resumes the run that the store holds.
   * @default a store in memory, with a save after every epoch
   */
  checkpoint?: { store?: CheckpointStore; every?: number };
  /** Called on this side whenever `fit` reports progress in the worker. */
  onProgress?: (progress: FitProgress) => void;
  /** Called after a worker has crashed, before the next one is started. */
  onRestart?: (reason: string, restart: number) => void;
  /** Ends training after the current batch. The result then has the present weights. */
  signal?: AbortSignalLike;
  /**
   * Number of times that a crashed worker is replaced by a new one, which resumes from the last
   * checkpoint: an integer in [0, 2^31).
   * @default 2, or 0 if the samples are lost with a worker
   */
  maxRestarts?: number;
  /**
   * Length of a time slice of training in the worker, in milliseconds in [0, ∞). The worker reports
   * progress and sees an abort only between two slices.
   * @default 50
   */
  budgetMs?: number;
  /**
   * Milliseconds without a message after which a worker counts as crashed: an integer in
   * [10, 2^31). Every batch must be shorter than this.
   * @default 60000
   */
  timeoutMs?: number;
  /**
   * URL of `adal-wasm/train-worker.js`, for bundlers that do not ship it by themselves.
   * @default next to this module
   */
  workerUrl?: string | UrlLike;
}

/** Result of `trainInWorker`. */
export interface TrainInWorkerResult {
  /** Result of `fit` in the worker. */
  readonly result: FitResult;
  /**
   * State dict of the model, for a model of the same layers: the weights that it evaluates with,
   * which for Schedule-Free are the average.
   */
  readonly model: ModelStateDict;
  /** State dict of the optimizer, for resuming training with the same kind of optimizer. */
  readonly optimizer: StateDict;
  /** Number of workers that crashed and were replaced. */
  readonly restarts: number;
}

const NAMES = [
  'validation',
  'checkpoint',
  'onProgress',
  'onRestart',
  'signal',
  'maxRestarts',
  'budgetMs',
  'timeoutMs',
  'workerUrl',
];

/**
 * Trains in a new worker: a web worker in browsers, one of `node:worker_threads` in Node, Deno and
 * Bun. The result has the bits of `fit` on this thread, even if workers crash.
 *
 * Samples are not copied. Both sides share arrays over a SharedArrayBuffer. Arrays over an
 * ArrayBuffer are transferred to the worker with their whole buffers: afterwards the caller's
 * arrays are detached (of length 0), and a crash of the worker loses them. If `data` is a function,
 * it is called for every worker that is started, so that a crashed worker can be replaced.
 *
 * @param spec model, optimizer and options of `fit` as plain data
 * @param data samples, or a function that returns them
 * @throws ArgumentError for a spec, options or samples that do not fit; nothing has been
 * transferred then
 * @throws UnsupportedError on platforms without workers, such as Cloudflare Workers
 * @throws WorkerError if a worker has crashed and may not be replaced
 * @throws CheckpointError if the store fails or holds another run
 * @example
 * const definition = { inputSize: 64, layers: [dense(64), relu(), dense(10)] };
 * const { model: state } = await trainInWorker(
 *   { model: definition, optimizer: { name: 'adamw', lr: 1e-3 }, epochs: 10 },
 *   () => loadDigits(),
 * );
 * const model = await createModel(await createRuntime(), { ...definition, training: false });
 * model.loadStateDict(state);
 */
export async function trainInWorker(
  spec: TrainingSpec,
  data: WorkerData,
  options: TrainInWorkerOptions = {},
): Promise<TrainInWorkerResult> {
  const run = readRun(spec, data, options);
  const start = await loadTrainerStarter();
  const store = options.checkpoint?.store ?? lastCheckpoint();
  for (let restarts = 0; ; restarts++) {
    try {
      return { ...(await new Attempt(run, store).run(start)), restarts };
    } catch (error) {
      if (
        !(error instanceof WorkerError) ||
        restarts === run.maxRestarts ||
        options.signal?.aborted
      )
        throw error;
      options.onRestart?.(error.message, restarts + 1);
    }
  }
}

/** A run whose arguments this side has checked. */
interface WorkerRun {
  readonly spec: PlainSpec;
  readonly data: WorkerData;
  readonly options: TrainInWorkerOptions;
  readonly maxRestarts: number;
  readonly budgetMs: number;
  readonly timeoutMs: number;
}

function readRun(spec: TrainingSpec, data: WorkerData, options: TrainInWorkerOptions): WorkerRun {
  checkOptions('options', options, NAMES);
  const { validation, checkpoint, budgetMs = 50, timeoutMs = 60_000 } = options;
  if (checkpoint !== undefined)
    checkCheckpoint({ store: lastCheckpoint(), ...checkpoint }, ['store', 'every']);
  checkNumber('budgetMs', budgetMs, '[0, ∞)', (value) => value >= 0);
  checkInteger('timeoutMs', timeoutMs, 10, 2 ** 31 - 1);
  if (validation !== undefined && spec?.validationSplit !== undefined)
    fail('validation', 'nothing beside validationSplit', validation);
  const repeatable = [data, validation].every(
    (samples) => typeof samples === 'function' || buffersOf(samples).length === 0,
  );
  const { maxRestarts = repeatable ? 2 : 0 } = options;
  checkInteger('maxRestarts', maxRestarts, 0, 2 ** 31 - 1);
  if (maxRestarts > 0 && !repeatable) {
    fail(
      'maxRestarts',
      '0, because these samples are lost with a worker (pass functions or SharedArrayBuffers)',
      maxRestarts,
    );
  }
  return { spec: readSpec(spec), data, options, maxRestarts, budgetMs, timeoutMs };
}

/**
 * Returns a store in memory that does not copy: its bytes are transferred from the worker and back.
 */
function lastCheckpoint(): CheckpointStore {
  let bytes: Uint8Array<ArrayBuffer> | null = null;
  return {
    load: async () => bytes && { bytes, version: '' },
    save: async (saved) => {
      bytes = saved as Uint8Array<ArrayBuffer>;
      return { version: '' };
    },
  };
}

type Outcome = Omit<TrainInWorkerResult, 'restarts'>;

/** One worker from its start to its end. */
class Attempt {
  readonly #run: WorkerRun;
  readonly #store: CheckpointStore;
  #worker: ModuleWorker | null = null;
  #heard = true;
  /** The current operation of the store: the next worker must not start before it is done. */
  #storing: Promise<void> = Promise.resolve();

  constructor(run: WorkerRun, store: CheckpointStore) {
    this.#run = run;
    this.#store = store;
  }

  /** @throws WorkerError if the worker crashes, and the errors of the run */
  async run(start: StartTrainer): Promise<Outcome> {
    const { spec, options, budgetMs, timeoutMs } = this.#run;
    const abort = () => this.#post({ type: 'abort' });
    let watch: ReturnType<typeof setInterval> | undefined;
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        const die = (reason: string) =>
          reject(new WorkerError(`the training worker died: ${reason}`));
        const onMessage = (message: unknown) => {
          this.#heard = true;
          this.#handle(message as TrainerReport, resolve).catch(reject);
        };
        try {
          this.#worker = start({ onMessage, onEnd: die }, options.workerUrl);
        } catch (error) {
          die(String(error));
          return;
        }
        this.#post({ type: 'prepare', spec, budgetMs });
        options.signal?.addEventListener('abort', abort);
        // Counts ticks without a message instead of time: a page's timers may be suspended, and
        // messages are delivered before them.
        watch = setInterval(() => {
          if (!this.#heard) die(`silent for ${timeoutMs} ms`);
          this.#heard = false;
        }, timeoutMs);
      });
    } finally {
      clearInterval(watch);
      options.signal?.removeEventListener('abort', abort);
      this.#worker?.terminate();
      this.#worker = null;
      await this.#storing;
    }
  }

  #post(message: TrainerRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.post(message, transfer);
  }

  async #handle(message: TrainerReport, resolve: (outcome: Outcome) => void): Promise<void> {
    switch (message.type) {
      case 'prepared':
        return this.#sendSamples(message.format);
      case 'progress':
        return this.#run.options.onProgress?.(message.progress);
      case 'load':
      case 'save':
        this.#storing = this.#serveStore(message);
        return this.#storing;
      case 'done':
        return resolve({
          result: message.result,
          model: message.model,
          optimizer: message.optimizer,
        });
      case 'failed':
        throw receiveError(message.error);
    }
  }

  /** Checks the samples and transfers them. */
  async #sendSamples(format: SampleFormat): Promise<void> {
    const { data, spec, options } = this.#run;
    const { validation, checkpoint, signal } = options;
    const samples = readSamples('data', format, await resolveData(data));
    const held =
      validation &&
      readEvaluation('validation', format, await resolveData(validation), spec.metrics);
    if (signal?.aborted) this.#post({ type: 'abort' });
    const message: TrainerRequest = {
      type: 'train',
      data: samples,
      validation: held,
      every: checkpoint?.every,
    };
    try {
      this.#post(message, buffersOf(message));
    } catch (error) {
      throw new ArgumentError('data', 'arrays whose buffers can be transferred', String(error));
    }
  }

  async #serveStore(message: TrainerReport & { type: 'load' | 'save' }): Promise<void> {
    try {
      if (message.type === 'save') {
        await this.#store.save(message.bytes);
        this.#post({ type: 'saved' });
      } else {
        const stored = await this.#store.load();
        this.#post({ type: 'loaded', bytes: stored?.bytes ?? null });
      }
    } catch (error) {
      this.#post({ type: 'store-failed', error: sendError(error) });
    }
  }
}

async function resolveData(data: WorkerData): Promise<Samples> {
  return typeof data === 'function' ? data() : data;
}
