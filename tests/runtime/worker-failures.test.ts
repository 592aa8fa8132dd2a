/**
 * When workers fail or never start, nothing hangs, nothing is lost unsaid, and nothing is wrong.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type AdaL,
  createRuntime,
  type Runtime,
  StepAbortedError,
  type StepResult,
  WorkerError,
} from '../../src/index';
import { nodeWorkerHost } from '../../src/runtime/worker-host-node';
import type { WorkerHost } from '../../src/runtime/worker-host-types';
import { simd, withRuntime } from '../support/backends';
import { failure } from '../support/errors';
import { countingHost, faultyHost, killableHost, sourceHost } from '../support/evil-host';
import type { Fault } from '../support/faults';
import { fillRough } from '../support/gradients';
import { createLargeAdaL, MANY } from '../support/large-adal';
import { forgetMachine, pretendMachine } from '../support/machine';
import { snapshot } from '../support/snapshot';

afterEach(forgetMachine);

function threadsRuntime(workerHost: WorkerHost, more: object = {}): Promise<Runtime> {
  return createRuntime({
    backend: 'threads',
    threads: 2,
    parallelThreshold: 0,
    jobTimeoutMs: 300,
    workerHost,
    ...more,
  });
}

/**
 * Five more steps of both with the same gradients give the same results and end in the same state.
 */
async function expectSameSteps(
  optimizer: AdaL,
  sound: AdaL,
  method: 'step' | 'stepAsync',
): Promise<void> {
  for (let t = 1; t <= 5; t++) {
    for (const each of [optimizer, sound]) fillRough(each, 50 + t);
    const result: StepResult = await optimizer[method]();
    expect(result).toEqual(sound.step());
  }
  expect(snapshot(optimizer)).toEqual(snapshot(sound));
}

