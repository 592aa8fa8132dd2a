/** createRuntime: what is chosen, what it says about it, and what it refuses. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ArgumentError,
  createRuntime,
  type Runtime,
  type RuntimeOptions,
  UnsupportedError,
} from '../../src/index';
import { MAX_MEMORY_BYTES, PAGE } from '../../src/runtime/memory';
import type { WorkerHost } from '../../src/runtime/worker-host-types';
import { BACKENDS, withRuntime } from '../support/backends';
import { forgetMachine, pretendMachine } from '../support/machine';

const runtimes: Runtime[] = [];
async function create(options?: RuntimeOptions): Promise<Runtime> {
  const runtime = await createRuntime(options);
  runtimes.push(runtime);
  return runtime;
}

afterEach(() => {
  forgetMachine();
  for (const runtime of runtimes.splice(0)) runtime.dispose();
});

function stubWasm(overrides: object): void {
  const names = Object.getOwnPropertyNames(WebAssembly) as (keyof typeof WebAssembly)[];
  vi.stubGlobal('WebAssembly', {
    ...Object.fromEntries(names.map((name) => [name, WebAssembly[name]])),
    ...overrides,
  });
}

/** An engine without room for code: it refuses both ways to instantiate, as V8 does. */
function refuseCode(): void {
  const refuse = () => {
    throw new RangeError('Out of memory');
  };
  stubWasm({
    Instance: class {
      constructor() {
        refuse();
      }
    },
    instantiate: async () => refuse(),
  });
}

describe('info', () => {
  it.each(BACKENDS)('on $name tells what is in use', async (backend) => {
    await withRuntime(backend, ({ info }) => {
      const name = backend.name.split(' ')[0];
      expect(info).toMatchObject({
        backend: name,
        backendReason: '',
        threads: backend.options.threads ?? 1,
        simd: name !== 'oracle',
        sharedMemory: name === 'threads',
        maxMemoryBytes: MAX_MEMORY_BYTES,
        maxMemoryReason: '',
      });
      expect(info.threadsReason).not.toBe('');
      expect(info.memoryBytes % PAGE).toBe(0);
      expect(info.usedBytes).toBeLessThanOrEqual(info.memoryBytes);
    });
  });

  it('gives reasons for one thread', async () => {
    expect((await create({ backend: 'oracle' })).info.threadsReason).toBe(
      'the oracle runs on one thread',
    );
    expect((await create({ backend: 'simd' })).info.threadsReason).toBe(
      "backend 'simd' was requested",
    );
    expect((await create({ threads: 1 })).info).toMatchObject({
      backend: 'simd',
      threadsReason: 'one thread was requested',
      sharedMemory: false,
    });
    const reason = expect.stringMatching(/^1,000 parameters: threads pay off from [\d,]+$/);
    const { info } = await create({ parameterCount: 1000 });
    expect(info).toMatchObject({ backend: 'simd', threads: 1, threadsReason: reason });
  });

  it('gives the reason for several', async () => {
    expect((await create({ threads: 3 })).info).toMatchObject({
      backend: 'threads',
      threads: 3,
      threadsReason: '3 threads were requested',
    });
  });

  it('follows memory', async () => {
    const runtime = await create({ backend: 'simd', maxMemory: 10 * PAGE });
    const before = runtime.info;
    runtime.arena.allocate(4 * PAGE);
    expect(runtime.info.usedBytes - before.usedBytes).toBe(4 * PAGE);
    expect(runtime.info.memoryBytes).toBeGreaterThan(before.memoryBytes);
    expect(runtime.info.maxMemoryBytes).toBe(10 * PAGE);
  });
});

describe('wrong options', () => {
  const WRONG: [unknown, string][] = [
    [null, 'options'],
    [[], 'options'],
    [{ thread: 2 }, 'options.thread'],
    [{ threads: 0 }, 'threads'],
    [{ threads: 65 }, 'threads'],
    [{ threads: 1.5 }, 'threads'],
    [{ threads: Number.NaN }, 'threads'],
    [{ threads: '2' }, 'threads'],
    [{ threads: null }, 'threads'],
    [{ backend: 'wasm' }, 'backend'],
    [{ backend: 1 }, 'backend'],
    [{ backend: 'simd', threads: 2 }, 'threads'],
    [{ backend: 'oracle', threads: 2 }, 'threads'],
    [{ maxMemory: PAGE }, 'maxMemory'],
    [{ maxMemory: MAX_MEMORY_BYTES + 1 }, 'maxMemory'],
    [{ maxMemory: 1e6 + 0.5 }, 'maxMemory'],
    [{ parameterCount: -1 }, 'parameterCount'],
    [{ parallelThreshold: -1 }, 'parallelThreshold'],
    [{ parallelThreshold: Number.NaN }, 'parallelThreshold'],
    [{ jobTimeoutMs: 0 }, 'jobTimeoutMs'],
    [{ jobTimeoutMs: 2 ** 31 }, 'jobTimeoutMs'],
    [{ jobTimeoutMs: Infinity }, 'jobTimeoutMs'],
    [{ workerHost: 7 }, 'workerHost'],
    [{ workerHost: {} }, 'workerHost'],
  ];

  it.each(WRONG)('%j is refused, naming %s', async (options, argument) => {
    const attempt = create(options as RuntimeOptions);
    await expect(attempt).rejects.toBeInstanceOf(ArgumentError);
    await expect(attempt).rejects.toMatchObject({
      argument,
      message: expect.stringMatching(/^"[^"]+" expected .+, got .+/),
    });
  });

  it('limits are accepted', async () => {
    for (const options of [
      { backend: 'simd', threads: 1, maxMemory: 2 * PAGE },
      { backend: 'oracle', threads: 1, parallelThreshold: 0, jobTimeoutMs: 1 },
      { threads: 'auto', parameterCount: 0 },
    ] as RuntimeOptions[]) {
      expect((await create(options)).disposed).toBe(false);
    }
  });
});

