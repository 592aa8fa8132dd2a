/**
 * reduceOnPlateau against a plain statement of the rules that PyTorch documents for
 * ReduceLROnPlateau.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type PlateauState,
  type ReduceOnPlateauOptions,
  reduceOnPlateau,
} from '../../src/schedules';
import { refuses } from './refusals';

/**
 * As PyTorch has it: counters that change in place, `best` from ±Infinity. For finite metrics and
 * NaN.
 */
class Reference {
  lr: number;
  best: number;
  badEpochs = 0;
  cooldownCounter = 0;
  constructor(readonly o: Required<ReduceOnPlateauOptions>) {
    this.lr = o.lr;
    this.best = o.mode === 'min' ? Infinity : -Infinity;
  }
  isBetter(x: number): boolean {
    const { mode, thresholdMode, threshold } = this.o;
    if (mode === 'min' && thresholdMode === 'rel') return x < this.best * (1 - threshold);
    if (mode === 'min') return x < this.best - threshold;
    if (thresholdMode === 'rel') return x > this.best * (threshold + 1);
    return x > this.best + threshold;
  }
  step(x: number): void {
    if (this.isBetter(x)) {
      this.best = x;
      this.badEpochs = 0;
    } else {
      this.badEpochs += 1;
    }
    if (this.cooldownCounter > 0) {
      this.cooldownCounter -= 1;
      this.badEpochs = 0;
    }
    if (this.badEpochs > this.o.patience) {
      const lower = Math.max(this.lr * this.o.factor, this.o.minLr);
      if (this.lr - lower > this.o.eps) this.lr = lower;
      this.cooldownCounter = this.o.cooldown;
      this.badEpochs = 0;
    }
  }
}

const DEFAULTS: Required<ReduceOnPlateauOptions> = {
  lr: 1,
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: 'rel',
  cooldown: 0,
  minLr: 0,
  mode: 'min',
  eps: 1e-8,
};

const anyOptions: fc.Arbitrary<Required<ReduceOnPlateauOptions>> = fc.record({
  lr: fc.double({ min: 0.01, max: 10, noNaN: true }),
  factor: fc.constantFrom(0.1, 0.5, 0.9),
  patience: fc.nat(3),
  threshold: fc.constantFrom(0, 1e-4, 0.1, 0.5),
  thresholdMode: fc.constantFrom('rel', 'abs'),
  cooldown: fc.nat(3),
  minLr: fc.constantFrom(0, 1e-3, 0.01),
  mode: fc.constantFrom('min', 'max'),
  eps: fc.constantFrom(0, 1e-8, 0.05),
});
const anyMetrics = fc.array(
  fc.oneof(fc.integer({ min: -8, max: 8 }), fc.double({ min: -2, max: 2 })),
  { maxLength: 60 },
);