describe.each(['step', 'stepAsync'] as const)('%s with a worker that fails', (method) => {
  /**
   * Steps until the faulty worker has drawn its task; a sound optimizer on one thread follows one
   * step behind.
   */
  async function untilFailure(optimizer: AdaL, sound: AdaL): Promise<unknown> {
    for (let t = 1; t <= 20_000; t++) {
      if (t <= 3) fillRough(optimizer, t);
      const before = optimizer.stepCount;
      const error = await failure(() => optimizer[method]());
      if (error) {
        expect(optimizer.stepCount).toBe(before);
        return error;
      }
      if (t <= 3) fillRough(sound, t);
      sound.step();
    }
    throw new Error('the worker never got a task');
  }

  const REASONS: Record<Fault, RegExp> = {
    exit: /worker 1 exited/,
    throw: /worker 1 failed: Error: a fault of its own/,
    trap: /worker 1 failed: RuntimeError: memory access out of bounds/,
    hang: /no thread made progress for 300 ms \("jobTimeoutMs"\)/,
  };
  const FAULTS = Object.keys(REASONS) as Fault[];

  it.each(FAULTS)(
    'in the norm phase (%s): WorkerError, nothing has changed, one thread goes on',
    async (fault) => {
      await withRuntime(simd, async (single) => {
        const host = countingHost(faultyHost(fault, 'norm'));
        const runtime = await threadsRuntime(host);
        const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
        const error = await untilFailure(optimizer, sound);
        expect(error).toBeInstanceOf(WorkerError);
        expect(error).not.toBeInstanceOf(StepAbortedError);
        expect(error).toMatchObject({
          code: 'ERR_WORKER',
          message: expect.stringMatching(REASONS[fault]),
        });
        expect((error as Error).message).toContain(
          'nothing has changed, and further work runs on one thread',
        );
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
        expect(runtime.info).toMatchObject({
          backend: 'threads',
          threads: 1,
          threadsReason: expect.stringMatching(REASONS[fault]),
        });
        expect(host.terminated).toBe(1);
        await expectSameSteps(optimizer, sound, method);
        runtime.dispose();
      });
    },
  );

  it.each(FAULTS)(
    'in the update phase (%s): StepAbortedError, refuses until loadStateDict, then goes on right',
    async (fault) => {
      await withRuntime(simd, async (single) => {
        const runtime = await threadsRuntime(faultyHost(fault, 'update'));
        const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
        const saved = optimizer.stateDict();
        const error = await untilFailure(optimizer, sound);
        expect(error).toBeInstanceOf(StepAbortedError);
        expect(error).toBeInstanceOf(WorkerError);
        expect(error).toMatchObject({
          code: 'ERR_STEP_ABORTED',
          message: expect.stringMatching(REASONS[fault]),
        });
        expect((error as Error).message).toContain('load a state dict before the next step');
        expect(runtime.info).toMatchObject({
          threads: 1,
          threadsReason: expect.stringMatching(REASONS[fault]),
        });
        const { stepCount } = optimizer;
        for (const use of [
          () => optimizer.step(),
          () => optimizer.stepAsync(),
          () => optimizer.stateDict(),
        ]) {
          expect(await failure(use)).toBeInstanceOf(StepAbortedError);
        }
        expect(optimizer.stepCount).toBe(stepCount);
        expect(optimizer.params.w.length, 'gradients and parameters can still be looked at').toBe(
          MANY,
        );
        optimizer.loadStateDict(saved);
        sound.loadStateDict(saved);
        await expectSameSteps(optimizer, sound, method);
        runtime.dispose();
      });
    },
  );

  it.each(['exit', 'throw', 'trap'] as Fault[])(
    'while idle (%s): the next step says so, and nothing has changed',
    async (fault) => {
      pretendMachine(2);
      let isDone = false;
      // Now and then the death is noticed in the middle of an update, as tested above: once more.
      for (let attempt = 0; attempt < 20 && !isDone; attempt++) {
        // 'auto' does not wait for workers: they start, and fail, with the first step.
        const runtime = await threadsRuntime(faultyHost(fault, 'idle'), { threads: 'auto' });
        expect(runtime.info.threads).toBe(2);
        await withRuntime(simd, async (single) => {
          const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
          const error = await untilFailure(optimizer, sound);
          expect(error).toBeInstanceOf(WorkerError);
          expect((error as Error).message).toMatch(REASONS[fault]);
          expect(runtime.info.threads).toBe(1);
          if (error instanceof StepAbortedError) return;
          expect(snapshot(optimizer)).toEqual(snapshot(sound));
          for (const each of [optimizer, sound]) fillRough(each, 9);
          const result: StepResult = await optimizer[method]();
          expect(result).toEqual(sound.step());
          expect(snapshot(optimizer)).toEqual(snapshot(sound));
          isDone = true;
        });
        runtime.dispose();
      }
      expect(isDone).toBe(true);
    },
  );

  it('killed from outside while idle', async () => {
    await withRuntime(simd, async (single) => {
      const host = killableHost();
      const runtime = await threadsRuntime(host);
      const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
      for (const each of [optimizer, sound]) {
        fillRough(each, 1);
        each.step();
      }
      await host.kill();
      const before = snapshot(optimizer);
      const error = await failure(() => optimizer[method]());
      expect(error).toBeInstanceOf(WorkerError);
      expect(error).toMatchObject({
        code: 'ERR_WORKER',
        message: expect.stringMatching(/^worker 1 exited.*nothing has changed/),
      });
      expect(snapshot(optimizer)).toEqual(before);
      expect(runtime.info).toMatchObject({
        threads: 1,
        threadsReason: expect.stringContaining('worker 1 exited'),
      });
      expect(await optimizer[method]()).toEqual(sound.step());
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      runtime.dispose();
    });
  });

  it('one bad worker among sound ones ends all of them', async () => {
    await withRuntime(simd, async (single) => {
      const host = countingHost(faultyHost('throw', 'norm', 1));
      const runtime = await threadsRuntime(host, { threads: 4 });
      const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
      const error = await untilFailure(optimizer, sound);
      expect(error).toMatchObject({
        code: 'ERR_WORKER',
        message: expect.stringMatching(/^worker 2 failed: Error: a fault/),
      });
      expect(host).toMatchObject({ spawned: 3, terminated: 3, referenced: 0 });
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      for (const each of [optimizer, sound]) {
        fillRough(each, 9);
        each.step();
      }
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      runtime.dispose();
    });
  });
});