describe('dispose', () => {
  /** A host that starts real threads, and counts those that have not been ended. */
  async function countingHost(): Promise<{ host: WorkerHost; alive: () => number }> {
    const { nodeWorkerHost } = await import('../../src/runtime/worker-host-node');
    let alive = 0;
    const spawn: WorkerHost['spawn'] = (input, onEnd) => {
      const handle = nodeWorkerHost.spawn(input, onEnd);
      alive++;
      return {
        ...handle,
        terminate() {
          alive--;
          handle.terminate();
          throw new Error('it cannot be ended'); // which must not keep the others
        },
      };
    };
    return { host: { spawn }, alive: () => alive };
  }

  it('ends all threads, even where ending one throws', async () => {
    const { host, alive } = await countingHost();
    const runtime = await create({ threads: 3, workerHost: host });
    expect(alive()).toBe(2);
    runtime.dispose();
    expect(alive()).toBe(0);
  });

  it('while the code of models is loading: no thread is started afterwards', async () => {
    const { createModel, dense } = await import('../../src/nn');
    const { host, alive } = await countingHost();
    const runtime = await create({ threads: 2, workerHost: host });
    const model = createModel(runtime, { inputSize: 2, layers: [dense(2)] });
    runtime.dispose();
    await expect(model).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(alive()).toBe(0);
  });
});

