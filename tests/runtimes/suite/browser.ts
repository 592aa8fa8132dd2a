/**
 * Tests that only pages can run: how a runtime falls back where a page may not have threads, and
 * that frames continue while it trains.
 */
import {
  AdaL,
  createRuntime,
  type Optimizer,
  type Runtime,
  type RuntimeOptions,
  StepAbortedError,
  UnsupportedError,
  WorkerError,
} from '../../../src/index';
import { type Fault, type Moment, prelude } from '../../support/faults';
import { fillRough } from '../../support/gradients';
import { caught, check, checkEqual, Recorder } from './checks';
import { createAlternating } from './configuration';
import { checkSameState } from './state';
import { testNoTrainer, testTrainInWorker } from './train-in-worker';

const MANY = 200_000;
const TWO: RuntimeOptions = { threads: 2, parallelThreshold: 0, jobTimeoutMs: 500 };

function createAdaL(runtime: Runtime, elements = MANY): AdaL {
  return new AdaL(
    runtime,
    { w: { shape: [elements] }, b: { shape: [100] } },
    { weightDecay: 0.01 },
  );
}

/** Takes ten steps of both kinds, whose bits must equal those of one thread. */
async function checkSteps(runtime: Runtime): Promise<void> {
  const single = await createRuntime({ threads: 1 });
  const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
  const advance = createAlternating();
  for (let t = 1; t <= 10; t++) {
    for (const each of [optimizer, sound]) fillRough(each, t);
    await advance(optimizer);
    sound.step();
  }
  checkSameState(optimizer.stateDict(), sound.stateDict(), 'after 10 steps');
  optimizer.dispose();
  single.dispose();
}

/** Tests a runtime that has to work without threads, say why, and compute the right bits. */
async function checkFallsBack(
  options: RuntimeOptions,
  backend: string,
  reason: RegExp,
): Promise<void> {
  const runtime = await createRuntime(options);
  const { info } = runtime;
  checkEqual([info.backend, info.threads], [backend, 1], 'backend and threads');
  const why = backend === 'oracle' ? info.backendReason : info.threadsReason;
  check(reason.test(why), `the reason to match ${reason}, got: ${why}`);
  await checkSteps(runtime);
  runtime.dispose();
}

/** Replaces a property of an object while `body` runs. */
async function replacing<T extends object>(
  object: T,
  name: keyof T,
  value: unknown,
  body: () => Promise<void>,
): Promise<void> {
  const original = object[name];
  Object.defineProperty(object, name, { value, configurable: true, writable: true });
  try {
    await body();
  } finally {
    Object.defineProperty(object, name, { value: original, configurable: true, writable: true });
  }
}

/** Returns the addresses from which workers were started while `body` ran. */
async function startedFrom(body: () => Promise<void>): Promise<string[]> {
  const urls: string[] = [];
  class Noted extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      urls.push(String(url));
    }
  }
  await replacing(globalThis, 'Worker', Noted, body);
  return urls;
}

async function notIsolated(recorder: Recorder): Promise<void> {
  const reason = /not cross-origin isolated/;
  await recorder.test('threads asked for: one, with the reason', () =>
    checkFallsBack(TWO, 'simd', reason),
  );
  await recorder.test("threads 'auto': one, with the reason", () =>
    checkFallsBack({}, 'simd', reason),
  );
  await recorder.test("backend 'threads': an UnsupportedError", async () => {
    const error = await caught(() => createRuntime({ backend: 'threads' }));
    check(
      error instanceof UnsupportedError && reason.test(error.message),
      `an UnsupportedError, got ${error}`,
    );
  });
}

/** A Content-Security-Policy that allows workers from the page's own origin, but not from blobs. */
async function noBlob(recorder: Recorder): Promise<void> {
  for (const workerUrl of [undefined, new URL('../other/worker.js', import.meta.url)]) {
    await recorder.test(
      `threads by ${workerUrl ? 'the option workerUrl' : "the package's worker.js"}`,
      async () => {
        const urls = await startedFrom(async () => {
          const runtime = await createRuntime({ ...TWO, workerUrl });
          checkEqual(
            [runtime.info.backend, runtime.info.threads],
            ['threads', 2],
            'backend and threads',
          );
          await checkSteps(runtime);
          checkEqual(runtime.info.threads, 2, 'threads after steps');
          runtime.dispose();
        });
        check(
          urls.at(-1)?.endsWith(workerUrl ? '/other/worker.js' : '/worker.js') ?? false,
          `a worker by URL, got ${urls}`,
        );
      },
    );
  }
}

