/** The store behind `adal train`: how often it writes, and what a failing disk does to a run. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CheckpointStore, memoryStore } from '../../src/checkpoint';
import { ThrottledStore } from '../../src/cli/throttled-store';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.advanceTimersByTime(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const bytes = (value: number) => Uint8Array.of(value);
const stored = async (store: CheckpointStore) => (await store.load())?.bytes[0];

test('writes the first save at once, then one per second, and the last on flush', async () => {
  const target = memoryStore();
  const store = new ThrottledStore(target, 'c', null);
  const seen: unknown[] = [];
  for (let i = 1; i <= 25; i++) {
    await store.save(bytes(i));
    seen.push(await stored(target));
    vi.advanceTimersByTime(100);
  }
  expect(seen).toEqual([
    ...new Array(10).fill(1),
    ...new Array(10).fill(11),
    ...new Array(5).fill(21),
  ]);
  await store.flush();
  expect(await stored(target)).toBe(25);
});

test('gives writing at most a twentieth of the time', async () => {
  const writes: number[] = [];
  const slow = {
    ...memoryStore(),
    save: async () => {
      writes.push(performance.now());
      vi.advanceTimersByTime(500);
      return { version: '' };
    },
  };
  const store = new ThrottledStore(slow, 'c', null);
  for (let i = 0; i < 300; i++) {
    await store.save(bytes(i));
    vi.advanceTimersByTime(100);
  }
  const pauses = writes.slice(1).map((at, index) => at - writes[index] - 500);
  expect(pauses.length).toBeGreaterThan(1);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(9500);
});

test('outlives writes that fail, says so once, and fails with the last', async () => {
  const warning = vi.spyOn(console, 'error').mockImplementation(() => {});
  let full = true;
  const target = memoryStore();
  const save: CheckpointStore['save'] = async (data) => {
    if (full) throw new Error('disk full');
    return target.save(data);
  };
  const store = new ThrottledStore({ load: () => target.load(), save }, 'run/c\u001b', null);
  for (let i = 0; i < 3; i++) {
    await store.save(bytes(i));
    vi.advanceTimersByTime(5000);
  }
  expect(warning.mock.calls).toEqual([
    [
      '\nadal: warning: cannot write the checkpoint run/c\\u{1b} (disk full): training continues ' +
        'and tries again, but until then the run cannot be resumed if it is killed',
    ],
  ]);
  await expect(store.flush()).rejects.toThrow('disk full');
  full = false;
  await store.flush();
  expect(await stored(target)).toBe(2);
});

test('loads what a run goes on from, whatever it has written', async () => {
  const store = new ThrottledStore(memoryStore(), 'c', bytes(9));
  await store.save(bytes(1));
  expect(await stored(store)).toBe(9);
  expect(await new ThrottledStore(memoryStore(), 'c', null).load()).toBeNull();
});