describe('where something is missing', () => {
  it('no WebAssembly SIMD: the oracle, and why; an error when SIMD was asked for', async () => {
    stubWasm({ validate: () => false });
    expect((await create()).info).toMatchObject({
      backend: 'oracle',
      simd: false,
      backendReason: 'WebAssembly SIMD is not available here',
    });
    for (const backend of ['simd', 'threads'] as const) {
      await expect(create({ backend })).rejects.toBeInstanceOf(UnsupportedError);
      await expect(create({ backend })).rejects.toThrow(
        "SIMD is not available here: use backend 'auto' or 'oracle'",
      );
    }
  });

  it('no WebAssembly at all: the oracle', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    const { info } = await create();
    expect(info).toMatchObject({ backend: 'oracle', threads: 1 });
  });

  it('no shared memory: one thread, and why; an error if threads were demanded', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    const { info } = await create({ threads: 2 });
    expect(info).toMatchObject({ backend: 'simd', threads: 1 });
    expect(info.threadsReason).toContain('no SharedArrayBuffer here');
    await expect(create({ backend: 'threads' })).rejects.toThrow(
      'no threads: no SharedArrayBuffer here',
    );
    await expect(create({ backend: 'threads', threads: 2 })).rejects.toBeInstanceOf(
      UnsupportedError,
    );
  });

  it('no worker host: one thread, and why', async () => {
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => undefined as never);
    const { info } = await create({ threads: 2 });
    expect(info).toMatchObject({
      backend: 'simd',
      threads: 1,
      threadsReason: 'no worker host for this runtime',
    });
  });

  const brokenHost: WorkerHost = {
    spawn() {
      throw new Error('EAGAIN');
    },
  };

  it('workers that cannot start: one thread without shared memory, and why', async () => {
    const { info } = await create({ threads: 2, workerHost: brokenHost });
    expect(info).toMatchObject({ backend: 'simd', threads: 1, sharedMemory: false });
    expect(info.threadsReason).toBe(
      'threads could not be started: a worker could not be started: Error: EAGAIN',
    );
    await expect(
      create({ backend: 'threads', threads: 2, workerHost: brokenHost }),
    ).rejects.toMatchObject({
      code: 'ERR_WORKER',
    });
  });

  it("with 'auto' workers start late: a failure is told then, and steps go on alone", async () => {
    pretendMachine(2);
    const options: RuntimeOptions = {
      backend: 'threads',
      threads: 'auto',
      parallelThreshold: 0,
      workerHost: brokenHost,
    };
    const runtime = await create(options);
    expect(runtime.info.threads).toBe(2);
    const { AdaL } = await import('../../src/index');
    const optimizer = new AdaL(runtime, { w: new Float32Array(5) });
    expect(optimizer.step({ w: new Float32Array(5).fill(1) })).toMatchObject({
      step: 1,
      skipped: false,
    });
    expect(optimizer.params.w[0]).toBeLessThan(0);
    expect(runtime.info).toMatchObject({
      threads: 1,
      threadsReason: expect.stringContaining('a worker could not be started: Error: EAGAIN'),
    });
  });

  it('no WebAssembly memory: the oracle, and why; an error when SIMD was asked for', async () => {
    class Memory {
      constructor() {
        throw new RangeError('could not allocate memory');
      }
    }
    stubWasm({ Memory });
    const { info } = await create();
    expect(info).toMatchObject({ backend: 'oracle', threads: 1, sharedMemory: false });
    const refusal = /^the engine refused an unshared WebAssembly.Memory of .*: could not allocate/;
    expect(info.backendReason).toMatch(refusal);
    expect(info.backendReason).toContain('memory; the address space may be limited');
    expect((await create({ threads: 2 })).info.backend).toBe('oracle');
    for (const backend of ['simd', 'threads'] as const) {
      await expect(create({ backend })).rejects.toBeInstanceOf(UnsupportedError);
    }
  });

  it('no room for the code: the oracle, and why', async () => {
    refuseCode();
    const { info } = await create({ threads: 1 });
    expect(info).toMatchObject({ backend: 'oracle' });
    expect(info.backendReason).toMatch(/^the engine refused the code: .*Out of memory/);
  });

  it('no room for the code of models: the oracle has the same bits; info says why', async () => {
    const { createModel, dense } = await import('../../src/nn');
    const lossOf = async (runtime: Runtime) => {
      const model = await createModel(runtime, {
        inputSize: 2,
        layers: [dense(3)],
        batchSize: 1,
        seed: 5,
      });
      model.input.set([0.5, -2]);
      model.labels[0] = 2;
      return model.computeGradients(1);
    };
    const expected = await lossOf(await create({ backend: 'simd' }));
    const optim = await readFile(new URL('../../build/optim.simd.wasm', import.meta.url));
    const broken = { 'optim.simd': optim, 'nn.simd': new Uint8Array(8) };
    await expect(lossOf(await create({ wasm: broken }))).rejects.toBeInstanceOf(ArgumentError);
    const runtime = await create({ threads: 1 });
    refuseCode();
    expect(await lossOf(runtime)).toBe(expected);
    expect(runtime.info).toMatchObject({ backend: 'simd' });
    expect(runtime.info.backendReason).toMatch(
      /^models run on the oracle: the engine refused the code/,
    );
  });

  it.runIf(process.platform === 'linux')(
    'a limit of the address space: what works there, and why',
    () => {
      const entry = new URL('../../dist/node/index.js', import.meta.url).href;
      const script = `
      const { AdaL, createRuntime } = await import(${JSON.stringify(entry)});
      const runtime = await createRuntime();
      const optimizer = new AdaL(runtime, { w: { shape: [100_000] } });
      optimizer.grads.w.fill(1);
      optimizer.step();
      console.log(JSON.stringify({ ...runtime.info, w: optimizer.params.w[0] }));`;
      const limited = (kilobytes: number | 'unlimited') => {
        const command = [
          '-c',
          `ulimit -v ${kilobytes}; exec "$0" "$@"`,
          process.execPath,
          '--input-type=module',
          '-e',
          script,
        ];
        return JSON.parse(execFileSync('bash', command, { encoding: 'utf8' }));
      };
      const free = limited('unlimited');
      const little = limited(4_000_000);
      expect(little).toMatchObject({ backend: 'oracle', threads: 1, w: free.w });
      expect(little.backendReason).toContain('the address space may be limited (ulimit -v)');
      // Room for a memory, but not for threads: V8 would end the process.
      const some = limited(14_000_000);
      expect(some).toMatchObject({ threads: 1, w: free.w });
    },
  );

  it('too little shared memory granted: less, and info says how much', async () => {
    const Real = WebAssembly.Memory;
    class Memory extends Real {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        if (descriptor.shared && (descriptor.maximum as number) > 1000) throw new RangeError('no');
        super(descriptor);
      }
    }
    stubWasm({ Memory });
    const { info } = await create({ threads: 2 });
    expect(info).toMatchObject({ backend: 'threads', threads: 2, maxMemoryBytes: 512 * PAGE });
    expect(info.maxMemoryReason).toBe('the engine refused a maximum of 4294967296 bytes: no');
  });
});
