/** Threads: right under stress; and when workers fail nothing hangs, nothing is lost unsaid, and nothing is wrong. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as L from '../../src/abi/layout';
import { AdaL, createRuntime, type Runtime, StepAbortedError, type StepResult, WorkerError } from '../../src/index';
import { checkClipping } from '../../src/optimizers/clipping';
import { StepTable } from '../../src/optimizers/step-table';
import type { WorkerHost } from '../../src/runtime/worker-host';
import { nodeWorkerHost } from '../../src/runtime/worker-host-node';
import { Parameter } from '../../src/tensors/parameter';
import { Tensor } from '../../src/tensors/tensor';
import { bitsOf, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { countingHost, faultyHost, killableHost, sourceHost } from '../support/evil-host';
import type { Fault } from '../support/faults';
import { fillRough } from '../support/gradients';
import { hashOf, snapshot } from '../support/snapshot';

/** Elements enough for a dozen tasks a phase, so that every worker gets some. */
const MANY = 200_000;

function createAdaL(runtime: Runtime): AdaL {
  return new AdaL(runtime, { w: { shape: [MANY] }, b: { shape: [100] } }, { weightDecay: 0.01 });
}

function threadsRuntime(workerHost: WorkerHost, more: object = {}): Promise<Runtime> {
  return createRuntime({ backend: 'threads', threads: 2, parallelThreshold: 0, jobTimeoutMs: 300, workerHost, ...more });
}

