/** Threads that work: right under stress, started and ended when they should be. */
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { StepRecord } from '../../build/optim-records';
import { AdaLKernel } from '../../build/optimizer-kernels';
import { AdaL, createRuntime, type Runtime } from '../../src/index';
import { FORMAT_F32 } from '../../src/memory-layout/constants';
import { checkClipping } from '../../src/optimizers/clipping';
import { StepTable } from '../../src/optimizers/step-table';
import { nodeWorkerHost } from '../../src/runtime/worker-host-node';
import { Parameter } from '../../src/tensors/parameter';
import { Tensor } from '../../src/tensors/tensor';
import { bitsOf, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { countingHost } from '../support/evil-host';
import { fillRough } from '../support/gradients';
import { createLargeAdaL } from '../support/large-adal';
import { forgetMachine, pretendMachine } from '../support/machine';
import { hashOf, snapshot } from '../support/snapshot';

describe('stress', () => {
  /**
   * A table by hand: four tensors of one block, each a task of its own, which the optimizer would
   * gather into one.
   */
  function runTiny(runtime: Runtime, steps: number): string {
    const entries = [16, 32, 48, 64].map((length) => {
      const parameter = new Parameter(runtime, [length]);
      parameter.value.data.set(Array.from({ length }, (_, i) => i - 7.5));
      parameter.grad.data.set(Array.from({ length }, (_, i) => ((7 * i + length) % 13) / 5 - 1.3));
      return {
        parameter,
        states: [new Tensor(runtime, [length]), new Tensor(runtime, [length])],
        group: 0,
        format: FORMAT_F32,
        seed: 0,
        columns: 0,
      };
    });
    const options = { initialScalars: [0, 0, 1, 1, 0], clipping: checkClipping({}) };
    const table = new StepTable(runtime, options);
    table.describe(entries, 1);
    table.select(() => false);
    table.setKernel(0, AdaLKernel.id);
    const { values } = AdaLKernel;
    table.values[values.beta1] = 0.9;
    table.values[values.beta2] = 0.999;
    table.values[values.eps] = 1e-8;
    const step = new StepRecord(runtime.memory).at(table.address);
    for (let i = 0; i <= 4; i++) runtime.memory.u32[step.tasks / 4 + i] = i;
    step.taskCount = 4;
    for (let t = 0; t < steps; t++) {
      table.values[values.stepSize] = (t % 7) * 1e-4;
      table.setValues(0);
      runtime.step(table.address, table.elementCount);
    }
    expect(entries.map((_, index) => table.counters(index).step)).toEqual([
      steps,
      steps,
      steps,
      steps,
    ]);
    return entries
      .map(({ parameter, states }) =>
        [parameter.value, ...states].map(({ data }) => hashOf(data)).join(),
      )
      .join();
  }

  it('1,000,000 tiny jobs on two threads give the bits of one', async () => {
    const expected = await withRuntime(simd, (runtime) => runTiny(runtime, 1e6));
    await withRuntime(THREAD_CASES[1], (runtime) => {
      expect(runTiny(runtime, 1e6)).toBe(expected);
      expect(runtime.info.threads).toBe(2);
    });
  });

  it.each(THREAD_CASES.slice(2))(
    '30,000 tiny jobs on more threads than CPUs: $name',
    async (backend) => {
      const expected = await withRuntime(simd, (runtime) => runTiny(runtime, 30_000));
      await withRuntime(backend, (runtime) => {
        expect(runTiny(runtime, 30_000)).toBe(expected);
        expect(runtime.info.threads).toBe(backend.options.threads);
      });
    },
  );

  it('jobs with pauses, in which workers park, and async ones between', async () => {
    const play = async (runtime: Runtime) => {
      const optimizer = createLargeAdaL(runtime);
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
      const optimizer = createLargeAdaL(runtime);
      for (let t = 1; t <= 10; t++) {
        fillRough(optimizer, t);
        optimizer.step();
      }
      return snapshot(optimizer);
    });
    await withRuntime(THREAD_CASES[1], (one) =>
      withRuntime(THREAD_CASES[1], async (other) => {
        const optimizers = [createLargeAdaL(one), createLargeAdaL(other)];
        for (let t = 1; t <= 10; t++) {
          for (const optimizer of optimizers) fillRough(optimizer, t);
          await Promise.all(optimizers.map((optimizer) => optimizer.stepAsync()));
        }
        for (const optimizer of optimizers) expect(snapshot(optimizer)).toEqual(expected);
      }),
    );
  });
});

