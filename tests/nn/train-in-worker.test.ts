/**
 * Training in a worker: the bits of `fit` here, whatever becomes of workers; data that move, or
 * stay; errors that are the run's own.
 */
import worker_threads from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as packaged from '../../dist/nn.js';
import { memoryStore } from '../../src/checkpoint';
import { ExponentialMovingAverage, GradientAccumulator } from '../../src/entries/gradients';
import {
  ArgumentError,
  CheckpointError,
  NonFiniteGradientError,
  UnsupportedError,
  WorkerError,
} from '../../src/errors';
import { createOptimizer } from '../../src/index';
import {
  batchNorm,
  createModel,
  dense,
  dropout,
  evaluate,
  type FitProgress,
  fit,
  type Model,
  meanSquaredError,
  relu,
  type Samples,
  sequential,
  type TrainInWorkerOptions,
  type TrainingSpec,
  trainInWorker,
  type WorkerData,
} from '../../src/nn';
import { reduceOnPlateau, scheduleFromConfig } from '../../src/schedules';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const workerUrl = new URL('../../dist/train-worker.js', import.meta.url);
const dyingUrl = new URL('../support/dying-worker.js', import.meta.url);

const train = clouds(101, 1);
const validation = clouds(40, 2);
const copy = ({ features, labels }: typeof train) => ({
  features: features.slice(),
  labels: labels.slice(),
});

const schedule = reduceOnPlateau({ lr: 0.02, patience: 0, factor: 0.5 }).config;
const spec: TrainingSpec = {
  model: {
    inputSize: 4,
    layers: sequential([dense(12), batchNorm(), relu(), dropout(0.25), dense(3)]),
    batchSize: 16,
    seed: 3,
  },
  optimizer: { name: 'adal', lr: 0.02, eps: 0, betas: [0.9, 0.95] },
  schedule,
  epochs: 4,
  seed: 5,
  earlyStopping: { patience: 10 },
};

/** The same run on this thread. */
async function trainHere({
  model: options,
  optimizer: { name, ...own },
  schedule: config,
  runtime: _,
  ...plain
}: TrainingSpec) {
  return withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, options);
    const optimizer = await createOptimizer(name, model.parameters, { ...own, runtime } as never);
    const lr = config && scheduleFromConfig(config as never);
    const accumulator = plain.accumulator && new GradientAccumulator(optimizer, plain.accumulator);
    const average = plain.average && new ExponentialMovingAverage(optimizer, plain.average);
    average?.apply();
    const result = await fit(model, train, {
      ...plain,
      optimizer,
      accumulator,
      average,
      validation,
      schedule: lr,
    });
    const trained = parametersOf(model);
    return { result, model: model.stateDict(), trained, loss: evaluate(model, validation).loss };
  });
}

const inWorker = (data: WorkerData, options: TrainInWorkerOptions = {}, run = spec) =>
  trainInWorker(run, data, { validation: () => copy(validation), workerUrl, ...options });

const bits = ({ arrays }: { arrays: Readonly<Record<string, { data: Float32Array }>> }) =>
  Object.entries(arrays).map(([name, { data }]) => [name, bitsOf(data)]);
const parametersOf = (model: Model) =>
  Object.entries(model.parameters).map(([name, { value }]) => [name, bitsOf(value.data)]);
const figures = <R extends { samplesPerSecond: number }>({ samplesPerSecond: _, ...rest }: R) =>
  rest;

/** Lets the first workers die, each in its way: `exit 5` at its fifth progress report. */
function letDie(deaths: readonly string[] = []): worker_threads.Worker[] {
  const started: worker_threads.Worker[] = [];
  const { Worker } = worker_threads;
  class Observed extends Worker {
    constructor(url: URL, options: object) {
      const death = deaths[started.length];
      super(death ? dyingUrl : url, { ...options, argv: death?.split(' ') });
      started.push(this);
    }
  }
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue({
    ...worker_threads,
    Worker: Observed,
  } as never);
  return started;
}
afterEach(() => void vi.restoreAllMocks());

