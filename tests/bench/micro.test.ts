/**
 * Timings that can be trusted: everyone is checked against the oracle first, rounds are
 * interleaved, what is missing says why.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Micro } from '../../bench/schema/result';
import { Executor } from '../../bench/suite/executor';
import {
  createContenders,
  type PeerModule,
  type StepData,
} from '../../bench/suite/micro/contenders';
import { planTimed } from '../../bench/suite/micro/plan';
import { benchStep, compare } from '../../bench/suite/micro/step';
import type { Entry } from '../../bench/suite/result';
import { planStudy } from '../../bench/suite/study/plan';
import { type Body, byLoop, timeRounds } from '../../bench/toolkit/timing';
import { fileSource } from './files';

const noPeers = async (file: string): Promise<PeerModule> => {
  throw new Error(`${file} is not installed`);
};

/** Calls once and gives a number of its own choice: no clock in a test. */
const once = (body: Body): number => 1 + Math.abs(body());

async function rowsOf(
  load: (file: string) => Promise<PeerModule>,
  gradients: StepData['gradients'] = 'normal',
): Promise<Micro[]> {
  const rows: Micro[] = [];
  const report = (entry: { value: object }) => rows.push(entry.value as Micro);
  await benchStep(
    { n: 1000, layout: '100', gradients, rounds: 3 },
    { environment: 'here', timeOnce: once, load, report },
  );
  return rows;
}

describe("the benchmark of an optimizer's step", () => {
  it.each(['normal', 'zero', 'denormal'] as const)(
    'has the bits of the oracle on every backend, %s gradients',
    async (gradients) => {
      const rows = await rowsOf(noPeers, gradients);
      const own = rows.filter(({ implementation }) =>
        ['wasm simd', 'wasm threads', 'oracle'].includes(implementation),
      );
      expect(own).toHaveLength(12);
      for (const { status, samples, check } of own)
        expect([status, samples.length, check?.bitwise]).toEqual(['ok', 3, true]);
    },
  );

  it('says why what cannot run was not measured', async () => {
    const rows = (await rowsOf(noPeers)).filter(({ implementation }) =>
      /TensorFlow|jax/.test(implementation),
    );
    expect(rows).toHaveLength(6);
    for (const { status, reason, samples } of rows) {
      expect([status, samples]).toEqual(['unsupported', []]);
      expect(reason).toMatch(/\.js is not installed/);
    }
  });

  it('does not time what computes something else', async () => {
    const params = [new Float32Array(10).fill(7)];
    const wrong = { step() {}, stepWithCopies: () => params, params: () => params, dispose() {} };
    const rows = await rowsOf(async () => ({ implementations: [], createAdam: async () => wrong }));
    const peers = rows.filter(({ implementation }) => /TensorFlow|jax/.test(implementation));
    expect(peers).toHaveLength(6);
    for (const { status, reason, samples } of peers) {
      expect([status, samples]).toEqual(['failed', []]);
      expect(reason).toMatch(/not where the oracle is: relative error/);
    }
  });

  it('gives the oracle no size at which it would take seconds', () => {
    expect(
      createContenders(noPeers).find(({ implementation }) => implementation === 'oracle')!.maxSize,
    ).toBeLessThan(1e6);
  });
});

describe('the check', () => {
  const floats = (...values: number[]) => Float32Array.from(values);

  it('counts units in the last place, across zero too', () => {
    expect(compare(floats(1), floats(1 + 2 ** -23), true)).toMatchObject({
      bitwise: false,
      maxUlp: 1,
      passed: false,
    });
    expect(compare(floats(2 ** -149), floats(-(2 ** -149)), false)).toMatchObject({
      maxUlp: 2,
      passed: true,
    });
    expect(compare(floats(0.5, -3), floats(0.5, -3), true)).toMatchObject({
      bitwise: true,
      maxUlp: 0,
      passed: true,
    });
  });

  it.each([Number.NaN, Infinity])('fails %d', (value) => {
    expect(compare(floats(1, value), floats(1, 2), false).passed).toBe(false);
  });
});

describe('rounds', () => {
  it('turn their order, and give a sample a round', () => {
    const calls: string[] = [];
    const body =
      (name: string): Body =>
      () => {
        calls.push(name);
        return 0;
      };
    const { samples } = timeRounds(
      once,
      new Map([
        ['a', body('a')],
        ['b', body('b')],
      ]),
      3,
    );
    expect(calls.slice(-6).join('')).toBe('abbaab');
    expect([...samples.values()].map(({ length }) => length)).toEqual([3, 3]);
  });

  it('are unstable when the machine was slower after them', () => {
    let time = 1;
    expect(timeRounds(() => (time *= 1.1), new Map(), 1).stable).toBe(false);
    expect(timeRounds(() => 1, new Map(), 1).stable).toBe(true);
  });

  it('repeat what is short until a sample is long enough', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    let calls = 0;
    byLoop(0.5)(() => {
      now += 0.01;
      return ++calls;
    });
    vi.restoreAllMocks();
    expect(calls).toBeGreaterThanOrEqual(50);
  });
});

describe('where the clock stands still while code runs', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('every timing says so, and trainings have no seconds', async () => {
    const now = Date.now();
    vi.stubGlobal(
      'Date',
      class extends Date {
        static override now = () => now;
      },
    );
    vi.stubGlobal('performance', { now: () => 1 });
    const executor = new Executor({ data: fileSource, loadPeer: noPeers });
    const cells = planStudy('smoke', {
      workloads: ['W0-beale', 'E1'],
      optimizers: ['adal'],
      seeds: 1,
    });
    for (const { job } of planTimed('smoke', cells)) {
      const entries: Entry[] = [];
      await executor.execute(job, (entry) => entries.push(entry));
      expect(entries.length).toBeGreaterThan(0);
      for (const { value } of entries) {
        expect(value).toMatchObject({
          status: 'unsupported',
          reason: expect.stringContaining('clock'),
        });
        expect(value).not.toMatchObject({ samples: [expect.anything()] });
      }
    }
    const entries: Entry[] = [];
    await executor.execute({ kind: 'environment' }, (entry) => entries.push(entry));
    const cell = cells.find(({ track, workload }) => track === 'T0' && workload === 'W0-beale')!;
    await executor.execute({ kind: 'cell', cell, runs: [], searches: [] }, (entry) =>
      entries.push(entry),
    );
    expect(entries[0].value).toMatchObject({ timerTickMs: 0 });
    const runs = entries.filter(({ type }) => type === 'run');
    expect(runs).toHaveLength(1);
    expect(runs[0].value).toMatchObject({ status: 'ok', secondsPerStep: null });
  });
});
