/**
 * Tests training in a module worker of a page: it gives the bits of `fit` on the page itself, even
 * if the worker dies.
 */
import { AdamW, createRuntime, WorkerError } from '../../../src/index';
import {
  createModel,
  dense,
  fit,
  type ModelStateDict,
  relu,
  type TrainInWorkerOptions,
  trainInWorker,
} from '../../../src/nn';
import { caught, check, checkBits, checkEqual, type Recorder } from './checks';

const MODEL = { inputSize: 4, layers: [dense(16), relu(), dense(3)], batchSize: 16, seed: 1 };
const RUN = { epochs: 6, seed: 2 };
const LR = 0.01;

const samples = () => ({
  features: Float32Array.from({ length: 800 }, (_, i) => Math.fround(((i * 37) % 101) / 101)),
  labels: Int32Array.from({ length: 200 }, (_, i) => (i * i) % 3),
});

const inWorker = (options: TrainInWorkerOptions) =>
  trainInWorker({ model: MODEL, optimizer: { name: 'adamw', lr: LR }, ...RUN }, samples, {
    budgetMs: 0,
    ...options,
  });

async function checkModel(state: ModelStateDict): Promise<void> {
  const runtime = await createRuntime({ threads: 1 });
  const model = await createModel(runtime, MODEL);
  await fit(model, samples(), {
    optimizer: new AdamW(runtime, model.parameters, { lr: LR }),
    ...RUN,
  });
  for (const [name, { data }] of Object.entries(model.stateDict().arrays))
    checkBits(state.arrays[name].data, data, name);
  runtime.dispose();
}

/** Returns the workers that are started while `body` runs. */
async function observed(body: (workers: Worker[]) => Promise<void>): Promise<void> {
  const { Worker: Original } = globalThis;
  const workers: Worker[] = [];
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.push(this);
    }
  };
  try {
    await body(workers);
  } finally {
    globalThis.Worker = Original;
  }
}

export async function testTrainInWorker(recorder: Recorder): Promise<void> {
  await recorder.test('trainInWorker: the bits of fit, data moved', async () => {
    const data = samples();
    const spec = { model: MODEL, optimizer: { name: 'adamw', lr: LR } as const, ...RUN };
    const { model, result } = await trainInWorker(spec, data);
    checkEqual([data.features.length, data.labels.length], [0, 0], 'what is left of the data');
    checkEqual(result.reason, 'complete', 'why it ended');
    await checkModel(model);
  });

  await recorder.test('trainInWorker: a worker that ends without a word is replaced', () =>
    observed(async (workers) => {
      const { model, restarts } = await inWorker({
        timeoutMs: 1500,
        checkpoint: { every: 10 },
        onProgress: ({ step }) => step === 35 && workers.length === 1 && workers[0].terminate(),
      });
      checkEqual([restarts, workers.length], [1, 2], 'restarts and workers');
      await checkModel(model);
    }),
  );
}

/** Tests a page that may not start workers. */
export async function testNoTrainer(recorder: Recorder): Promise<void> {
  await recorder.test('trainInWorker: a WorkerError that says so', async () => {
    const error = await caught(() => inWorker({ maxRestarts: 0, timeoutMs: 5000 }));
    check(error instanceof WorkerError, `a WorkerError, got ${error}`);
  });
}