describe('a run', () => {
  it('splits, orders, weighs and judges samples as fit does', async () => {
    const sampleWeights = Float32Array.from({ length: 101 }, (_, i) => i % 3);
    const own: TrainingSpec = {
      model: {
        ...spec.model,
        penalties: [{ match: /weight$/, l2: 1e-3 }],
      },
      optimizer: { name: 'adamw', lr: 0.01 },
      epochs: 2,
      shuffle: false,
      validationSplit: 0.3,
      metrics: ['accuracy', 'f1', 'auc'],
    };
    const weighted = () => ({ ...copy(train), sampleWeights: sampleWeights.slice() });
    const { result, model } = await trainInWorker(own, weighted, { workerUrl });
    await withRuntime(simd, async (runtime) => {
      const here = await createModel(runtime, own.model);
      const optimizer = await createOptimizer('adamw', here.parameters, { lr: 0.01, runtime });
      const { epochs, shuffle, validationSplit, metrics } = own;
      const options = { optimizer, epochs, shuffle, validationSplit, metrics } as const;
      expect(figures(result)).toEqual(figures(await fit(here, weighted(), options as never)));
      expect(bits(model)).toEqual(bits(here.stateDict()));
    });
    await expect(inWorker(weighted, {}, own)).rejects.toThrow('"validation" expected nothing');
  });

  it('has the bits of fit on this thread, and reports as that does', async () => {
    const reference = await trainHere(spec);
    const seen: FitProgress[] = [];
    const run = await inWorker(() => copy(train), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(figures(run.result)).toEqual(figures(reference.result));
    expect(bits(run.model)).toEqual(bits(reference.model));
    expect(run.restarts).toBe(0);
    expect(seen.flatMap(({ result }) => result ?? [])).toEqual(reference.result.epochs);
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { ...spec.model, training: false });
      model.loadStateDict(run.model);
      expect(evaluate(model, validation).loss).toBe(reference.loss);
    });
  });

  it('on several threads of its own too', async () => {
    const reference = await trainHere(spec);
    const runtime = { threads: 2, backend: 'threads', parallelThreshold: 0 } as const;
    const run = await inWorker(() => copy(train), {}, { ...spec, runtime });
    expect(bits(run.model)).toEqual(bits(reference.model));
  });

  it('gives what a model evaluates with, and what its optimizer goes on with', async () => {
    const own: TrainingSpec = {
      ...spec,
      schedule: undefined,
      optimizer: { name: 'schedule-free-adamw', lr: 0.02 },
    };
    const [reference, run] = [await trainHere(own), await inWorker(() => copy(train), {}, own)];
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, own.model);
      model.loadStateDict(run.model);
      expect(evaluate(model, validation).loss).toBe(reference.loss);
      const optimizer = await createOptimizer('schedule-free-adamw', model.parameters, {
        lr: 0.02,
        runtime,
      });
      optimizer.loadStateDict(run.optimizer);
      expect(bits(model.stateDict())).toEqual(bits(reference.model));
      expect(evaluate(model, validation).loss).toBe(reference.loss);
    });
  });

  it('accumulates gradients and averages weights, whatever becomes of the worker', async () => {
    const own: TrainingSpec = {
      ...spec,
      schedule: undefined,
      accumulator: { steps: 3 },
      average: { decay: 0.9 },
    };
    const reference = await trainHere(own);
    letDie(['exit 9']);
    const run = await inWorker(() => copy(train), { budgetMs: 0, checkpoint: { every: 1 } }, own);
    expect(run.restarts).toBe(1);
    expect(figures(run.result)).toEqual(figures(reference.result));
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, own.model);
      model.loadStateDict(run.model);
      expect(evaluate(model, validation).loss).toBe(reference.loss);
      const optimizer = await createOptimizer('adal', model.parameters, { runtime });
      optimizer.loadStateDict(run.optimizer);
      expect(bits(run.model)).toEqual(bits(reference.model));
      expect(parametersOf(model)).toEqual(reference.trained);
    });
  });

  it('is started by the package as it is installed', async () => {
    const run = await packaged.trainInWorker(spec as never, () => copy(train), {
      validation: () => copy(validation),
    });
    expect(bits(run.model)).toEqual(bits((await trainHere(spec)).model));
  });
});