it('an engine that never tells of an event, nor of its time-out, makes no step hang', async () => {
  const silent = vi.fn(() => ({ async: true, value: new Promise(() => {}) }));
  const original = Object.getOwnPropertyDescriptor(Atomics, 'waitAsync');
  Object.defineProperty(Atomics, 'waitAsync', { value: silent, configurable: true });
  try {
    await withRuntime(simd, (single) =>
      withRuntime(THREAD_CASES[1], async (runtime) => {
        const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
        for (let t = 1; t <= 2000 && silent.mock.calls.length < 3; t++) {
          for (const each of [optimizer, sound]) fillRough(each, t);
          await optimizer.stepAsync();
          sound.step();
        }
        expect(silent.mock.calls.length, 'how often this thread waited').toBeGreaterThanOrEqual(3);
        expect(snapshot(optimizer)).toEqual(snapshot(sound));
      }),
    );
  } finally {
    if (original) Object.defineProperty(Atomics, 'waitAsync', original);
    else Reflect.deleteProperty(Atomics, 'waitAsync');
  }
});

describe('lifetimes', () => {
  afterEach(forgetMachine);

  it('workers are held during an async step only, and ended by dispose', async () => {
    const host = countingHost(nodeWorkerHost);
    const runtime = await createRuntime({ threads: 3, parallelThreshold: 0, workerHost: host });
    expect(host).toMatchObject({ spawned: 2, terminated: 0, referenced: 0 });
    const optimizer = createLargeAdaL(runtime);
    const { holds } = host;
    // Counted, since the workers may have finished the step before this thread could look.
    await optimizer.stepAsync();
    expect(host.holds).toBe(holds + 2);
    expect(host.referenced).toBe(0);
    runtime.dispose();
    expect(host.terminated).toBe(2);
  });

  it("with 'auto' workers start with the first step that is large enough", async () => {
    pretendMachine(3);
    const host = countingHost(nodeWorkerHost);
    const runtime = await createRuntime({
      backend: 'threads',
      threads: 'auto',
      parallelThreshold: 1000,
      workerHost: host,
    });
    const small = new AdaL(runtime, { w: { shape: [500] } });
    small.step();
    await small.stepAsync();
    expect(host.spawned).toBe(0);
    const large = new AdaL(runtime, { w: { shape: [1000] } });
    large.step();
    expect(host.spawned).toBe(2);
    expect(runtime.info.threads).toBe(3);
    runtime.dispose();
  });

  it('a frozen remainder below the threshold runs on the caller alone', async () => {
    pretendMachine(3);
    const host = countingHost(nodeWorkerHost);
    const runtime = await createRuntime({
      backend: 'threads',
      threads: 'auto',
      parallelThreshold: 1000,
      workerHost: host,
    });
    expect(runtime.info.threads).toBe(3);
    const groups = [
      { params: { w: new Float32Array(2000) }, frozen: true },
      { params: { b: new Float32Array(10) } },
    ];
    const optimizer = new AdaL(runtime, groups as never);
    optimizer.step();
    expect(host.spawned).toBe(0);
    runtime.dispose();
  });

  it('gradients beyond the workers: growth between steps is seen by all threads', async () => {
    await withRuntime(simd, (single) =>
      withRuntime(THREAD_CASES[1], (runtime) => {
        const [optimizer, sound] = [createLargeAdaL(runtime), createLargeAdaL(single)];
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
    'that did not wait for its last async step':
      'optimizer.stepAsync().then(({ step }) => console.log("step", step));',
    'that took both': 'optimizer.step(); await optimizer.stepAsync(); optimizer.step();',
  };

  it.each(Object.entries(PROGRAMS))('%s exits by itself with code 0', (name, body) => {
    const script = `${setup}${body}\nconsole.log(runtime.info.threads, 'threads');`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(output).toContain('2 threads');
    if (name.includes('did not wait')) expect(output).toContain('step 1');
  });
});