async function noWorkers(recorder: Recorder): Promise<void> {
  await recorder.test('threads asked for: one, with the reason', () =>
    checkFallsBack(TWO, 'simd', /could not be started/),
  );
  await recorder.test("threads 'auto': steps go on on one thread, and info says why", async () => {
    const runtime = await createRuntime({ parallelThreshold: 0 });
    for (let round = 0; round < 3; round++) {
      await checkSteps(runtime);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    checkEqual(runtime.info.threads, 1, 'threads');
    check(
      /could not be started|one CPU/.test(runtime.info.threadsReason),
      `a reason, got: ${runtime.info.threadsReason}`,
    );
    runtime.dispose();
  });
}

async function noWasm(recorder: Recorder): Promise<void> {
  await recorder.test('the oracle, with the reason', () =>
    checkFallsBack({}, 'oracle', /may not be compiled here/),
  );
  await recorder.test("backend 'simd': an UnsupportedError", async () => {
    const error = await caught(() => createRuntime({ backend: 'simd' }));
    check(error instanceof UnsupportedError, `an UnsupportedError, got ${error}`);
  });
}

async function isolated(recorder: Recorder): Promise<void> {
  await recorder.test('step on the main thread runs alone, stepAsync is shared', async () => {
    const runtime = await createRuntime(TWO);
    check(
      /step\(\) may not wait/.test(runtime.info.threadsReason),
      `a reason, got: ${runtime.info.threadsReason}`,
    );
    await checkSteps(runtime);
    runtime.dispose();
  });
  await recorder.test('without Atomics.waitAsync: by polling', () =>
    replacing(Atomics as { waitAsync?: unknown }, 'waitAsync', undefined, async () => {
      const runtime = await createRuntime(TWO);
      await checkSteps(runtime);
      checkEqual(runtime.info.threads, 2, 'threads');
      runtime.dispose();
    }),
  );
  await recorder.test('shared memory refused: one thread, with the reason', () => {
    class Refusing extends WebAssembly.Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        if (descriptor.shared && descriptor.maximum !== 1)
          throw new RangeError('could not allocate memory');
        super(descriptor);
      }
    }
    const body = () =>
      checkFallsBack(
        TWO,
        'simd',
        /could not be started: the engine refused a shared WebAssembly.Memory/,
      );
    return replacing(WebAssembly, 'Memory', Refusing, body);
  });
  await recorder.test(
    'when the engine has no memory left: less of it, or an UnsupportedError',
    manyRuntimes,
  );
  for (const moment of ['norm', 'update'] as const) {
    for (const fault of ['throw', 'trap', 'hang'] as const) {
      await recorder.test(`a worker that fails in the ${moment} phase (${fault})`, () =>
        failingWorker(fault, moment),
      );
    }
  }
  await recorder.test(
    'a worker that ends silently while idle: steps go on, and are right',
    silentEnd,
  );
}

/**
 * Tests that a smaller memory is taken when an engine refuses a reservation because its address
 * space, or its number of reservations, has run out.
 */
async function manyRuntimes(): Promise<void> {
  const hoard: WebAssembly.Memory[] = [];
  try {
    while (hoard.length < 400)
      hoard.push(new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true }));
  } catch {
    // The engine has reached its limit, as this test requires.
  }
  try {
    const runtime = await createRuntime(TWO);
    await checkSteps(runtime);
    runtime.dispose();
  } catch (error) {
    check(
      error instanceof UnsupportedError && /refused an unshared/.test(error.message),
      `an UnsupportedError, got ${error}`,
    );
  }
  hoard.length = 0;
}