/** The error of a call, awaited. */
async function failure(body: () => unknown): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('stress', () => {
  /** A table by hand: four tensors of one block, each a task of its own, which the optimizer would gather into one. */
  function runTiny(runtime: Runtime, steps: number): string {
    const entries = [16, 32, 48, 64].map((length) => {
      const parameter = new Parameter(runtime, [length]);
      parameter.value.data.set(Array.from({ length }, (_, i) => i - 7.5));
      parameter.grad.data.set(Array.from({ length }, (_, i) => ((7 * i + length) % 13) / 5 - 1.3));
      return {
        parameter,
        states: [new Tensor(runtime, [length]), new Tensor(runtime, [length])],
        group: 0,
        format: L.FORMAT_F32,
        seed: 0,
      };
    });
    const options = { rule: L.RULE_ADAL, globalNorm: false, normLimit: Infinity, initialScalar: 0, clipping: checkClipping({}) };
    const table = new StepTable(runtime, options);
    table.describe(entries, 1);
    table.select(() => false);
    table.setGroup(0, L.GROUP_BETA1, 0.9);
    table.setGroup(0, L.GROUP_BETA2, 0.999);
    table.setGroup(0, L.GROUP_EPS, 1e-8);
    const { u32 } = runtime.memory;
    const tasks = u32[(table.address + L.STEP_TASKS) >>> 2] >>> 2;
    for (let i = 0; i <= 4; i++) u32[tasks + i] = i;
    u32[(table.address + L.STEP_TASK_COUNT) >>> 2] = 4;
    for (let t = 0; t < steps; t++) {
      table.setGroup(0, L.GROUP_STEP_SIZE, (t % 7) * 1e-4);
      runtime.step(table.address, table.elementCount);
    }
    expect(entries.map((_, index) => table.counters(index).step)).toEqual([steps, steps, steps, steps]);
    return entries.map(({ parameter, states }) => [parameter.value, ...states].map(({ data }) => hashOf(data)).join()).join();
  }

  it('1,000,000 tiny jobs on two threads give the bits of one', async () => {
    const expected = await withRuntime(simd, (runtime) => runTiny(runtime, 1e6));
    await withRuntime(THREAD_CASES[1], (runtime) => {
      expect(runTiny(runtime, 1e6)).toBe(expected);
      expect(runtime.info.threads).toBe(2);
    });
  });

  it.each(THREAD_CASES.slice(2))('30,000 tiny jobs on more threads than CPUs: $name', async (backend) => {
    const expected = await withRuntime(simd, (runtime) => runTiny(runtime, 30_000));
    await withRuntime(backend, (runtime) => {
      expect(runTiny(runtime, 30_000)).toBe(expected);
      expect(runtime.info.threads).toBe(backend.options.threads);
    });
  });

  it('jobs with pauses, in which workers park, and async ones between', async () => {
    const play = async (runtime: Runtime) => {
      const optimizer = createAdaL(runtime);
      for (let t = 1; t <= 40; t++) {
        if (t % 4 === 0) fillRough(optimizer, t);
        if (t % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
        if (t % 2) optimizer.step();
        else await optimizer.stepAsync();
      }
      return snapshot(optimizer);
    };
    const expected = await withRuntime(simd, play);
    expect(await withRuntime(THREAD_CASES[1], play)).toEqual(expected);
  });

  it('two runtimes at once do not disturb each other', async () => {
    const expected = await withRuntime(simd, (runtime) => {
      const optimizer = createAdaL(runtime);
      for (let t = 1; t <= 10; t++) {
        fillRough(optimizer, t);
        optimizer.step();
      }
      return snapshot(optimizer);
    });
    await withRuntime(THREAD_CASES[1], (one) =>
      withRuntime(THREAD_CASES[1], async (other) => {
        const optimizers = [createAdaL(one), createAdaL(other)];
        for (let t = 1; t <= 10; t++) {
          for (const optimizer of optimizers) fillRough(optimizer, t);
          await Promise.all(optimizers.map((optimizer) => optimizer.stepAsync()));
        }
        for (const optimizer of optimizers) expect(snapshot(optimizer)).toEqual(expected);
      }),
    );
  });
});

describe.each(['step', 'stepAsync'] as const)('%s with a worker that fails', (method) => {
  /** Steps until the faulty worker has drawn its task; a sound optimizer on one thread follows one step behind. */
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

  it.each(FAULTS)('in the norm phase (%s): WorkerError, nothing has changed, one thread goes on', async (fault) => {
    await withRuntime(simd, async (single) => {
      const host = countingHost(faultyHost(fault, 'norm'));
      const runtime = await threadsRuntime(host);
      const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
      const error = await untilFailure(optimizer, sound);
      expect(error).toBeInstanceOf(WorkerError);
      expect(error).not.toBeInstanceOf(StepAbortedError);
      expect(error).toMatchObject({ code: 'ERR_WORKER', message: expect.stringMatching(REASONS[fault]) });
      expect((error as Error).message).toContain('nothing has changed, and further work runs on one thread');
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      expect(runtime.info).toMatchObject({
        backend: 'threads',
        threads: 1,
        threadsReason: expect.stringMatching(REASONS[fault]),
      });
      expect(host.terminated).toBe(1);
      for (let t = 1; t <= 5; t++) {
        for (const each of [optimizer, sound]) fillRough(each, 50 + t);
        const result: StepResult = await optimizer[method]();
        expect(result).toEqual(sound.step());
      }
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      runtime.dispose();
    });
  });

  it.each(FAULTS)(
    'in the update phase (%s): StepAbortedError, refuses until loadStateDict, then goes on right',
    async (fault) => {
      await withRuntime(simd, async (single) => {
        const runtime = await threadsRuntime(faultyHost(fault, 'update'));
        const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
        const saved = optimizer.stateDict();
        const error = await untilFailure(optimizer, sound);
        expect(error).toBeInstanceOf(StepAbortedError);
        expect(error).toBeInstanceOf(WorkerError);
        expect(error).toMatchObject({ code: 'ERR_STEP_ABORTED', message: expect.stringMatching(REASONS[fault]) });
        expect((error as Error).message).toContain('load a state dict before the next step');
        expect(runtime.info).toMatchObject({ threads: 1, threadsReason: expect.stringMatching(REASONS[fault]) });
        const { stepCount } = optimizer;
        for (const use of [() => optimizer.step(), () => optimizer.stepAsync(), () => optimizer.stateDict()]) {
          expect(await failure(use)).toBeInstanceOf(StepAbortedError);
        }
        expect(optimizer.stepCount).toBe(stepCount);
        expect(optimizer.params.w.length, 'gradients and parameters can still be looked at').toBe(MANY);
        optimizer.loadStateDict(saved);
        sound.loadStateDict(saved);
        for (let t = 1; t <= 5; t++) {
          for (const each of [optimizer, sound]) fillRough(each, 50 + t);
          const result: StepResult = await optimizer[method]();
          expect(result).toEqual(sound.step());
        }
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
        runtime.dispose();
      });
    },
  );

  it.each(['exit', 'throw', 'trap'] as Fault[])(
    'while idle (%s): the next step says so, and nothing has changed',
    async (fault) => {
      // 'auto' does not wait for workers: they start, and fail, with the first step.
      const runtime = await threadsRuntime(faultyHost(fault, 'idle'), { threads: 'auto' });
      await withRuntime(simd, async (single) => {
        const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
        if (runtime.info.threads === 1) return; // a machine where 'auto' is one thread
        const error = await untilFailure(optimizer, sound);
        expect(error).toBeInstanceOf(WorkerError);
        expect((error as Error).message).toMatch(REASONS[fault]);
        expect(runtime.info.threads).toBe(1);
        if (error instanceof StepAbortedError) return; // noticed in the middle of an update: rare, and said
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
        for (const each of [optimizer, sound]) fillRough(each, 9);
        const result: StepResult = await optimizer[method]();
        expect(result).toEqual(sound.step());
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
      });
      runtime.dispose();
    },
  );

  it('killed from outside while idle', async () => {
    await withRuntime(simd, async (single) => {
      const host = killableHost();
      const runtime = await threadsRuntime(host);
      const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
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
      expect(runtime.info).toMatchObject({ threads: 1, threadsReason: expect.stringContaining('worker 1 exited') });
      expect(await optimizer[method]()).toEqual(sound.step());
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      runtime.dispose();
    });
  });

  it('one bad worker among sound ones ends all of them', async () => {
    await withRuntime(simd, async (single) => {
      const host = countingHost(faultyHost('throw', 'norm', 1));
      const runtime = await threadsRuntime(host, { threads: 4 });
      const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
      const error = await untilFailure(optimizer, sound);
      expect(error).toMatchObject({ code: 'ERR_WORKER', message: expect.stringMatching(/^worker 2 failed: Error: a fault/) });
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
    ['throw at once', sourceHost('throw new Error("broken")'), /worker \d did not start: Error: broken/],
    ['are no JavaScript', sourceHost('this is not JavaScript'), /worker \d did not start: SyntaxError/],
    [
      'cannot instantiate the module',
      { spawn: (input, onEnd) => nodeWorkerHost.spawn({ ...input, module: {} as WebAssembly.Module }, onEnd) },
      /worker \d did not start: TypeError/,
    ],
  ];

  it.each(HOSTS)('that %s: createRuntime falls back to simd and says why', async (_, workerHost, reason) => {
    const runtime = await createRuntime({ threads: 2, workerHost });
    expect(runtime.info).toMatchObject({ backend: 'simd', threads: 1, sharedMemory: false });
    expect(runtime.info.threadsReason).toMatch(/^threads could not be started: /);
    expect(runtime.info.threadsReason).toMatch(reason);
    const optimizer = createAdaL(runtime);
    fillRough(optimizer, 1);
    expect(optimizer.step().step).toBe(1);
    runtime.dispose();
  });

  it.each(HOSTS)("that %s: an error when backend 'threads' was asked for", async (_, workerHost, reason) => {
    const host = countingHost(workerHost);
    const error = await failure(() => createRuntime({ backend: 'threads', threads: 3, workerHost: host }));
    expect(error).toBeInstanceOf(WorkerError);
    expect((error as Error).message).toMatch(reason);
    expect(host).toMatchObject({ spawned: 2, terminated: 2 });
  });

  it.each(HOSTS)("that %s: no step fails under 'auto', and info says why", async (_, workerHost, reason) => {
    await withRuntime(simd, async (single) => {
      const runtime = await threadsRuntime(workerHost, { threads: 'auto' });
      const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
      for (let t = 1; t <= 50; t++) {
        for (const each of [optimizer, sound]) fillRough(each, t);
        sound.step();
        if (t % 2) await optimizer.stepAsync();
        else optimizer.step();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(snapshot(optimizer)).toEqual(snapshot(sound));
      if (runtime.info.threadsReason !== 'one CPU') {
        expect(runtime.info).toMatchObject({ threads: 1, threadsReason: expect.stringMatching(reason) });
      }
      runtime.dispose();
    });
  });

  it('that never become ready: given up after 5 s, all ended', async () => {
    const host = countingHost(sourceHost('setInterval(() => {}, 1000)'));
    const runtime = await createRuntime({ threads: 2, workerHost: host });
    expect(runtime.info).toMatchObject({ backend: 'simd', threads: 1 });
    expect(runtime.info.threadsReason).toContain('workers were not ready within 5000 ms');
    expect(host).toMatchObject({ spawned: 1, terminated: 1 });
    runtime.dispose();
  });

  it("that never become ready do no harm with 'auto': the caller works alone", async () => {
    await withRuntime(simd, async (single) => {
      const runtime = await threadsRuntime(sourceHost('setInterval(() => {}, 1000)'), { threads: 'auto' });
      const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
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

describe('lifetimes', () => {
  it('workers are held during an async step only, and ended by dispose', async () => {
    const host = countingHost(nodeWorkerHost);
    const runtime = await createRuntime({ threads: 3, parallelThreshold: 0, workerHost: host });
    expect(host).toMatchObject({ spawned: 2, terminated: 0, referenced: 0 });
    const optimizer = createAdaL(runtime);
    const promise = optimizer.stepAsync();
    expect(host.referenced).toBe(2);
    await promise;
    expect(host.referenced).toBe(0);
    runtime.dispose();
    expect(host.terminated).toBe(2);
  });

  it("with 'auto' workers start with the first step that is large enough", async () => {
    const host = countingHost(nodeWorkerHost);
    const runtime = await createRuntime({ backend: 'threads', threads: 'auto', parallelThreshold: 1000, workerHost: host });
    const small = new AdaL(runtime, { w: { shape: [500] } });
    small.step();
    await small.stepAsync();
    expect(host.spawned).toBe(0);
    const large = new AdaL(runtime, { w: { shape: [1000] } });
    large.step();
    expect(host.spawned).toBe(runtime.info.threads - 1);
    runtime.dispose();
  });

  it('a frozen remainder below the threshold runs on the caller alone', async () => {
    const host = countingHost(nodeWorkerHost);
    const runtime = await createRuntime({ backend: 'threads', threads: 'auto', parallelThreshold: 1000, workerHost: host });
    const groups = [{ params: { w: new Float32Array(2000) }, frozen: true }, { params: { b: new Float32Array(10) } }];
    const optimizer = new AdaL(runtime, groups as never);
    optimizer.step();
    expect(host.spawned).toBe(0);
    runtime.dispose();
  });

  it('gradients beyond the workers: growth between steps is seen by all threads', async () => {
    await withRuntime(simd, (single) =>
      withRuntime(THREAD_CASES[1], (runtime) => {
        const [optimizer, sound] = [createAdaL(runtime), createAdaL(single)];
        for (let t = 1; t <= 4; t++) {
          for (const each of [optimizer, sound]) {
            each.addParamGroup({ params: { [`more${t}`]: { shape: [300_000] } } });
            fillRough(each, t);
            each.step();
          }
        }
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
        expect(bitsOf(optimizer.params.more4)).toEqual(bitsOf(sound.params.more4));
        expect(runtime.info.threads).toBe(2);
      }),
    );
  });
});

// The built package, since a child process cannot import TypeScript; `npm test` builds it first.
const PACKAGE = new URL('../../dist/index.js', import.meta.url);

describe('a program without dispose()', () => {
  const setup = `
    import { AdaL, createRuntime } from ${JSON.stringify(PACKAGE.href)};
    const runtime = await createRuntime({ threads: 2, parallelThreshold: 0 });
    const optimizer = new AdaL(runtime, { w: new Float32Array(100_000) });
    optimizer.grads.w.fill(1);
  `;
  const PROGRAMS = {
    'that has only created a runtime': '',
    'that took steps': 'for (let t = 0; t < 20; t++) optimizer.step();',
    'that took async steps': 'for (let t = 0; t < 20; t++) await optimizer.stepAsync();',
    'that did not wait for its last async step': 'optimizer.stepAsync().then(({ step }) => console.log("step", step));',
    'that took both': 'optimizer.step(); await optimizer.stepAsync(); optimizer.step();',
  };

  it.each(Object.entries(PROGRAMS))('%s exits by itself with code 0', (name, body) => {
    const script = `${setup}${body}\nconsole.log(runtime.info.threads, 'threads');`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 20_000 });
    expect(output).toContain('2 threads');
    if (name.includes('did not wait')) expect(output).toContain('step 1');
  });
});
