/** What holds for every schedule, on any options and steps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as schedules from '../../src/schedules';
import {
  type ConfiguredSchedule,
  isStatefulSchedule,
  type Schedule,
  type ScheduleConfig,
  scheduleFromConfig,
} from '../../src/schedules';

const anyLr = fc.oneof(
  fc.constantFrom(0, 1e-3, 0.1),
  fc.double({ min: 0, max: 1e3, noNaN: true, noDefaultInfinity: true }),
);
const anySteps = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.maxSafeNat().map((n) => n + (n === 0 ? 1 : 0)),
);
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });
const anyFactor = fc.double({ min: 1e-300, max: 1, noNaN: true });
const anyStep = fc.oneof(fc.integer({ min: 1, max: 60 }), anySteps);

/** A schedule with the interval that all its values lie in. */
interface Bounded {
  schedule: ConfiguredSchedule;
  low: number;
  high: number;
}

const anySimple: fc.Arbitrary<Bounded> = fc
  .record({
    lr: anyLr,
    other: anyLr,
    totalSteps: anySteps,
    share: anyShare,
    factor: anyFactor,
    cycleFactor: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ lr, other, totalSteps, share, factor, cycleFactor }) => {
    const [low, high] = [Math.min(lr, other), Math.max(lr, other)];
    const power = 0.01 + 10 * share;
    const endFactor = 1 / (1 + 24 * share);
    return fc.constantFrom<Bounded>(
      { schedule: schedules.constant(lr), low: lr, high: lr },
      { schedule: schedules.linear({ lr, endLr: other, totalSteps }), low, high },
      { schedule: schedules.cosine({ lr: high, endLr: low, totalSteps }), low, high },
      { schedule: schedules.polynomial({ lr, endLr: other, totalSteps, power }), low, high },
      {
        schedule: schedules.cosineWithRestarts({
          lr: high,
          endLr: low,
          firstCycleSteps: totalSteps,
          cycleFactor,
          decay: factor,
        }),
        low,
        high,
      },
      {
        schedule: schedules.oneCycle({ maxLr: lr, totalSteps, warmupFraction: share }),
        low: lr / 25 / 1e4,
        high: lr,
      },
      {
        schedule: schedules.oneCycle({ maxLr: lr, totalSteps, endFactor, shape: 'linear' }),
        low: 0,
        high: lr,
      },
      {
        schedule: schedules.oneCycle({
          maxLr: lr,
          totalSteps,
          cycleMomentum: true,
          maxMomentum: share * 0.99,
          minMomentum: share * share * 0.99,
        }),
        low: 0,
        high: lr,
      },
      { schedule: schedules.exponential({ lr, gamma: factor }), low: 0, high: lr },
      {
        schedule: schedules.stepDecay({ lr, stepSize: totalSteps, gamma: factor }),
        low: 0,
        high: lr,
      },
      {
        schedule: schedules.stepDecay({ lr, milestones: [1, 30], gamma: factor }),
        low: 0,
        high: lr,
      },
      { schedule: schedules.inverseSqrt({ lr, warmupSteps: totalSteps }), low: 0, high: lr },
      { schedule: schedules.reduceOnPlateau({ lr }), low: lr, high: lr },
    );
  });

/** Joined, warmed-up and multiplied ones too; at most one with state among them. */
const anySchedule: fc.Arbitrary<Bounded> = fc.oneof(
  anySimple,
  fc.tuple(anySimple, anyLr, anySteps).map(([{ schedule, low, high }, lr, boundary]) => {
    return {
      schedule: configured(schedules.join([lr, schedule], [boundary])),
      low: Math.min(lr, low),
      high: Math.max(lr, high),
    };
  }),
  fc.tuple(anySimple, anyLr, anySteps).map(([{ schedule, low, high }, startLr, steps]) => {
    const whole = schedules.warmup({ steps, startLr, schedule });
    return {
      schedule: configured(whole),
      low: Math.min(startLr, low),
      high: Math.max(startLr, high),
    };
  }),
  fc.tuple(anySimple, anySteps).map(([{ schedule, high }, steps]) => {
    return { schedule: configured(schedules.warmup({ steps, schedule })), low: 0, high };
  }),
  fc.tuple(anySimple, anyLr).map(([{ schedule, low, high }, factor]) => {
    const whole = configured(schedules.multiply(factor, schedule));
    return { schedule: whole, low: factor * low, high: factor * high };
  }),
);

function configured(schedule: Schedule): ConfiguredSchedule {
  expect(schedule.config).toBeDefined();
  return schedule as ConfiguredSchedule;
}

describe('every schedule', () => {
  it('is finite and within its bounds at every step, and a function of the step alone', () => {
    fc.assert(
      fc.property(
        anySchedule,
        fc.array(anyStep, { minLength: 1 }),
        ({ schedule, low, high }, steps) => {
          const values = steps.map(schedule);
          for (const value of values) {
            expect(Number.isFinite(value)).toBe(true);
            expect(value).toBeGreaterThanOrEqual(low);
            expect(value).toBeLessThanOrEqual(high);
          }
          expect([...steps].reverse().map(schedule)).toEqual([...values].reverse());
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is built again from its config, through JSON, bit for bit', () => {
    fc.assert(
      fc.property(anySchedule, fc.array(anyStep), ({ schedule }, steps) => {
        const again = scheduleFromConfig(JSON.parse(JSON.stringify(schedule.config)));
        expect(again.config).toEqual(schedule.config);
        expect(steps.map(again)).toEqual(steps.map(schedule));
        const momenta = ({ momentum }: Schedule) => steps.map((step) => momentum?.(step));
        expect(momenta(again)).toEqual(momenta(schedule));
        expect(isStatefulSchedule(again)).toBe(isStatefulSchedule(schedule));
      }),
      { numRuns: 1000 },
    );
  });

  it('cannot be changed, nor its config', () => {
    fc.assert(
      fc.property(anySchedule, ({ schedule }) => {
        expect(Object.isFrozen(schedule)).toBe(true);
        for (const value of [schedule.config, ...Object.values(schedule.config)])
          expect(Object.isFrozen(value)).toBe(true);
      }),
    );
  });

  it.each(['linear', 'cosine', 'polynomial', 'exponential'] as const)(
    '%s never rises on its way down',
    (name) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 1e5 }),
          fc.integer({ min: 1, max: 1.1e5 }),
          (totalSteps, step) => {
            const options = {
              linear: { totalSteps },
              cosine: { totalSteps },
              polynomial: { totalSteps, power: 1.7 },
              exponential: { gamma: 0.999 },
            };
            const lr = scheduleFromConfig({ name, lr: 0.1, ...options[name] } as ScheduleConfig);
            expect(lr(step + 1)).toBeLessThanOrEqual(lr(step));
          },
        ),
      );
    },
  );
});
