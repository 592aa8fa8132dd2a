/**
 * The worker of `trainInWorker`: it builds the run from the spec, trains it with `fit`, and posts
 * the result.
 *
 * Invariant: the starting thread keeps the checkpoints, so that a crash of this worker loses only
 * the steps since the last one.
 */

import { GradientAccumulator } from '../accumulation/gradient-accumulator';
import { ExponentialMovingAverage } from '../averaging/moving-average';
import type { CheckpointStore } from '../checkpoint/stores/store';
import type { Optimizer } from '../optimizers/optimizer';
import { createOptimizer } from '../optimizers/registry';
import { openParentPort } from '../runtime/parent-port';
import { createRuntime } from '../runtime/runtime';
import { scheduleFromConfig } from '../schedules/config';
import { createModel } from './create-model';
import { fit } from './fit';
import { checkFitOptions, type FitOptions } from './fit-options';
import type { Model } from './model';
import { toSamples } from './samples';
import {
  buffersOf,
  receiveError,
  sendError,
  type TrainerReport,
  type TrainerRequest,
} from './training-messages';

/** Milliseconds between two `alive` messages. */
const ALIVE_MS = 1000;

const port = openParentPort();
const controller = new AbortController();

function report(message: TrainerReport): void {
  port.post(message, message.type === 'done' || message.type === 'save' ? buffersOf(message) : []);
}

/** A run without its data: model, optimizer and checked options. */
interface Prepared {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly options: FitOptions;
}
let prepared: Prepared | null = null;

async function prepare({ spec, budgetMs }: TrainerRequest & { type: 'prepare' }): Promise<void> {
  const { epochs, seed, initialEpoch, lastBatch, shuffle, validationSplit } = spec;
  const { metrics, earlyStopping } = spec;
  const { name, ...own } = spec.optimizer;
  const runtime = await createRuntime(spec.runtime);
  const model = await createModel(runtime, spec.model);
  const optimizer = await createOptimizer(name, model.parameters, { ...own, runtime } as never);
  const schedule = spec.schedule && scheduleFromConfig(spec.schedule);
  const accumulator = spec.accumulator && new GradientAccumulator(optimizer, spec.accumulator);
  const average = spec.average && new ExponentialMovingAverage(optimizer, spec.average);
  average?.apply();
  const { signal } = controller;
  const onProgress: FitOptions['onProgress'] = (progress) => report({ type: 'progress', progress });
  const rest = { schedule, accumulator, average, budgetMs, signal, onProgress };
  const options = {
    optimizer,
    epochs,
    seed,
    initialEpoch,
    lastBatch,
    shuffle,
    validationSplit,
    metrics,
    earlyStopping,
    ...rest,
  };
  checkFitOptions(options);
  prepared = { model, optimizer, options };
  report({ type: 'prepared', format: model.format });
}

async function train({
  data,
  validation,
  every,
}: TrainerRequest & { type: 'train' }): Promise<void> {
  const { model, optimizer, options } = prepared!;
  const result = await fit(model, toSamples(model.format, data), {
    ...options,
    validation: validation && toSamples(model.format, validation),
    checkpoint: { store: remoteStore, every },
  });
  report({ type: 'done', result, model: model.stateDict(), optimizer: optimizer.stateDict() });
}

/** The pending `load` or `save`; `fit` has at most one. */
let answer: {
  resolve: (bytes: Uint8Array<ArrayBuffer> | null) => void;
  reject: (error: Error) => void;
} | null = null;

function ask(message: TrainerReport): Promise<Uint8Array<ArrayBuffer> | null> {
  return new Promise((resolve, reject) => {
    answer = { resolve, reject };
    report(message);
  });
}

const remoteStore: CheckpointStore = {
  async load() {
    const bytes = await ask({ type: 'load' });
    return bytes && { bytes, version: '' };
  },
  async save(bytes) {
    await ask({ type: 'save', bytes: bytes as Uint8Array<ArrayBuffer> });
    return { version: '' };
  },
};

async function handle(message: TrainerRequest): Promise<void> {
  switch (message.type) {
    case 'prepare':
      return prepare(message);
    case 'train':
      return train(message);
    case 'loaded':
      return answer?.resolve(message.bytes);
    case 'saved':
      return answer?.resolve(null);
    case 'store-failed':
      return answer?.reject(receiveError(message.error));
    case 'abort':
      return controller.abort();
  }
}

port.listen((message) => {
  handle(message as TrainerRequest).catch((error) =>
    report({ type: 'failed', error: sendError(error) }),
  );
});
setInterval(() => report({ type: 'alive' }), ALIVE_MS);
