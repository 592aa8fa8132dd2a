/**
 * Plain JSON to schedules: what is refused. That it gives the same schedule again is in
 * every-schedule.test.ts.
 */
import { describe, expect, it } from 'vitest';
import * as schedules from '../../src/schedules';
import { type ScheduleConfig, scheduleFromConfig } from '../../src/schedules';

describe('scheduleFromConfig', () => {
  it('knows every schedule there is', () => {
    const others = ['scheduleFromConfig', 'scheduleNames', 'isStatefulSchedule'];
    const names = Object.keys(schedules).filter((name) => !others.includes(name));
    expect(schedules.scheduleNames().sort()).toEqual(names.sort());
  });

  it('fills in defaults', () => {
    expect(scheduleFromConfig({ name: 'cosine', lr: 0.1, totalSteps: 5 }).config).toEqual({
      name: 'cosine',
      lr: 0.1,
      totalSteps: 5,
      endLr: 0,
    });
    expect(scheduleFromConfig({ name: 'oneCycle', maxLr: 0.1, totalSteps: 5 }).config).toEqual({
      name: 'oneCycle',
      maxLr: 0.1,
      totalSteps: 5,
      warmupFraction: 0.3,
      startFactor: 25,
      endFactor: 1e4,
      shape: 'cosine',
    });
  });

  const leaf = { name: 'constant', lr: 1 };
  const deep = (depth: number): ScheduleConfig =>
    depth === 1 ? leaf : { name: 'warmup', steps: 1, schedule: deep(depth - 1) };
  it.each([
    [undefined, /^"config" expected the config of a schedule, got undefined/],
    [[leaf], /^"config" expected/],
    ['cosine', /^"config" expected/],
    [{}, /^"config.name" expected 'constant' or 'linear' or 'cosine'/],
    [{ name: 'cosin', lr: 1 }, /^"config.name" expected .* got "cosin"/],
    [{ name: 'toString' }, /^"config.name" expected/],
    [{ name: '__proto__' }, /^"config.name" expected/],
    [{ ...leaf, other: 1 }, /^"options.other" expected/],
    [{ name: 'constant' }, /^"lr" expected/],
    [{ name: 'cosine', lr: 1, totalSteps: '5' }, /^"totalSteps" expected/],
    [
      { name: 'warmup', steps: 1 },
      /^"config.schedule" expected the config of a schedule, got undefined/,
    ],
    [{ name: 'warmup', steps: 1, schedule: leaf, lr: 1 }, /^"options.lr" expected/],
    [{ name: 'warmup', steps: 1, schedule: { name: 'x' } }, /^"config.schedule.name" expected/],
    [{ name: 'join', schedules: 1, boundaries: [] }, /^"config.schedules" expected an array/],
    [{ name: 'join', schedules: [leaf, 1], boundaries: [1] }, /^"config.schedules\[1\]" expected/],
    [{ name: 'join', schedules: [leaf], boundaries: [], other: 1 }, /^"options.other" expected/],
    [{ name: 'join', schedules: [leaf, leaf] }, /^"boundaries" expected/],
    [{ name: 'multiply' }, /^"config.factors" expected an array of configs/],
    [{ name: 'multiply', factors: [] }, /^"factors" expected at least one schedule/],
    [{ name: 'multiply', factors: [leaf, { name: 'x' }] }, /^"config.factors\[1\].name" expected/],
    [{ name: 'multiply', factors: [leaf], lr: 1 }, /^"options.lr" expected/],
  ])('refuses %o', (config, message) => {
    expect(() => scheduleFromConfig(config as ScheduleConfig)).toThrow(message);
  });

  it('nests, not without end', () => {
    expect(scheduleFromConfig(deep(64))(100)).toBe(1);
    expect(() => scheduleFromConfig(deep(65))).toThrow(
      /^"config(\.schedule){64}" expected configs nested at most 64 deep/,
    );
  });
});
