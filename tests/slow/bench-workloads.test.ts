/**
 * Every workload of the registry at its full size: built once, two steps of two optimizers, its
 * figures, and its place in the full plan.
 */
import { existsSync } from 'node:fs';
import { createRuntime, type Runtime } from 'adal-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPTIMIZERS, optimizerOf, WORKLOADS } from '../../bench/suite/registry';
import { createConfigured } from '../../bench/suite/study/cell';
import { describeWorkload } from '../../bench/suite/study/describe';
import { planStudy } from '../../bench/suite/study/plan';
import type { PreparedWorkload } from '../../bench/suite/types';
import { fileSource } from '../bench/files';

const FASHION = '/usr/share/datasets/fashion-mnist';
const present = existsSync(FASHION);
if (!present)
  console.log(`skipped: W5 and W6, no ${FASHION} (apt-get install dataset-fashion-mnist)`);
const HERE = WORKLOADS.filter(({ group }) => present || !['W5', 'W6'].includes(group));
const STEPS = 2;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.dispose());

/** Training losses of the steps, and how many parameters were trained. */
async function start(prepared: PreparedWorkload, optimizerId: string) {
  const config = optimizerOf(optimizerId);
  const problem = await prepared.create(runtime, 1);
  const optimizer = await createConfigured(config, problem, runtime, config.lr);
  try {
    const losses = Array.from({ length: STEPS }, (_, step) => {
      const loss = problem.computeGradients(optimizer, step);
      expect(optimizer.step().skipped).toBe(false);
      return loss;
    });
    const count = Object.values({ ...optimizer.params }).reduce(
      (sum, { length }) => sum + length,
      0,
    );
    return {
      losses,
      count,
      stepsPerEpoch: problem.stepsPerEpoch,
      figures: problem.evaluate(optimizer, true),
    };
  } finally {
    optimizer.dispose();
    problem.dispose();
  }
}

describe.each(HERE)('$id', (workload) => {
  it('is as it says, and trains', async () => {
    const prepared = await workload.prepare(fileSource);
    for (const id of ['adal', 'adam']) {
      const { losses, count, stepsPerEpoch, figures } = await start(prepared, id);
      expect(losses.every(Number.isFinite), `${id}: ${losses}`).toBe(true);
      expect(count).toBe(workload.parameters);
      expect(stepsPerEpoch).toBeGreaterThan(0);
      expect(figures.trainLoss).not.toBeNull();
      expect(figures[workload.metric.field], workload.metric.field).not.toBeNull();
      expect(figures[workload.selectBy.field], workload.selectBy.field).not.toBeNull();
    }
  });

  it('is described as it is', async () => {
    const tier = workload.tiers.full ? 'full' : 'standard';
    const entry = await describeWorkload(workload, tier, null, runtime, () =>
      workload.prepare(fileSource),
    );
    const { train } = workload.samples;
    if (workload.batchSize && workload.id !== 'W1')
      expect(entry.steps).toBe(
        workload.tiers[tier]!.epochs * Math.ceil(train / workload.batchSize),
      );
    expect(entry).toMatchObject({ id: workload.id, status: 'ok', parameters: workload.parameters });
  });
});

it('states the sizes of the protocol', () => {
  const sizeOf = (id: string) => WORKLOADS.find((workload) => workload.id === id)!.parameters;
  expect(sizeOf('W6')).toBeLessThan(115_000);
  expect(sizeOf('W6x')).toBe(3_274_634);
});

describe('the full tier', () => {
  const cells = planStudy('full');
  const of = (id: string) => cells.filter(({ workload }) => workload === id);

  it('has every workload but those that a larger one stands for', () => {
    const left = WORKLOADS.filter(({ id }) => of(id).length === 0).map(({ id }) => id);
    expect(left).toEqual(['W5-small', 'W7-small']);
  });

  it.each<[string, number, number]>([
    ['W0-beale', 30, 3],
    ['W1', 30, 3],
    ['W2-iris', 30, 3],
    ['W3', 30, 3],
    ['W5', 20, 3],
    ['W6', 20, 3],
    ['W6x', 10, 1],
    ['W7', 20, 3],
  ])('gives %s %d final seeds and %d to search with', (id, finalSeeds, searchSeeds) => {
    expect(of(id)).not.toEqual([]);
    for (const cell of of(id)) expect(cell).toMatchObject({ finalSeeds, searchSeeds });
  });

  it('compares every contender on W5 and W7, and four of them on W6x', () => {
    const contenders = OPTIMIZERS.filter(({ ablation }) => !ablation).map(({ id }) => id);
    for (const id of ['W5', 'W7'])
      expect(new Set(of(id).map(({ optimizer }) => optimizer))).toEqual(new Set(contenders));
    expect(new Set(of('W6x').map(({ optimizer }) => optimizer)).size).toBe(4);
  });
});
