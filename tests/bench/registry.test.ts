/**
 * What the registry promises: ids for good, every file listed, sizes as stated, plans that shards
 * divide without rest.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createRuntime, optimizerNames, type Runtime } from 'adal-wasm';
import { characterVocabulary, ngramLosses, textWindows } from 'adal-wasm/data';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadText } from '../../bench/suite/data';
import { COMPARISONS, OPTIMIZERS, WORKLOADS } from '../../bench/suite/registry';
import { ResultStore } from '../../bench/suite/store';
import { createConfigured } from '../../bench/suite/study/cell';
import { planStudy, shardOf } from '../../bench/suite/study/plan';
import { blankResult, jobsFor, PARTS, type StudySettings } from '../../bench/suite/tasks';
import { fileSource } from './files';

const SUITE = resolve(import.meta.dirname, '../../bench/suite');
let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.dispose());

it('lists every file of workloads/', () => {
  const registry = readFileSync(resolve(SUITE, 'registry.ts'), 'utf8');
  for (const file of readdirSync(resolve(SUITE, 'workloads')))
    expect(registry).toContain(`./workloads/${file.replace('.ts', '')}'`);
});

it.each([OPTIMIZERS, WORKLOADS])('has no id twice', (...list) => {
  const ids = list.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('compares every optimizer of the library', () => {
  expect(new Set(OPTIMIZERS.map(({ name }) => name))).toEqual(new Set(optimizerNames()));
});

it('compares only what it has', () => {
  const ids = OPTIMIZERS.map(({ id }) => id);
  for (const { a, b } of COMPARISONS) expect(ids).toEqual(expect.arrayContaining([a, b]));
});

/** The largest are as good as their smaller siblings here. */
const SMALL = WORKLOADS.filter(({ group }) => !['W5', 'W6'].includes(group));

describe.each(SMALL)('$id', ({ id, prepare, parameters, batchSize, samples }) => {
  it('has the parameters and samples that it states; a seed sets its instance', async () => {
    const prepared = await prepare(fileSource);
    const adam = OPTIMIZERS.find((config) => config.id === 'adam')!;
    const figures = [];
    for (const seed of [3, 3, 4]) {
      const problem = await prepared.create(runtime, seed);
      const optimizer = await createConfigured(adam, problem, runtime, 1e-3);
      const count = Object.values({ ...optimizer.params }).reduce(
        (sum, { length }) => sum + length,
        0,
      );
      expect(count, id).toBe(parameters);
      if (batchSize && id !== 'W1')
        expect(problem.stepsPerEpoch).toBe(Math.ceil(samples.train / batchSize));
      for (let step = 0; step < 3; step++) {
        problem.computeGradients(optimizer, step);
        optimizer.step();
      }
      figures.push(problem.evaluate(optimizer, true));
      optimizer.dispose();
      problem.dispose();
    }
    expect(figures[0]).toEqual(figures[1]);
    expect(figures[0]).not.toEqual(figures[2]);
  });
});

describe('plans', () => {
  it('are divided by shards without rest', () => {
    const cells = planStudy('full');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (count) => {
        const parts = Array.from({ length: count }, (_, k) =>
          shardOf(cells, { index: k + 1, count }),
        );
        expect(new Set(parts.flat())).toEqual(new Set(cells));
        expect(parts.flat()).toHaveLength(cells.length);
      }),
    );
  });

  it('keep to their filters', () => {
    const cells = planStudy('standard', {
      workloads: ['W2', 'W3'],
      optimizers: ['adam', 'adal'],
      seeds: 7,
    });
    expect(new Set(cells.map(({ optimizer }) => optimizer))).toEqual(new Set(['adam', 'adal']));
    expect(new Set(cells.map(({ workload }) => workload))).toEqual(
      new Set(['W2-iris', 'W2-wine', 'W2-breast-cancer', 'W3']),
    );
    expect(new Set(cells.map(({ finalSeeds }) => finalSeeds))).toEqual(new Set([7]));
  });

  it.each(['smoke', 'standard', 'full'] as const)(
    'of tier %s hash every workload on every runtime',
    (tier) => {
      const cells = planStudy(tier);
      const shard = { index: 1, count: 1 };
      const settings: StudySettings = {
        tier,
        parts: PARTS,
        filters: {},
        shard,
        command: '',
        package: { name: '', version: '', commit: null },
      };
      const store = new ResultStore(blankResult(settings, cells));
      for (const first of [true, false]) {
        const { shared } = jobsFor(settings, cells, store, 'somewhere', first);
        const hashed = new Set(
          shared.flatMap(({ job }) => (job.kind === 'hash' ? [job.workload] : [])),
        );
        expect(hashed).toEqual(
          new Set(WORKLOADS.filter(({ tiers }) => tiers[tier]).map(({ id }) => id)),
        );
      }
    },
  );

  it.each(['smoke', 'standard', 'full'] as const)(
    'of tier %s have both partners of every comparison',
    (tier) => {
      const has = new Set(
        planStudy(tier).map(({ workload, optimizer }) => `${workload} ${optimizer}`),
      );
      for (const { id, ranked, tiers } of WORKLOADS) {
        if (ranked && tiers[tier])
          for (const partner of ['adal', 'adam', 'sgd-momentum'])
            expect(has).toContain(`${id} ${partner}`);
      }
    },
  );
});

it('gives as baselines of W7 what counting gives', async () => {
  const text = await loadText(fileSource, 'pride-and-prejudice.txt');
  const vocabulary = characterVocabulary(text);
  const part = (from: number, to: number) =>
    textWindows(text.slice(from, to), { context: 8, vocabulary });
  const test = part(131_072 - 13_107, 131_072);
  for (const [id, characters] of [
    ['W7', 131_072 - 2 * 13_107],
    ['W7-small', 32_768],
  ] as const) {
    const { references } = WORKLOADS.find((workload) => workload.id === id)!;
    const losses = ngramLosses(part(0, characters), test, 5);
    expect(losses.map((loss) => Number(loss.toFixed(4)))).toEqual(
      references.map(({ value }) => value),
    );
  }
});
