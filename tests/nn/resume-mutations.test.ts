/**
 * Every leaf of a saved run, removed or replaced by something else: `fit` either refuses the
 * checkpoint with an error that names the field, and then nothing has changed, or it goes on.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GradientAccumulator } from '../../src/accumulation';
import { ExponentialMovingAverage } from '../../src/averaging';
import {
  type CheckpointExtras,
  type CheckpointStore,
  decodeCheckpoint,
  encodeCheckpoint,
  memoryStore,
} from '../../src/checkpoint';
import { CheckpointError } from '../../src/errors';
import { AdamW, ArgumentError, SGD } from '../../src/index';
import {
  batchNorm,
  createModel,
  dense,
  type FitOptions,
  fit,
  type TrainingData,
} from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { reduceOnPlateau } from '../../src/schedules';
import { simd, withRuntime } from '../support/backends';
import { clouds } from './clouds';

const names = { classNames: ['a', 'b', 'c'], columns: ['p', 'q', 'r', 's'] };
const train = { ...clouds(28, 1), ...names };
const validation = clouds(20, 2);

/** Everything in a run that has a state, and a hash of all of it. */
async function createLearner(runtime: Runtime, Rule: typeof AdamW | typeof SGD = AdamW) {
  const layers = [dense(3), batchNorm()];
  const model = await createModel(runtime, { inputSize: 4, layers, batchSize: 8, seed: 3 });
  const optimizer = new Rule(runtime, model.parameters, { lr: 0.05, onNonFinite: 'skip' });
  const accumulator = new GradientAccumulator(optimizer, { steps: 3 });
  const average = new ExponentialMovingAverage(optimizer, { decay: 0.9 });
  const schedule = reduceOnPlateau({ lr: 0.02, patience: 0 });
  const hash = () =>
    hashOf([
      model.stateDict({ point: 'trained' }),
      optimizer.stateDict(),
      optimizer.paramGroups.map(({ lr }) => lr),
      accumulator.stateDict(),
      average.stateDict(),
      schedule.stateDict(),
    ]);
  const run = (data: TrainingData, options: Partial<FitOptions>) =>
    fit(model, data, {
      optimizer,
      accumulator,
      average,
      schedule,
      epochs: 3,
      lastBatch: 'merge',
      validation,
      metrics: { topK: 2, confusion: true },
      earlyStopping: { patience: 5 },
      ...options,
    });
  const dispose = () => {
    for (const part of [average, accumulator, optimizer, model]) part.dispose();
  };
  return { hash, run, dispose };
}

/** A hash of plain data, bit for bit. */
function hashOf(value: unknown): string {
  const hash = createHash('sha256');
  const visit = (item: unknown): void => {
    if (ArrayBuffer.isView(item)) {
      hash.update(new Uint8Array(item.buffer, item.byteOffset, item.byteLength));
    } else if (typeof item === 'object' && item !== null) {
      for (const [key, inner] of Object.entries(item)) {
        hash.update(`${key}:`);
        visit(inner);
      }
    } else {
      hash.update(`${typeof item} ${Object.is(item, -0) ? '-0' : String(item)};`);
    }
  };
  visit(value);
  return hash.digest('hex');
}

/**
 * Stores the checkpoint of a run that was aborted in the middle of a window of its second epoch.
 */
async function interrupt(runtime: Runtime, data: TrainingData): Promise<CheckpointStore> {
  const store = memoryStore();
  const controller = new AbortController();
  const { run } = await createLearner(runtime);
  const result = await run(data, {
    checkpoint: { store },
    budgetMs: 0,
    signal: controller.signal,
    onProgress: ({ epoch, batch }) => epoch === 2 && batch === 2 && controller.abort(),
  });
  expect(result.reason).toBe('aborted');
  return store;
}

type Path = readonly string[];
type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

/** Paths of everything below a value, itself included. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (!isTree(value)) return [path];
  return [path, ...Object.keys(value).flatMap((key) => pathsOf(value[key], [...path, key]))];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((inner, key) => (inner as Tree)[key], value);
}

const REMOVED = Symbol('removed');

/** A copy of plain data that is another value at `path`. */
function replaced(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  const copy = Array.isArray(value) ? [...value] : { ...(value as Tree) };
  const inner = replaced((value as Tree)[key], rest, other);
  if (inner !== REMOVED) Object.assign(copy, { [key]: inner });
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else Reflect.deleteProperty(copy, key);
  return copy;
}

/** What each value is replaced by. */
function mutationsOf(value: unknown): Record<string, unknown> {
  const others: Record<string, unknown> = {
    removed: REMOVED,
    null: null,
    'a string': 'x',
    'an object': { x: 1 },
    'an array': [1],
    NaN: Number.NaN,
    negative: -1,
    'a fraction': 0.5,
    huge: 1e300,
    'the largest integer': Number.MAX_SAFE_INTEGER,
  };
  if (value instanceof Float32Array) {
    others['an array of NaN'] = value.slice().fill(Number.NaN);
    others['an array of negative numbers'] = value.slice().fill(-1);
    others['a longer array'] = new Float32Array(value.length + 1);
    others['another type of array'] = new Float64Array(value.length);
  }
  if (value instanceof Uint8Array) {
    others['other bytes'] = value.slice().reverse();
    others['fewer bytes'] = value.slice(0, -1);
  }
  return others;
}

