/**
 * Training off the main thread: this side starts the worker, keeps its checkpoints, and starts
 * another where one dies.
 *
 * Invariant: whatever becomes of workers, what is learnt has the bits of `fit` on one thread.
 * Nothing is taken from the caller before the worker has accepted the spec and the samples have
 * been checked.
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
import type { ModelState } from './learnt-state';
import { readSamples, type SampleFormat, type Samples } from './samples';
import {
  buffersOf,
  receiveError,
  sendError,
  type TrainerReport,
  type TrainerRequest,
} from './training-messages';
import { type PlainSpec, readSpec, type TrainingSpec } from './training-spec';

/** Samples, or a function that gives them anew for every worker that is started. */
export type WorkerData = Samples | (() => Samples | Promise<Samples>);

export interface TrainInWorkerOptions {
  /** Evaluated after every epoch. */
  validation?: WorkerData;
  /**
   * Where checkpoints are kept, on this side, and how many steps apart. A run that the store holds
   * is resumed.
   * @default in memory, after every epoch
   */
  checkpoint?: { store?: CheckpointStore; every?: number };
  /** Called as `fit` calls it. */
  onProgress?: (progress: FitProgress) => void;
  /** Called when a worker has died and before the next is started. */
  onRestart?: (reason: string, restart: number) => void;
  /** Ends training after the batch under way; what was learnt is returned. */
  signal?: AbortSignalLike;
  /**
   * How often a worker that died is replaced by another, which goes on from the last checkpoint: an
   * integer ≥ 0.
   * @default 2, or 0 where a worker's data go with it
   */
  maxRestarts?: number;
  /**
   * Milliseconds of training between two progress reports, in which nothing else happens in the
   * worker.
   * @default 50
   */
  budgetMs?: number;
  /**
   * Milliseconds of silence after which a worker counts as dead; no batch may take as long.
   * @default 60000
   */
  timeoutMs?: number;
  /**
   * Where `adal-wasm/train-worker.js` is to be found, if the bundler does not ship it by itself.
   */
  workerUrl?: string | UrlLike;
}

export interface WorkerTraining {
  readonly result: FitResult;
  /**
   * For `loadStateDict` of a model of the same layers: what that evaluates with, which for
   * Schedule-Free is its average.
   */
  readonly model: ModelState;
  /** For `loadStateDict` of such an optimizer, to go on training. */
  readonly optimizer: StateDict;
  /** Workers that died on the way. */
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
 * Trains in a worker of its own: a web worker in browsers, a `node:worker_threads` one in Node,
 * Deno and Bun. The run has the bits of `fit` on this thread, also if workers die on the way.
 *
 * No sample is copied. Arrays over a SharedArrayBuffer are used by both sides. Arrays over an
 * ArrayBuffer move to the worker with the whole of their buffers: afterwards the caller's are
 * detached (of length 0), and if that worker dies they are lost with it. A function as `data` is
 * called for every worker that is started, so that such a run can be restarted.
 *
 * @param spec the run as plain data
 * @throws ArgumentError for a spec, options or samples that do not fit; nothing has been moved then
 * @throws UnsupportedError where there are no workers, as in Cloudflare Workers
 * @throws WorkerError when a worker has died and may not be replaced
 * @throws CheckpointError when the store fails, or holds another run
 * @example
 * const spec = { model: { inputSize: 64, layers: [dense(64), relu(), dense(10)] }, optimizer: {
 * name: 'adamw', lr: 1e-3 }, epochs: 10 }; const { model: state } = await trainInWorker(spec, () =>
 * loadDigits()); const model = await createModel(await createRuntime(), { ...spec.model, training:
 * false }); model.loadStateDict(state);
 */
export async function trainInWorker(
  spec: TrainingSpec,
  data: WorkerData,
  options: TrainInWorkerOptions = {},
): Promise<WorkerTraining> {
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

/** A run, checked as far as this side can. */
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
  const repeatable = [data, validation].every(
    (samples) => typeof samples === 'function' || buffersOf(samples).length === 0,
  );
  const { maxRestarts = repeatable ? 2 : 0 } = options;
  checkInteger('maxRestarts', maxRestarts, 0, 2 ** 31 - 1);
  if (maxRestarts > 0 && !repeatable) {
    fail(
      'maxRestarts',
      '0, unless data are functions or over SharedArrayBuffers: others are lost with a worker',
      maxRestarts,
    );
  }
  return { spec: readSpec(spec), data, options, maxRestarts, budgetMs, timeoutMs };
}

/**
 * A store in memory that keeps what it is given as it is: its bytes move from the worker and back.
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

type Outcome = Omit<WorkerTraining, 'restarts'>;

/** The life of one worker. */
class Attempt {
  readonly #run: WorkerRun;
  readonly #store: CheckpointStore;
  #worker: ModuleWorker | null = null;
  #heard = true;
  /** What the store is doing for this worker: the next may not ask before it is done. */
  #storing: Promise<void> = Promise.resolve();

  constructor(run: WorkerRun, store: CheckpointStore) {
    this.#run = run;
    this.#store = store;
  }

  /** @throws WorkerError when the worker dies, else what the run throws */
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
        // Rounds without a word are counted, not time: a page's timers may sleep, and messages come
        // before them.
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

  /** Checks the samples and moves them. */
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
      throw new ArgumentError(
        'data',
        'arrays whose buffers can move to another thread',
        String(error),
      );
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