/** Returns a host whose workers run `before` and then the library's own source. */
async function hostWith(
  before: string,
): Promise<NonNullable<RuntimeOptions['workerHost']> & { workers: Worker[] }> {
  const source = await (await fetch(new URL('../worker.js', import.meta.url))).text();
  const url = URL.createObjectURL(new Blob([before, source], { type: 'text/javascript' }));
  const workers: Worker[] = [];
  return {
    workers,
    spawn(input) {
      const worker = new Worker(url);
      worker.postMessage(input);
      workers.push(worker);
      return { ref() {}, unref() {}, terminate: () => worker.terminate() };
    },
  };
}

async function failingWorker(fault: Fault, moment: Moment): Promise<void> {
  const runtime = await createRuntime({
    ...TWO,
    backend: 'threads',
    workerHost: await hostWith(prelude(fault, moment)),
  });
  const single = await createRuntime({ threads: 1 });
  const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
  const saved = optimizer.stateDict();
  let error: unknown = null;
  while (!error && optimizer.stepCount < 20_000) {
    for (const each of [optimizer, sound]) fillRough(each, 1 + (optimizer.stepCount % 3));
    error = await optimizer.stepAsync().then(
      () => null,
      (reason) => reason,
    );
    if (!error) sound.step();
  }
  check(error instanceof WorkerError, `a WorkerError, got ${error}`);
  checkEqual(
    error instanceof StepAbortedError,
    moment === 'update',
    'whether weights were being written',
  );
  checkEqual(runtime.info.threads, 1, 'threads afterwards');
  if (moment === 'update') for (const each of [optimizer, sound]) each.loadStateDict(saved);
  checkSameState(optimizer.stateDict(), sound.stateDict(), 'after the failure');
  await stepBoth(optimizer, sound);
  runtime.dispose();
  single.dispose();
}

async function silentEnd(): Promise<void> {
  const host = await hostWith('');
  const runtime = await createRuntime({ ...TWO, backend: 'threads', workerHost: host });
  const single = await createRuntime({ threads: 1 });
  const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
  await stepBoth(optimizer, sound);
  for (const worker of host.workers) worker.terminate();
  await stepBoth(optimizer, sound);
  runtime.dispose();
  single.dispose();
}

async function stepBoth(optimizer: Optimizer, sound: Optimizer): Promise<void> {
  for (let t = 1; t <= 5; t++) {
    for (const each of [optimizer, sound]) fillRough(each, 50 + t);
    await optimizer.stepAsync();
    sound.step();
  }
  checkSameState(optimizer.stateDict(), sound.stateDict(), 'five steps later');
}

/** Tests by the name of the headers that the page was served with. */
const FALLBACKS: Record<string, ((recorder: Recorder) => Promise<void>)[]> = {
  plain: [notIsolated, testTrainInWorker],
  isolated: [isolated, testTrainInWorker],
  'csp-no-blob': [noBlob, testTrainInWorker],
  'csp-no-workers': [noWorkers, testNoTrainer],
  'csp-no-wasm': [noWasm],
};

export async function testFallbacks(
  headers: string,
): Promise<{ passed: number; failures: readonly object[] }> {
  const recorder = new Recorder();
  for (const test of FALLBACKS[headers]) await test(recorder);
  return { passed: recorder.passed, failures: recorder.failures };
}

/**
 * Prepares a million parameters. The returned function steps for `durationMs` and returns the
 * number of steps.
 */
export async function prepareTraining(
  threads: number,
  method: 'step' | 'stepAsync',
): Promise<(durationMs: number) => Promise<number>> {
  const runtime = await createRuntime({ threads, parallelThreshold: 0 });
  const optimizer = createAdaL(runtime, 1_000_000);
  fillRough(optimizer, 1);
  return async (durationMs) => {
    const end = performance.now() + durationMs;
    while (performance.now() < end) await optimizer[method]();
    const { stepCount } = optimizer;
    runtime.dispose();
    return stepCount;
  };
}

/** Returns the longest time between two frames while `work` runs, in milliseconds. */
export async function longestFrameGap(
  work: () => Promise<number>,
): Promise<{ gapMs: number; steps: number }> {
  let last = performance.now();
  let gapMs = 0;
  let watching = true;
  const onFrame = (): void => {
    const now = performance.now();
    gapMs = Math.max(gapMs, now - last);
    last = now;
    if (watching) requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
  const steps = await work();
  watching = false;
  gapMs = Math.max(gapMs, performance.now() - last);
  return { gapMs: Math.round(gapMs), steps };
}