describe('data', () => {
  it('in ArrayBuffers move: the caller’s are empty afterwards', async () => {
    const [data, held] = [copy(train), copy(validation)];
    const run = await inWorker(data, { validation: held });
    expect(
      [data, held].flatMap(({ features, labels }) => [features.length, labels.length]),
    ).toEqual([0, 0, 0, 0]);
    expect(bits(run.model)).toEqual(bits((await trainHere(spec)).model));
  });

  it('in SharedArrayBuffers stay', async () => {
    const share = <T extends Float32Array | Int32Array>(array: T): T => {
      const shared = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(
        new SharedArrayBuffer(array.byteLength),
      );
      shared.set(array);
      return shared;
    };
    const data = { features: share(train.features), labels: share(train.labels) };
    const run = await inWorker(data, { maxRestarts: 1 });
    expect(data.features).toEqual(share(train.features));
    expect(bits(run.model)).toEqual(bits((await trainHere(spec)).model));
  });

  it('stay with the caller when something does not fit', async () => {
    const data = copy(train);
    const refused: [() => Promise<unknown>, string][] = [
      [
        () => inWorker({ ...data, labels: new Int32Array(3) }),
        '"data.labels" expected an Int32Array of 101 elements',
      ],
      [
        () => inWorker(data, { validation: { features: new Float32Array(3) } }),
        '"validation" expected 4 values per sample',
      ],
      [
        () => inWorker(data, {}, { ...spec, epochs: 0 }),
        '"epochs" expected an integer in [1, 2147483647], got 0',
      ],
      [() => inWorker(data, {}, { ...spec, seed: -1 }), '"seed" expected an integer'],
      [
        () => inWorker(data, {}, { ...spec, metrics: { topK: 4 } }),
        '"topK" expected an integer in [1, 3], got 4',
      ],
      [() => inWorker(data, {}, { ...spec, optimizer: { name: 'adam', lr: -1 } }), '"lr" expected'],
      [
        () => inWorker(data, {}, { ...spec, optimizer: { name: 'adamant' } as never }),
        '"name" expected one of adal',
      ],
      [
        () => inWorker(data, {}, { ...spec, optimizer: { name: 'adam', lr: () => 1 } }),
        '"spec" expected plain data',
      ],
      [
        () => inWorker(data, {}, { ...spec, schedule: (() => 1) as never }),
        '"spec.schedule" expected a config',
      ],
      [
        () => inWorker(data, {}, { ...spec, schedule: { name: 'cubic' } }),
        '"config.name" expected',
      ],
      [
        () => inWorker(data, {}, { ...spec, accumulator: { steps: 0 } }),
        '"steps" expected an integer',
      ],
      [() => inWorker(data, {}, { ...spec, average: { decay: 1 } }), '"decay" expected'],
      [
        () => inWorker(data, {}, { ...spec, epoch: 1 } as never),
        '"spec.epoch" expected one of model, optimizer',
      ],
      [
        () =>
          inWorker(
            data,
            {},
            { ...spec, model: { inputSize: 4, layers: [{ kind: 'dense', units: 0.5 }] } },
          ),
        'expected an integer',
      ],
      [
        () => inWorker(data, { maxRestarts: 1 }),
        '"maxRestarts" expected 0, because these samples are lost with a worker',
      ],
      [
        () => inWorker(data, { checkpoint: { every: 0 } }),
        '"checkpoint.every" expected an integer',
      ],
      [
        () => inWorker(data, { checkpoint: { keep: 'best' } as never }),
        '"checkpoint.keep" expected one of store, every',
      ],
      [() => inWorker(data, { timeoutMs: 0 }), '"timeoutMs" expected an integer'],
      [
        () => inWorker(data, { verbose: true } as never),
        '"options.verbose" expected one of validation',
      ],
    ];
    for (const [run, message] of refused) {
      const error = await run().catch((reason) => reason);
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toContain(message);
    }
    expect(data).toEqual(train);
  });
});

describe('a worker that dies', () => {
  it.each([
    ['exit', 'exit code 7', [9, 4]],
    ['error', 'Error: out of order', [9, 4]],
    ['silence', 'silent for 3000 ms', [9]],
  ])('by %s is replaced, and nothing of the run is lost', async (by, reason, reports) => {
    const reference = await trainHere(spec);
    letDie(reports.map((after) => `${by} ${after}`));
    const reasons: string[] = [];
    const run = await inWorker(() => copy(train), {
      budgetMs: 0,
      timeoutMs: by === 'silence' ? 3000 : 60_000,
      checkpoint: { every: 4 },
      onRestart: (why) => reasons.push(why),
    });
    expect(run.restarts).toBe(reports.length);
    expect(reasons).toEqual(reports.map(() => `the training worker died: ${reason}`));
    expect(figures(run.result)).toEqual(figures(reference.result));
    expect(bits(run.model)).toEqual(bits(reference.model));
  });

  it('by termination at any step is replaced and continues from the checkpoint', async () => {
    const reference = await trainHere(spec);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 27 }), async (stop) => {
        const started = letDie();
        let resumedAt = 0;
        const run = await inWorker(() => copy(train), {
          budgetMs: 0,
          checkpoint: { every: 5 },
          onProgress({ step }) {
            if (started.length === 1 && step >= stop) started[0]!.terminate();
            else if (started.length === 2) resumedAt ||= step;
          },
        });
        vi.restoreAllMocks();
        expect(run.restarts).toBe(1);
        expect(resumedAt).toBeGreaterThanOrEqual(stop - 7);
        expect(bits(run.model)).toEqual(bits(reference.model));
        expect(figures(run.result)).toEqual(figures(reference.result));
      }),
      { numRuns: 5 },
    );
  });

  it('is not replaced more often than was said, nor when its data went with it', async () => {
    const started = letDie(['exit 1', 'exit 1', 'exit 1', 'exit 1']);
    const run = inWorker(() => copy(train), { budgetMs: 0, maxRestarts: 1 });
    await expect(run).rejects.toThrow(new WorkerError('the training worker died: exit code 7'));
    expect(started.length).toBe(2);
    await expect(
      inWorker(copy(train), { budgetMs: 0, validation: copy(validation) }),
    ).rejects.toBeInstanceOf(WorkerError);
    expect(started.length).toBe(3);
  });

  it('because it could not be started is told, with the reason', async () => {
    const nowhere = new URL('nowhere.js', import.meta.url);
    await expect(
      inWorker(() => copy(train), { workerUrl: nowhere, maxRestarts: 0 }),
    ).rejects.toThrow(/nowhere\.js/);
  });
});