/** Tells whether a message names the field, or the object or array that it belongs to. */
function isNamed(message: string, path: Path): boolean {
  const field = [...path].reverse().find((key) => !/^\d+$/.test(key)) ?? '';
  const parent = path
    .slice(1, -1)
    .join('.')
    .replace(/\.(\d+)/g, '[$1]');
  return message.includes(field) || message.includes(parent);
}

describe('a run that is resumed from a mutated checkpoint', () => {
  // A stream differs in its run's own fields alone: the rest is mutated once.
  it.each<[string, TrainingData, RegExp, number]>([
    ['arrays', train, /^/, 1000],
    ['a stream', () => [train], /^run\.(identity|epoch|batch|step)\b/, 80],
  ])(
    'of %s goes on, or is refused by field with nothing changed',
    async (_kind, data, part, least) => {
      await withRuntime(simd, async (runtime) => {
        const { bytes } = (await (await interrupt(runtime, data)).load())!;
        const { stateDict, extras } = decodeCheckpoint(bytes);
        let learner = await createLearner(runtime);
        const before = learner.hash();
        const accepted: string[] = [];
        let refused = 0;
        for (const path of pathsOf(extras).filter(
          (path) => path.length > 0 && part.test(path.join('.')),
        )) {
          for (const [what, other] of Object.entries(mutationsOf(valueAt(extras, path)))) {
            const label = `${path.join('.')}: ${what}`;
            const store = memoryStore();
            const changed = replaced(extras, path, other) as CheckpointExtras;
            await store.save(encodeCheckpoint(stateDict, changed));
            const error: unknown = await learner
              .run(data, { checkpoint: { store } })
              .then(() => null)
              .catch((reason) => reason);
            if (error === null) {
              accepted.push(label);
              learner.dispose();
              learner = await createLearner(runtime);
              continue;
            }
            refused++;
            const known = error instanceof ArgumentError || error instanceof CheckpointError;
            if (!known || !isNamed(error.message, path)) throw new Error(label, { cause: error });
            expect(learner.hash(), label).toBe(before);
          }
        }
        expect(refused).toBeGreaterThan(least);
        // Names, the model's epoch counts and what it computes may be unknown; a pass without its
        // figures counts.
        const optional =
          /(^model\.(epochs(\.0)?|pendingStatistics)|\.(classNames|columns|identity\.model)): /;
        const removed = accepted.filter((label) => label.endsWith(': removed'));
        expect(removed.filter((label) => !optional.test(label))).toEqual([]);
      });
    },
  );
});

describe('a run that is resumed with other settings', () => {
  const refusing = (message: string) => ({
    update() {},
    flush: () => null,
    add: () => null,
    stateDict: () => ({ x: 1 }),
    loadStateDict() {
      throw new Error(message);
    },
  });

  it.each<[string, Partial<FitOptions>, string]>([
    ['no average', { average: undefined }, 'has a moving average, which this run lacks'],
    ['no accumulator', { accumulator: undefined }, 'lacks: option "accumulator"'],
    ['no schedule', { schedule: undefined }, 'lacks: option "schedule"'],
    ['another seed', { seed: 1 }, 'seed expected 0, got 1'],
    ['another last batch', { lastBatch: 'drop' }, 'lastBatch expected merge, got drop'],
    [
      'an average that refuses its state',
      { average: refusing('not mine') },
      '"extras.average" does not fit: not mine',
    ],
    [
      'an accumulator that refuses its state',
      { accumulator: refusing('not mine') },
      '"extras.run.window" does not fit: not mine',
    ],
  ])('such as %s is refused, and nothing has changed', async (_what, options, message) => {
    await withRuntime(simd, async (runtime) => {
      const store = await interrupt(runtime, train);
      const { hash, run } = await createLearner(runtime);
      const before = hash();
      await expect(run(train, { checkpoint: { store }, ...options })).rejects.toThrow(message);
      expect(hash()).toBe(before);
    });
  });

  it('such as another optimizer restores the parts that loaded before it', async () => {
    await withRuntime(simd, async (runtime) => {
      const store = await interrupt(runtime, train);
      const { hash, run } = await createLearner(runtime, SGD);
      let held: unknown = 'own';
      const average = {
        update() {},
        stateDict: () => held,
        loadStateDict(state: unknown) {
          held = state;
        },
      };
      const before = hash();
      await expect(run(train, { average, checkpoint: { store } })).rejects.toThrow(
        '"stateDict.algorithm" expected',
      );
      expect([held, hash()]).toEqual(['own', before]);
    });
  });
});