describe('workers that do not start', () => {
  const HOSTS: [string, WorkerHost, RegExp][] = [
    ['exit at once', sourceHost('process.exit(7)'), /worker \d did not start: exit code 7/],
    [
      'throw at once',
      sourceHost('throw new Error("broken")'),
      /worker \d did not start: Error: broken/,
    ],
    [
      'are no JavaScript',
      sourceHost('this is not JavaScript'),
      /worker \d did not start: SyntaxError/,
    ],
    [
      'cannot instantiate the module',
      {
        spawn: (input, onEnd) =>
          nodeWorkerHost.spawn({ ...input, module: {} as WebAssembly.Module }, onEnd),
      },
      /worker \d did not start: TypeError/,
    ],
  ];

  it.each(HOSTS)(
    'that %s: createRuntime falls back to simd and says why',
    async (_, workerHost, reason) => {
      const runtime = await createRuntime({ threads: 2, workerHost });
      expect(runtime.info).toMatchObject({ backend: 'simd', threads: 1, sharedMemory: false });
      expect(runtime.info.threadsReason).toMatch(/^threads could not be started: /);
      expect(runtime.info.threadsReason).toMatch(reason);
      const optimizer = createLargeAdaL(runtime);
      fillRough(optimizer, 1);
      expect(optimizer.step().step).toBe(1);
      runtime.dispose();
    },
  );

  it.each(HOSTS)(
    "that %s: an error when backend 'threads' was asked for",
    async (_, workerHost, reason) => {
      const host = countingHost(workerHost);
      const error = await failure(() =>
        createRuntime({ backend: 'threads', threads: 3, workerHost: host }),
      );
      expect(error).toBeInstanceOf(WorkerError);
      expect((error as Error).message).toMatch(reason);
      expect(host).toMatchObject({ spawned: 2, terminated: 2 });
    },
  );

  it.each(HOSTS)(
    "that %s: no step fails under 'auto', and info says why",
    async (_, workerHost, reason) => {
      pretendMachine(2);
      await withRuntime(simd, async (single) => {
        const runtime = await threadsRuntime(workerHost, { threads: 'auto' });
        expect(runtime.info.threads).toBe(2);
        const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
        // As long as it takes the worker to fail, and a few steps more.
        for (let t = 1, last = Infinity; t <= last; t++) {
          if (runtime.info.threads === 1) last = Math.min(last, t + 10);
          for (const each of [optimizer, sound]) fillRough(each, t);
          sound.step();
          if (t % 2) await optimizer.stepAsync();
          else optimizer.step();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
        expect(runtime.info).toMatchObject({
          threads: 1,
          threadsReason: expect.stringMatching(reason),
        });
        runtime.dispose();
      });
    },
  );

  it('that never become ready: given up after 5 s, all ended', async () => {
    const host = countingHost(sourceHost('setInterval(() => {}, 1000)'));
    // A clock that moves on by a second whenever it is read.
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now += 1000));
    const runtime = await createRuntime({ threads: 2, workerHost: host });
    expect(clock.mock.calls.length).toBeGreaterThan(5);
    expect(runtime.info).toMatchObject({ backend: 'simd', threads: 1 });
    expect(runtime.info.threadsReason).toContain('workers were not ready within 5000 ms');
    expect(host).toMatchObject({ spawned: 1, terminated: 1 });
    runtime.dispose();
  });

  it("that never become ready do no harm with 'auto': the caller works alone", async () => {
    pretendMachine(2);
    await withRuntime(simd, async (single) => {
      const runtime = await threadsRuntime(sourceHost('setInterval(() => {}, 1000)'), {
        threads: 'auto',
      });
      expect(runtime.info.threads).toBe(2);
      const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
      for (let t = 1; t <= 5; t++) {
        for (const each of [optimizer, sound]) fillRough(each, t);
        sound.step();
        if (t % 2) optimizer.step();
        else await optimizer.stepAsync();
      }
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      runtime.dispose();
    });
  });
});