describe('a run that ends early', () => {
  it('by its signal gives what was learnt, as fit does', async () => {
    const controller = new AbortController();
    const { result, model } = await inWorker(() => copy(train), {
      budgetMs: 0,
      signal: controller.signal,
      onProgress: ({ step }) => step >= 10 && controller.abort(),
    });
    expect(result.reason).toBe('aborted');
    expect(result.steps).toBeGreaterThanOrEqual(10);
    expect(Object.keys(model.arrays)).toContain('dense1.weight');
    const before = await inWorker(() => copy(train), { signal: AbortSignal.abort() });
    expect(before.result).toMatchObject({ reason: 'aborted', steps: 0 });
  });

  it('is resumed from its store, with the bits of one that did not', async () => {
    const reference = await trainHere(spec);
    const store = memoryStore();
    const controller = new AbortController();
    await inWorker(() => copy(train), {
      budgetMs: 0,
      checkpoint: { store },
      signal: controller.signal,
      onProgress: ({ step }) => step >= 10 && controller.abort(),
    });
    const run = await inWorker(() => copy(train), { checkpoint: { store } });
    expect(bits(run.model)).toEqual(bits(reference.model));
    expect(figures(run.result)).toEqual(figures(reference.result));
    const other = inWorker(() => copy(train), { checkpoint: { store } }, { ...spec, seed: 6 });
    await expect(other).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'other-run' });
    await expect(other).rejects.toBeInstanceOf(CheckpointError);
  });

  it('by an error of the run is not begun again, and the error is the run’s own', async () => {
    const started = letDie();
    const features = train.features.slice();
    features[50] = Number.NaN;
    const labels = train.labels.slice();
    const error = await inWorker(() => ({
      features: features.slice(),
      labels: labels.slice(),
    })).catch((reason) => reason);
    expect(error).toBeInstanceOf(NonFiniteGradientError);
    expect(error).toMatchObject({
      code: 'ERR_NON_FINITE',
      reason: 'non-finite',
      group: 0,
      name: 'NonFiniteGradientError',
    });
    const broken = {
      load: async () => null,
      save: () => Promise.reject(new CheckpointError('io', 'the disk is full')),
    };
    await expect(inWorker(() => copy(train), { checkpoint: { store: broken } })).rejects.toThrow(
      'the disk is full',
    );
    const stumble = () => {
      throw new Error('the page stumbled');
    };
    await expect(inWorker(() => copy(train), { onProgress: stumble })).rejects.toThrow(
      'the page stumbled',
    );
    const data = (): Samples => {
      throw new Error('not found');
    };
    await expect(inWorker(data)).rejects.toThrow('not found');
    expect(started.length).toBe(4);
  });
});

it('where there are no workers, that is said', async () => {
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => undefined as never);
  await expect(inWorker(() => copy(train))).rejects.toThrow(
    new UnsupportedError('no workers here: use fit, which yields to the event loop'),
  );
});

it('learns values, with losses and tensors of its own', async () => {
  const features = {
    data: Float32Array.from({ length: 80 }, (_, i) => (i % 9) / 9),
    dims: [40, 2],
  };
  const targets = Float32Array.from(
    { length: 40 },
    (_, i) => features.data[2 * i]! - features.data[2 * i + 1]!,
  );
  const { result } = await trainInWorker(
    {
      model: { inputSize: 2, layers: [dense(1)], loss: meanSquaredError() },
      optimizer: { name: 'adam', lr: 0.05 },
      epochs: 80,
    },
    { features, targets },
    { workerUrl },
  );
  expect(result.epochs.at(-1)!.loss).toBeLessThan(1e-3);
});