describe('reduceOnPlateau', () => {
  it('follows the reference', () => {
    fc.assert(
      fc.property(anyOptions, anyMetrics, (options, metrics) => {
        const lr = reduceOnPlateau(options);
        const reference = new Reference(options);
        for (const metric of metrics) {
          const before = reference.lr;
          reference.step(metric);
          expect(lr.update(metric)).toBe(reference.lr < before);
          expect(lr(1)).toBe(reference.lr);
          const { best, badEpochs: badUpdates, cooldownCounter: cooldownLeft } = reference;
          const expected = {
            lr: reference.lr,
            // The state keeps 0 for -0, which JSON has no way to write.
            best: Number.isFinite(best) ? best + 0 : null,
            badUpdates,
            cooldownLeft,
          };
          expect(lr.stateDict()).toEqual(expected);
          expect(lr(1)).toBeGreaterThanOrEqual(options.minLr);
        }
      }),
    );
  });

  it('goes on from a state bit for bit, through JSON', () => {
    fc.assert(
      fc.property(anyOptions, anyMetrics, anyMetrics, (options, first, second) => {
        const one = reduceOnPlateau(options);
        for (const metric of first) one.update(metric);
        const two = reduceOnPlateau(options);
        two.loadStateDict(JSON.parse(JSON.stringify(one.stateDict())));
        for (const metric of second) expect(two.update(metric)).toBe(one.update(metric));
        expect(two.stateDict()).toEqual(one.stateDict());
        expect(two(9)).toBe(one(9));
      }),
    );
  });

  it('keeps no -0, which JSON cannot express', () => {
    const lr = reduceOnPlateau({ lr: 1 });
    lr.update(-0);
    expect(lr.stateDict().best).toBe(0);
  });

  it('has the defaults of PyTorch', () => {
    expect(reduceOnPlateau({ lr: 1 }).config).toEqual({ name: 'reduceOnPlateau', ...DEFAULTS });
    const lr = reduceOnPlateau({ lr: 1 });
    const updates = Array.from({ length: 24 }, () => lr.update(5));
    expect(updates.flatMap((fell, index) => (fell ? [index + 1] : []))).toEqual([12, 23]);
    expect(lr(1)).toBe(1 * 0.1 * 0.1);
  });

  it('counts no bad update while it cools down', () => {
    const lr = reduceOnPlateau({ lr: 1, factor: 0.5, patience: 0, cooldown: 2 });
    expect([1, 1, 1, 1, 1].map((metric) => lr.update(metric))).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('takes a best while it cools down', () => {
    const lr = reduceOnPlateau({ lr: 1, patience: 0, cooldown: 1 });
    for (const metric of [5, 5, 1]) lr.update(metric);
    expect(lr.stateDict()).toEqual({ lr: 0.1, best: 1, badUpdates: 0, cooldownLeft: 0 });
    expect(lr.update(2)).toBe(true);
  });

  it('stops at minLr and at eps', () => {
    const floored = reduceOnPlateau({ lr: 1, patience: 0, minLr: 0.05 });
    expect([1, 1, 1, 1].map((metric) => floored.update(metric))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(floored(1)).toBe(0.05);
    const small = reduceOnPlateau({ lr: 1e-8, patience: 0 });
    expect([1, 1].map((metric) => small.update(metric))).toEqual([false, false]);
    const smaller = reduceOnPlateau({ lr: 1e-8, patience: 0, eps: 0 });
    expect([1, 1].map((metric) => smaller.update(metric))).toEqual([false, true]);
  });

  it.each([NaN, Infinity, -Infinity])('counts %s as bad, also as the first metric', (metric) => {
    for (const mode of ['min', 'max'] as const) {
      const lr = reduceOnPlateau({ lr: 1, patience: 1, mode });
      expect(lr.update(metric)).toBe(false);
      expect(lr.stateDict()).toEqual({ lr: 1, best: null, badUpdates: 1, cooldownLeft: 0 });
      expect(lr.update(metric)).toBe(true);
    }
  });

  it('has one value at every step, and a state that is a copy', () => {
    const lr = reduceOnPlateau({ lr: 0.3 });
    for (const step of [1, 2, 1e9]) expect(lr(step)).toBe(0.3);
    Object.assign(lr.stateDict(), { lr: 0 });
    const state = { lr: 0.1, best: 1, badUpdates: 2, cooldownLeft: 0 };
    lr.loadStateDict(state);
    state.lr = 0.2;
    expect(lr(1)).toBe(0.1);
  });

  const state: PlateauState = { lr: 0.5, best: 1, badUpdates: 0, cooldownLeft: 0 };
  it.each([
    [null, /^"state" expected/],
    [{}, /^"state.lr" expected a number in \[minLr = 0.1, lr = 1\], got undefined/],
    [{ ...state, lr: 2 }, /^"state.lr" expected/],
    [{ ...state, lr: 0.01 }, /^"state.lr" expected/],
    [
      { ...state, best: undefined },
      /^"state.best" expected null or a finite number, got undefined/,
    ],
    [{ ...state, best: NaN }, /^"state.best" expected/],
    [{ ...state, badUpdates: 3 }, /^"state.badUpdates" expected an integer in \[0, 2\], got 3/],
    [{ ...state, badUpdates: 0.5 }, /^"state.badUpdates" expected/],
    [{ ...state, cooldownLeft: 2 }, /^"state.cooldownLeft" expected an integer in \[0, 1\], got 2/],
    [{ ...state, epoch: 1 }, /^"state.epoch" expected one of/],
  ])('refuses the state %o and keeps its own', (wrong, message) => {
    const lr = reduceOnPlateau({ lr: 1, minLr: 0.1, patience: 2, cooldown: 1 });
    lr.update(3);
    const before = lr.stateDict();
    expect(() => lr.loadStateDict(wrong as PlateauState)).toThrow(message);
    expect(lr.stateDict()).toEqual(before);
  });

  it.each(['1', undefined, null, 1n])('refuses the metric %s', (metric) => {
    expect(() => reduceOnPlateau({ lr: 1 }).update(metric as unknown as number)).toThrow(
      /^"metric" expected a number/,
    );
  });

  refuses(reduceOnPlateau, { lr: 1 }, [
    [{}, /^"lr" expected/],
    [{ lr: 1, factor: 1 }, /^"factor" expected a number in \(0, 1\), got 1/],
    [{ lr: 1, patience: -1 }, /^"patience" expected/],
    [{ lr: 1, threshold: -1 }, /^"threshold" expected a number in \[0, 1\), got -1/],
    [{ lr: 1, threshold: 1 }, /^"threshold" expected a number in \[0, 1\), got 1/],
    [{ lr: 1, threshold: Infinity, mode: 'max' }, /^"threshold" expected a number in \[0, ∞\)/],
    [{ lr: 1, thresholdMode: 'absolute' }, /^"thresholdMode" expected 'rel' or 'abs'/],
    [{ lr: 1, cooldown: 0.5 }, /^"cooldown" expected/],
    [{ lr: 1, minLr: 2 }, /^"minLr" expected a number in \[0, lr = 1\], got 2/],
    [{ lr: 1, mode: 'most' }, /^"mode" expected 'min' or 'max'/],
    [{ lr: 1, eps: -1 }, /^"eps" expected/],
  ]);
});
