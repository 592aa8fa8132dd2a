/** The browser's worker host, against workers that a page may refuse in every way that pages do. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mayBlock, workerHostKind } from '../../src/runtime/features';
import { loadWorkerHost } from '../../src/runtime/worker-host';
import { createBrowserWorkerHost } from '../../src/runtime/worker-host-browser';

type Refusal = 'throws' | 'event' | 'post' | null;

/** What the page does to workers from blobs, and to those from URLs. */
let refusals: { blob: Refusal; url: Refusal };
let started: FakeWorker[] = [];

class FakeWorker {
  onerror: ((event: object) => void) | null = null;
  terminated = false;
  input: unknown = null;
  readonly url: string;
  readonly #refusal: Refusal;

  constructor(url: string | URL) {
    this.url = String(url);
    this.#refusal = this.url.startsWith('blob:') ? refusals.blob : refusals.url;
    if (this.#refusal === 'throws') throw new Error('SecurityError: not allowed');
    started.push(this);
    if (this.#refusal === 'event')
      queueMicrotask(() => this.onerror?.({ message: '', preventDefault() {} }));
  }

  postMessage(input: unknown): void {
    if (this.#refusal === 'post') throw new Error('DataCloneError: shared memory');
    this.input = input;
  }

  terminate(): void {
    this.terminated = true;
  }
}

beforeEach(() => {
  refusals = { blob: null, url: null };
  started = [];
  vi.stubGlobal('Worker', FakeWorker);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const INPUT = { any: 'input' } as never;
const KINDS: Exclude<Refusal, null>[] = ['throws', 'event', 'post'];

/** Starts a worker; returns what ended it, once microtasks have run. */
async function spawn(workerUrl?: string): Promise<{ ended: string[]; terminate: () => void }> {
  const ended: string[] = [];
  const { terminate } = createBrowserWorkerHost(workerUrl).spawn(INPUT, (reason) =>
    ended.push(reason),
  );
  await new Promise((resolve) => setTimeout(resolve, 0));
  return { ended, terminate };
}

describe('createBrowserWorkerHost', () => {
  it('starts from a blob', async () => {
    const { ended, terminate } = await spawn();
    expect(started.map(({ url }) => url)).toEqual([expect.stringMatching(/^blob:/)]);
    expect(started[0].input).toBe(INPUT);
    expect(ended).toEqual([]);
    terminate();
    expect(started[0].terminated).toBe(true);
  });

  it.each(KINDS)('a refused blob (%s): starts from the given URL', async (refusal) => {
    refusals.blob = refusal;
    const { ended } = await spawn('https://example.org/worker.js');
    const { url, input, terminated } = started.at(-1) as FakeWorker;
    expect({ url, input, terminated }).toEqual({
      url: 'https://example.org/worker.js',
      input: INPUT,
      terminated: false,
    });
    expect(started.slice(0, -1).every((worker) => worker.terminated)).toBe(true);
    expect(ended).toEqual([]);
  });

  it('without a URL: from the file beside the package’s entries', async () => {
    refusals.blob = 'throws';
    await spawn();
    expect(started[0].url).toMatch(/\/worker\.js$/);
  });

  it.each(KINDS)('both refused (%s): ends once, with both reasons', async (refusal) => {
    refusals = { blob: 'throws', url: refusal };
    const { ended } = await spawn();
    expect(ended).toEqual([expect.stringMatching(/SecurityError.*; then /)]);
    expect(started.every(({ terminated }) => terminated)).toBe(true);
  });

  it('terminated before the refusal comes: starts nothing more', async () => {
    refusals.blob = 'event';
    const handle = createBrowserWorkerHost().spawn(INPUT, () => {});
    handle.terminate();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(started.length).toBe(1);
  });
});

describe('workerHostKind', () => {
  it('is node here, browser in a page, nothing on the edge', async () => {
    expect(workerHostKind()).toBe('node');
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
    expect(workerHostKind()).toBe('browser');
    expect(await loadWorkerHost('worker.js')).toMatchObject({ spawn: expect.any(Function) });
    vi.stubGlobal('Worker', undefined);
    expect(workerHostKind()).toBeNull();
    await expect(loadWorkerHost()).rejects.toThrow('no worker host for this runtime');
  });

  it('does not trust worker_threads where nothing may wait', () => {
    vi.stubGlobal('Worker', undefined);
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new TypeError('cannot be called here');
    });
    expect(mayBlock()).toBe(false);
    expect(workerHostKind()).toBeNull();
  });
});
