/** How many threads 'auto' means, and what the machine is asked. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SGD } from '../../src/index';
import {
  builtin,
  hasSimd,
  isGranted,
  keepsSubnormals,
  mayBlock,
  whyNoSharedMemory,
  whyNoThreads,
} from '../../src/runtime/features';
import { cpuQuota } from '../../src/runtime/process-limits';
import { createRuntime } from '../../src/runtime/runtime';
import { MINIMUM_PARALLEL_ELEMENTS } from '../../src/runtime/runtime-options';
import { chooseThreads } from '../../src/runtime/thread-policy';
import { BACKENDS, withRuntime } from '../support/backends';
import { forgetMachine, pretendMachine, SERVERLESS } from '../support/machine';

beforeEach(() => {
  for (const name of SERVERLESS) vi.stubEnv(name, undefined);
});
afterEach(forgetMachine);

const V2 = '/sys/fs/cgroup/cpu.max';
const V1 = '/sys/fs/cgroup/cpu/cpu.cfs_quota_us';
const PERIOD = '/sys/fs/cgroup/cpu/cpu.cfs_period_us';
const SELF = '/proc/self/cgroup';

describe('chooseThreads', () => {
  it.each([
    [1, 1, 'one CPU'],
    [2, 2, 'auto: 2 of 2 CPUs'],
    [3, 3, 'auto: 3 of 3 CPUs'],
    [4, 4, 'auto: 4 of 4 CPUs'],
    [64, 4, 'auto: 4 of 64 CPUs'],
  ])('%d CPUs: %d', (cpus, threads, reason) => {
    pretendMachine(cpus);
    expect(chooseThreads()).toEqual({ threads, reason });
  });

  it('few parameters: one', async () => {
    pretendMachine(8);
    const few = await createRuntime({ parameterCount: MINIMUM_PARALLEL_ELEMENTS - 1 });
    expect(few.info).toMatchObject({
      threads: 1,
      threadsReason: '65,535 parameters: threads pay off from 65,536',
    });
    const many = await createRuntime({ parameterCount: MINIMUM_PARALLEL_ELEMENTS });
    expect(many.info).toMatchObject({ threads: 4, threadsReason: 'auto: 4 of 8 CPUs' });
    many.dispose();
  });

  it.each(SERVERLESS)('%s is set: one', (name) => {
    pretendMachine(8);
    vi.stubEnv(name, 'anything');
    const { threads, reason } = chooseThreads();
    expect(threads).toBe(1);
    expect(reason).toContain(`${name} is set`);
  });

  it.each([
    [{ [V2]: 'max 100000\n' }, 4, 'auto: 4 of 8 CPUs'],
    [{ [V2]: '50000 100000\n' }, 1, 'the CPU quota is 0.5 of a CPU (cgroup)'],
    [{ [V2]: '150000 100000\n' }, 1, 'the CPU quota is 1.5 of a CPU (cgroup)'],
    [{ [V2]: '200000 100000\n' }, 2, 'auto: 2 of 8 CPUs'],
    [{ [V2]: '390000 100000\n' }, 3, 'auto: 3 of 8 CPUs'],
    [{ [V1]: '-1\n', [PERIOD]: '100000\n' }, 4, 'auto: 4 of 8 CPUs'],
    [{ [V1]: '50000\n', [PERIOD]: '100000\n' }, 1, 'the CPU quota is 0.5 of a CPU (cgroup)'],
    [{ [V1]: '250000\n', [PERIOD]: '100000\n' }, 2, 'auto: 2 of 8 CPUs'],
  ])('cgroup %j: %d', (files, threads, reason) => {
    pretendMachine(8, files);
    expect(chooseThreads()).toEqual({ threads, reason });
  });

  it.each([
    ['unlimited            unlimited', 4, 'auto: 4 of 8 CPUs'],
    [
      '4096000000           unlimited',
      1,
      /^the address space is limited to 4096000000 bytes \(ulimit -v\)/,
    ],
    ['24000000000          24000000000', 1, /24000000000 bytes/],
    ['99000000000          unlimited', 4, 'auto: 4 of 8 CPUs'],
  ])('an address space of %s: %d', (limits, threads, reason) => {
    const table = `Limit                     Soft Limit           Hard Limit           Units
Max locked memory         8388608              8388608              bytes
Max address space         ${limits}            bytes
`;
    pretendMachine(8, { '/proc/self/limits': table });
    expect(chooseThreads()).toMatchObject({ threads, reason: expect.stringMatching(reason) });
  });

  it('no shared memory, or no worker host: one, whatever the CPUs', () => {
    pretendMachine(8);
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(chooseThreads()).toMatchObject({
      threads: 1,
      reason: expect.stringContaining('no SharedArrayBuffer'),
    });
    vi.unstubAllGlobals();
    vi.mocked(process.getBuiltinModule).mockImplementation(() => undefined as never);
    expect(chooseThreads()).toEqual({ threads: 1, reason: 'no worker host for this runtime' });
  });

  it('a page: its own workers, if it is cross-origin isolated', () => {
    vi.stubGlobal('Worker', class {});
    vi.stubGlobal('navigator', { hardwareConcurrency: 8 });
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
    vi.stubGlobal('crossOriginIsolated', false);
    expect(chooseThreads()).toMatchObject({
      threads: 1,
      reason: expect.stringContaining('not cross-origin isolated'),
    });
    vi.stubGlobal('crossOriginIsolated', true);
    expect(chooseThreads()).toEqual({ threads: 4, reason: 'auto: 4 of 8 CPUs' });
  });

  it('an edge platform that has worker_threads in name only, and may not block: one', () => {
    pretendMachine(8);
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new TypeError('Atomics.wait cannot be called in this context');
    });
    expect(chooseThreads()).toEqual({ threads: 1, reason: 'no worker host for this runtime' });
  });

  it('asks for nothing that Deno would have to ask its user for', () => {
    pretendMachine(8, { [V2]: '50000 100000\n' });
    vi.stubEnv('VERCEL', '1');
    const query = vi.fn(() => ({ state: 'prompt' }));
    vi.stubGlobal('Deno', { permissions: { querySync: query } });
    expect(isGranted({ name: 'env', variable: 'VERCEL' })).toBe(false);
    expect(chooseThreads()).toEqual({ threads: 4, reason: 'auto: 4 of 8 CPUs' });
    query.mockReturnValue({ state: 'granted' });
    expect(chooseThreads().threads).toBe(1);
  });

  it('an environment that may not be read is none', () => {
    pretendMachine(2);
    vi.spyOn(process, 'env', 'get').mockImplementation(() => {
      throw new Error('PermissionDenied');
    });
    expect(chooseThreads().threads).toBe(2);
  });
});

describe('cpuQuota', () => {
  const root = '/sys/fs/cgroup';
  const service = { [SELF]: '0::/system.slice/train.service\n' };
  it.each([
    ['none', {}, Infinity],
    [
      'the own group',
      { ...service, [`${root}/system.slice/train.service/cpu.max`]: '150000 100000\n' },
      1.5,
    ],
    ['a group above', { ...service, [`${root}/system.slice/cpu.max`]: '200000 100000\n' }, 2],
    [
      'the least of all',
      {
        ...service,
        [`${root}/system.slice/train.service/cpu.max`]: 'max 100000\n',
        [`${root}/system.slice/cpu.max`]: '300000 100000\n',
        [V2]: '50000 100000\n',
      },
      0.5,
    ],
    [
      'version 1',
      {
        [SELF]: '5:memory:/other\n4:cpu,cpuacct:/docker/1234\n0::/\n',
        [`${root}/cpu/docker/1234/cpu.cfs_quota_us`]: '75000\n',
        [`${root}/cpu/docker/1234/cpu.cfs_period_us`]: '50000\n',
      },
      1.5,
    ],
    [
      'a path that cannot be seen from inside',
      { [SELF]: '0::/../../outside\n', [V2]: '100000 100000\n' },
      1,
    ],
  ])('%s', (_, files, quota) => {
    pretendMachine(8, files);
    expect(cpuQuota()).toBe(quota);
  });
});

describe('features', () => {
  it('are there on Node', () => {
    expect(hasSimd()).toBe(true);
    expect(whyNoSharedMemory()).toBeNull();
    expect(whyNoThreads()).toBeNull();
    expect(mayBlock()).toBe(true);
    expect(builtin('node:os')).toBeDefined();
    expect(builtin('node:no-such-module')).toBeUndefined();
  });

  it('are missing where WebAssembly is, or refuses', () => {
    const { Memory } = WebAssembly;
    vi.stubGlobal('WebAssembly', undefined);
    expect(hasSimd()).toBe(false);
    expect(whyNoSharedMemory()).toBe('no WebAssembly here');
    vi.stubGlobal('WebAssembly', { validate: () => false, Memory });
    expect(hasSimd()).toBe(false);
    vi.stubGlobal('WebAssembly', {
      validate() {
        throw new Error('blocked by CSP');
      },
      Memory: class {
        constructor() {
          throw new RangeError('no shared memory');
        }
      },
    });
    expect(hasSimd()).toBe(false);
    expect(whyNoSharedMemory()).toBe('the engine has no shared WebAssembly memory');
    vi.stubGlobal('process', undefined);
    expect(builtin('node:os')).toBeUndefined();
  });

  it('keepsSubnormals tells halving from flushing', () => {
    expect(keepsSubnormals((x) => x / 2)).toBe(true);
    expect(keepsSubnormals(() => 0)).toBe(false);
  });

  it.each(BACKENDS)('$name keeps subnormals here', async (backend) => {
    await withRuntime(backend, (runtime) => {
      expect(runtime.info.backend).toBe(backend.name.split(' ')[0]);
      const optimizer = new SGD(runtime, { w: new Float32Array(16).fill(2 ** -127) }, { lr: 0.5 });
      optimizer.step({ w: new Float32Array(16).fill(2 ** -127) });
      expect([...optimizer.params.w]).toEqual(Array(16).fill(2 ** -128));
    });
  });
});
