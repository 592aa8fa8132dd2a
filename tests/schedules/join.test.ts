/** Schedules made of schedules. */
import { describe, expect, it, vi } from 'vitest';
import {
  constant,
  cosine,
  isStatefulSchedule,
  join,
  linear,
  reduceOnPlateau,
  type StatefulSchedule,
  warmup,
} from '../../src/schedules';
import { bits } from '../math/bits';
import { refuses } from './refusals';

const asStateful = (lr: unknown): StatefulSchedule => {
  if (!isStatefulSchedule(lr)) throw new Error('no state');
  return lr;
};

describe('join', () => {
  it('begins each schedule at its own step 1', () => {
    const identity = (step: number) => step;
    const lr = join([identity, (step) => 10 * step, (step) => 100 * step], [3, 5]);
    expect([1, 2, 3, 4, 5, 6, 7].map(lr)).toEqual([1, 2, 3, 10, 20, 100, 200]);
  });

  it('is continuous where its schedules meet', () => {
    const fall = cosine({ lr: 0.1, totalSteps: 900 });
    const lr = join([linear({ lr: 0.001, endLr: 0.1, totalSteps: 100 }), fall], [100]);
    expect(lr(101)).toBe(0.1);
    expect(lr(101) - lr(100)).toBeCloseTo(0.00099, 12);
    expect(lr(101) - lr(102)).toBeLessThan(1e-6);
    for (const t of [101, 500, 1000, 1001, 2000]) expect(lr(t)).toBe(fall(t - 100));
  });

  it('takes a number as a constant, and a single schedule', () => {
    const lr = join([0.1, 0.01], [2]);
    expect([1, 2, 3, 1e9].map(lr)).toEqual([0.1, 0.1, 0.01, 0.01]);
    const only = join([constant(1)], []);
    expect(only(7)).toBe(1);
  });

  it('has a config if all its schedules have, and only then', () => {
    expect(join([0.1, cosine({ lr: 0.1, totalSteps: 5 })], [3]).config).toEqual({
      name: 'join',
      schedules: [
        { name: 'constant', lr: 0.1 },
        { name: 'cosine', lr: 0.1, totalSteps: 5, endLr: 0 },
      ],
      boundaries: [3],
    });
    expect(join([0.1, () => 1], [3]).config).toBeUndefined();
  });

  it('has the state of the one schedule that has any', () => {
    const plateau = reduceOnPlateau({ lr: 1, patience: 0, factor: 0.5 });
    const lr = asStateful(join([0.1, plateau], [3]));
    expect(lr.update?.(1)).toBe(false);
    expect(lr.update?.(1)).toBe(true);
    expect([3, 4].map(lr)).toEqual([0.1, 0.5]);
    expect(lr.stateDict()).toEqual(plateau.stateDict());
    lr.loadStateDict({ ...plateau.stateDict(), lr: 0.25 });
    expect([plateau(1), lr(4)]).toEqual([0.25, 0.25]);
    expect(isStatefulSchedule(join([0.1, 0.2], [3]))).toBe(false);
    expect(() => join([plateau, plateau], [3])).toThrow(
      /^"schedules" expected at most one schedule with state, got 2 of them/,
    );
  });

  it('has no update if its schedule with state has none', () => {
    const own = Object.assign(() => 1, { stateDict: () => ({ a: 1 }), loadStateDict: vi.fn() });
    const lr = asStateful(join([own], []));
    expect(lr.update).toBeUndefined();
    expect(lr.stateDict()).toEqual({ a: 1 });
    lr.loadStateDict({ a: 2 });
    expect(own.loadStateDict).toHaveBeenCalledWith({ a: 2 });
  });

  it.each([
    [[], [], /^"schedules" expected an array of at least one schedule, got \[\]/],
    [undefined, [], /^"schedules" expected/],
    [
      [-1, 1],
      [1],
      /^"schedules\[0\]" expected a number in \[0, 2\^64\) or a function of the step, got -1/,
    ],
    [[1, 'cosine'], [1], /^"schedules\[1\]" expected/],
    [new Array(2), [1], /^"schedules\[0\]" expected/],
    [[1, 1], [], /^"boundaries" expected 1 numbers, one fewer than schedules, got \[\]/],
    [[1], [1], /^"boundaries" expected 0 numbers/],
    [[1, 1], [0], /^"boundaries\[0\]" expected an integer/],
    [[1, 1, 1], [2, 2], /^"boundaries" expected increasing numbers of steps, got 2 before 2/],
    [[1, 1], undefined, /^"boundaries" expected an array/],
  ])('refuses %o with %o', (schedules, boundaries, message) => {
    expect(() => join(schedules as number[], boundaries as number[])).toThrow(message);
  });

  it.each([0, 1.5, NaN, '1'])('refuses step %s', (step) => {
    expect(() => join([() => 1], [])(step as number)).toThrow(/^"step" expected/);
  });
});

