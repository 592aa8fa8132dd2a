/**
 * The study: a function of its seeds, whatever runs beside it; searched as promised; never run
 * twice.
 */

import { createRuntime } from 'adal-wasm';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../bench/schema/result';
import { OPTIMIZERS, workloadOf } from '../../bench/suite/registry';
import { byKey, type Entry } from '../../bench/suite/result';
import { runCell } from '../../bench/suite/study/cell';
import { type Evaluate, selectLearningRate } from '../../bench/suite/study/grid';
import { hashAfter } from '../../bench/suite/study/hash-after';
import { type Cell, planStudy } from '../../bench/suite/study/plan';
import { thin } from '../../bench/suite/study/train';
import { hashArrays } from '../../bench/toolkit/hash';
import { fileSource } from './files';

type Run = Result['training']['runs'][number];
type Selection = Result['training']['selections'][number];

async function runOf(
  cell: Cell,
  backend: 'simd' | 'oracle' = 'simd',
  done: readonly Entry[] = [],
): Promise<Entry[]> {
  const runtime = await createRuntime({ backend });
  const entries: Entry[] = [];
  const prepared = await workloadOf(cell.workload).prepare(fileSource);
  const known = { runs: byKey('run', runsOf(done)), searches: byKey('search', searchesOf(done)) };
  await runCell(cell, {
    runtime,
    environment: 'here',
    prepared,
    known,
    report: (entry) => entries.push(entry),
  });
  runtime.dispose();
  return entries;
}

/** Without what a clock told. */
const timeless = (entries: readonly Entry[]) =>
  entries.map((entry) => JSON.stringify({ ...entry.value, secondsPerStep: 0 }));

const runsOf = (entries: readonly Entry[]): Run[] =>
  entries.flatMap((entry) => (entry.type === 'run' ? [entry.value] : []));

const searchesOf = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => (entry.type === 'search' ? [entry.value] : []));

const CELLS = planStudy('smoke', {
  workloads: ['W0-beale', 'W1', 'W2-iris'],
  optimizers: ['adal', 'adam'],
});

describe('a cell', () => {
  it.each(
    CELLS.map(
      (cell) =>
        [`${cell.workload} ${cell.optimizer} ${cell.schedule} ${cell.track}`, cell] as const,
    ),
  )('%s gives the same figures again, and on the oracle', async (_, cell) => {
    const entries = timeless(await runOf(cell));
    expect(timeless(await runOf(cell))).toEqual(entries);
    expect(timeless(await runOf(cell, 'oracle'))).toEqual(entries);
  });

  it('does not run again what is known', async () => {
    const cell = CELLS.find(({ track }) => track === 'T1')!;
    const entries = await runOf(cell);
    expect((await runOf(cell, 'simd', entries)).map(({ type }) => type)).toEqual(['selection']);
    for (const missing of [searchesOf(entries)[4], runsOf(entries)[0]]) {
      const known = entries.filter(({ value }) => value !== missing);
      const again = (await runOf(cell, 'simd', known)).filter(({ type }) => type !== 'selection');
      expect(timeless(again)).toEqual([JSON.stringify({ ...missing, secondsPerStep: 0 })]);
    }
  });

  it('searches with seeds of its own, which leave their scores alone', async () => {
    const entries = await runOf(CELLS.find(({ track }) => track === 'T1')!);
    const [cell] = CELLS.filter(({ track }) => track === 'T1');
    expect(new Set(runsOf(entries).map(({ seed }) => seed))).toEqual(new Set([0, 1]));
    const selection = entries.find(({ type }) => type === 'selection')!.value as Selection;
    expect(
      searchesOf(entries)
        .map(({ lr }) => lr)
        .sort((a, b) => a - b),
    ).toEqual(selection.grid);
    for (const { lr, scores } of searchesOf(entries)) {
      expect(scores).toHaveLength(cell.searchSeeds);
      expect(selection.scores[selection.grid.indexOf(lr)]).toBe(scores[0]);
    }
  });
});

describe('the search', () => {
  const scoring =
    (best: number): Evaluate =>
    async (lr) => [Math.abs(Math.log10(lr / best)) + 1];

  it.each([1e-2, 1e-4, 1, 3e-7, 20])(
    'finds a best rate of %d from 1e-2, extended where it must',
    async (best) => {
      const { lr, grid, edge, extended } = await selectLearningRate(1e-2, 'lower', scoring(best));
      expect(Math.abs(Math.log10(lr! / best))).toBeLessThanOrEqual(0.26);
      expect([grid.length, edge]).toEqual([9 + extended, false]);
      for (const [index, rate] of grid.slice(1).entries())
        expect(rate / grid[index]).toBeCloseTo(Math.sqrt(10), 2);
    },
  );

  it('stops extending, and says that the best is on the edge', async () => {
    expect(await selectLearningRate(1, 'higher', async (lr) => [lr])).toMatchObject({
      extended: 8,
      edge: true,
    });
  });

  it('counts a rate as lost when one of its seeds diverged', async () => {
    const { lr } = await selectLearningRate(1, 'lower', async (rate) =>
      rate >= 1 ? [0, null] : [1 / rate, 1 / rate],
    );
    expect(lr).toBe(0.3162);
    expect((await selectLearningRate(1, 'lower', async () => [null])).lr).toBeNull();
  });
});

describe('the ablation', () => {
  const hashOf = async (id: string) => {
    const runtime = await createRuntime({ backend: 'simd' });
    const hash = await hashAfter(await workloadOf('W1').prepare(fileSource), id, 30, runtime);
    runtime.dispose();
    return hash;
  };

  it('differs with the power, and with whose norm it is', async () => {
    const ids = OPTIMIZERS.filter(({ ablation }) => ablation === 'power').map(({ id }) => id);
    const hashes = await Promise.all(ids.map(hashOf));
    expect(ids).toHaveLength(6);
    expect(new Set(hashes).size).toBe(6);
  });
});

it('hashes as FNV-1a 64 does', () => {
  const bytes = (text: string) => new Float32Array(new TextEncoder().encode(text).buffer);
  expect(hashArrays({})).toBe('cbf29ce484222325');
  expect(hashArrays({ a: bytes('foobarfo') })).toBe(fnv('foobarfo'));
  expect(hashArrays({ b: bytes('barx'), a: bytes('foo ') })).toBe(fnv('foo barx'));
});

function fnv(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const character of text)
    hash = ((hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0');
}

it.each([
  [10, 40],
  [51, 40],
  [10_000, 500],
])('thins %d points to at most %d, ends kept', (count, points) => {
  const kept = thin(count, points);
  expect(kept.length).toBeLessThanOrEqual(points);
  expect([kept[0], kept.at(-1)]).toEqual([0, count - 1]);
  expect(new Set(kept).size).toBe(kept.length);
});
