/** Products of schedules. */
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src';
import {
  cosine,
  isStatefulSchedule,
  join,
  linear,
  multiply,
  oneCycle,
  reduceOnPlateau,
  type StatefulSchedule,
  scheduleFromConfig,
  warmup,
} from '../../src/schedules';

describe('multiply', () => {
  it('is the product of its factors at the same step, from left to right', () => {
    const [a, b] = [cosine({ lr: 0.1, totalSteps: 50 }), linear({ lr: 1, totalSteps: 80 })];
    const lr = multiply(a, b, 0.3, (step) => step);
    for (const t of [1, 2, 25, 50, 51, 1000]) expect(lr(t)).toBe(a(t) * b(t) * 0.3 * t);
    expect(multiply(a)(7)).toBe(a(7));
  });

  it('has a config if all its factors have, and only then', () => {
    const lr = multiply(0.5, cosine({ lr: 0.1, totalSteps: 5 }));
    expect(lr.config).toEqual({
      name: 'multiply',
      factors: [
        { name: 'constant', lr: 0.5 },
        { name: 'cosine', lr: 0.1, totalSteps: 5, endLr: 0 },
      ],
    });
    expect(multiply(0.5, (step) => step).config).toBeUndefined();
  });

  it('has the state of the one factor that has, through its config too', () => {
    const options = { lr: 1, factor: 0.5, patience: 0 };
    const lr = multiply(cosine({ lr: 0.1, totalSteps: 100 }), reduceOnPlateau(options));
    const again = scheduleFromConfig(JSON.parse(JSON.stringify(lr.config)));
    for (const schedule of [lr, again] as StatefulSchedule[]) {
      expect(isStatefulSchedule(schedule)).toBe(true);
      expect(schedule.update?.(1)).toBe(false);
      expect(schedule.update?.(1)).toBe(true);
      expect(schedule(51)).toBe(0.025);
    }
    (lr as StatefulSchedule).update?.(1);
    expect(again(51)).toBe(0.025);
    (again as unknown as StatefulSchedule).loadStateDict((lr as StatefulSchedule).stateDict());
    expect(again(51)).toBe(0.0125);
  });

  it('sets the momentum of the one factor that does', () => {
    const cycle = oneCycle({ maxLr: 0.1, totalSteps: 10, cycleMomentum: true });
    const lr = multiply(0.5, cycle);
    for (const t of [1, 3, 7, 10, 11]) expect(lr.momentum?.(t)).toBe(cycle.momentum?.(t));
    expect(multiply(0.5, 0.5).momentum).toBeUndefined();
  });

  it.each([
    [[], /^"factors" expected at least one schedule/],
    [[-1], /^"factors\[0\]" expected a number in \[0, 2\^64\) or a function of the step, got -1/],
    [[1, 'cosine'], /^"factors\[1\]" expected/],
    [
      [reduceOnPlateau({ lr: 1 }), warmup({ steps: 1, schedule: reduceOnPlateau({ lr: 1 }) })],
      /^"factors" expected at most one schedule with state, got 2 of them/,
    ],
    [
      [1, 2].map((maxLr) => oneCycle({ maxLr, totalSteps: 5, cycleMomentum: true })),
      /^"factors" expected at most one schedule that sets the momentum, got 2 of them/,
    ],
  ])('refuses %o', (factors, message) => {
    expect(() => multiply(...(factors as number[]))).toThrow(message);
    expect(() => multiply(...(factors as number[]))).toThrow(ArgumentError);
  });

  it('refuses steps that are none', () => {
    for (const step of [0, 1.5, Number.NaN])
      expect(() => multiply(1, 2)(step)).toThrow(/^"step" expected/);
  });
});

describe('the momentum of schedules made of others', () => {
  const cycle = oneCycle({ maxLr: 0.1, totalSteps: 10, cycleMomentum: true });

  it('of a join is that of the part that runs, where it sets one', () => {
    const lr = join([0.1, cycle, 0.01], [5, 15]);
    expect([1, 5, 16, 100].map((t) => lr.momentum?.(t))).toEqual(Array(4).fill(undefined));
    for (let t = 1; t <= 10; t++) expect(lr.momentum?.(t + 5)).toBe(cycle.momentum?.(t));
    expect(() => lr.momentum?.(0)).toThrow(/^"step" expected/);
  });

  it('of a warm-up is that of step 1, then that of the schedule', () => {
    const lr = warmup({ steps: 4, schedule: cycle });
    expect([1, 4, 5].map((t) => lr.momentum?.(t))).toEqual([0.95, 0.95, 0.95]);
    for (let t = 1; t <= 12; t++) expect(lr.momentum?.(t + 4)).toBe(cycle.momentum?.(t));
  });
});