describe('warmup', () => {
  it('climbs evenly to the first value of the schedule, then follows it', () => {
    const fall = cosine({ lr: 0.1, totalSteps: 91 });
    const lr = warmup({ steps: 9, schedule: fall });
    for (let t = 1; t <= 10; t++) expect(lr(t)).toBeCloseTo(0.01 * t, 15);
    for (const t of [10, 11, 50, 100, 101, 102]) expect(lr(t)).toBe(fall(t - 9));
    expect([lr(10), lr(101)]).toEqual([0.1, 0]);
  });

  it('starts at startLr: with it, the join of a line and the schedule', () => {
    const fall = cosine({ lr: 0.1, totalSteps: 90 });
    for (const startLr of [0, 0.02, 0.3]) {
      const lr = warmup({ steps: 10, schedule: fall, startLr });
      const joined = join([linear({ lr: startLr, endLr: 0.1, totalSteps: 10 }), fall], [10]);
      expect(lr(1)).toBe(startLr);
      for (let t = 1; t <= 110; t++) expect(lr(t)).toBe(joined(t));
    }
  });

  it('takes a number, a function, and no steps', () => {
    expect([1, 2, 3, 4, 5].map(warmup({ steps: 3, schedule: 4 }))).toEqual([1, 2, 3, 4, 4]);
    expect([1, 2, 3].map(warmup({ steps: 1, schedule: (step) => 10 * step }))).toEqual([5, 10, 20]);
    expect([1, 2].map(warmup({ steps: 0, schedule: (step) => step }))).toEqual([1, 2]);
  });

  it('aims at what a schedule with state starts with now', () => {
    const plateau = reduceOnPlateau({ lr: 4, patience: 0, factor: 0.5 });
    const lr = warmup({ steps: 3, schedule: plateau });
    expect([1, 2, 3, 4].map(lr)).toEqual([1, 2, 3, 4]);
    for (const metric of [1, 1]) asStateful(lr).update?.(metric);
    expect([1, 2, 3, 4].map(lr)).toEqual([0.5, 1, 1.5, 2]);
    expect(asStateful(lr).stateDict()).toEqual(plateau.stateDict());
  });

  it('has a config if its schedule has', () => {
    const schedule = { name: 'constant', lr: 4 };
    expect(warmup({ steps: 3, schedule: 4 }).config).toEqual({
      name: 'warmup',
      steps: 3,
      schedule,
    });
    expect(warmup({ steps: 3, schedule: 4, startLr: 0 }).config).toEqual({
      name: 'warmup',
      steps: 3,
      schedule,
      startLr: 0,
    });
    expect(warmup({ steps: 3, schedule: () => 4 }).config).toBeUndefined();
  });

  it('has the same bits on every engine', () => {
    const lr = warmup({ steps: 6, schedule: cosine({ lr: 0.1, totalSteps: 9 }) });
    expect([1, 2, 5, 6, 7, 8, 15].map((t) => bits(lr(t)))).toEqual([
      '3f8d41d41d41d41e',
      '3f9d41d41d41d41c',
      '3fb2492492492492',
      '3fb5f15f15f15f16',
      '3fb999999999999a',
      '3fb8d3fc1a87453f',
      '3f68b3afe24a8b74',
    ]);
  });

  refuses(warmup, { steps: 3, schedule: 1 }, [
    [{ schedule: 1 }, /^"steps" expected an integer/],
    [{ steps: -1, schedule: 1 }, /^"steps" expected/],
    [
      { steps: 3 },
      /^"schedule" expected a number in \[0, 2\^64\) or a function of the step, got undefined/,
    ],
    [{ steps: 3, schedule: 1, startLr: -1 }, /^"startLr" expected/],
  ]);
});
