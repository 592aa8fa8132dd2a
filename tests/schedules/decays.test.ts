/** Schedules that go from one rate to another, or down. */
import { describe, expect, it } from 'vitest';
import { exponential, inverseSqrt, linear, polynomial, stepDecay } from '../../src/schedules';
import { bits } from '../math/bits';
import { refuses } from './refusals';

describe('linear', () => {
  it('goes from lr to endLr, which it keeps', () => {
    const lr = linear({ lr: 0.01, totalSteps: 100, endLr: 0.001 });
    expect(lr(1)).toBe(0.01);
    expect(lr(51)).toBeCloseTo(0.0055, 15);
    expect(lr(100)).toBeCloseTo(0.00109, 15);
    for (const step of [101, 102, 1e9]) expect(lr(step)).toBe(0.001);
    for (let step = 2; step <= 101; step++) expect(lr(step)).toBeLessThan(lr(step - 1));
  });

  it('goes up too, and takes a single step', () => {
    const up = linear({ lr: 0, totalSteps: 4, endLr: 1 });
    expect([1, 2, 3, 4, 5, 6].map(up)).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
    expect([1, 2].map(linear({ lr: 1, totalSteps: 1 }))).toEqual([1, 0]);
  });

  it('has the same bits on every engine', () => {
    const lr = linear({ lr: 0.01, totalSteps: 7, endLr: 0.001 });
    expect([1, 2, 5, 7, 8].map((t) => bits(lr(t)))).toEqual([
      '3f847ae147ae147b',
      '3f81d8cba134f498',
      '3f73e5155b9329d8',
      '3f62b97d835d548f',
      '3f50624dd2f1a9fc',
    ]);
  });

  refuses(linear, { lr: 1, totalSteps: 5, endLr: 2 }, [
    [{ lr: -1, totalSteps: 5 }, /^"lr" expected a number in \[0, 2\^64\), got -1/],
    [{ lr: 1 }, /^"totalSteps" expected an integer/],
    [{ lr: 1, totalSteps: 0 }, /^"totalSteps" expected/],
    [{ lr: 1, totalSteps: 5, endLr: NaN }, /^"endLr" expected/],
  ]);
});

describe('polynomial', () => {
  it('is its formula', () => {
    for (const power of [0.5, 0.9, 1, 2, 3.5]) {
      const lr = polynomial({ lr: 0.3, totalSteps: 37, power, endLr: 0.1 });
      for (let t = 1; t <= 37; t++)
        expect(lr(t)).toBeCloseTo(0.1 + 0.2 * (1 - (t - 1) / 37) ** power, 14);
      for (let t = 2; t <= 38; t++) expect(lr(t)).toBeLessThan(lr(t - 1));
      expect([1, 38, 39, 1e9].map(lr)).toEqual([0.3, 0.1, 0.1, 0.1]);
    }
  });

  it('is linear with power 1, bit for bit', () => {
    const options = { lr: 0.01, totalSteps: 77, endLr: 0.002 };
    for (let t = 1; t <= 80; t++)
      expect(polynomial({ ...options, power: 1 })(t)).toBe(linear(options)(t));
  });

  it('has the same bits on every engine', () => {
    const lr = polynomial({ lr: 0.01, totalSteps: 7, power: 0.9, endLr: 0.001 });
    expect([1, 2, 5, 7, 8].map((t) => bits(lr(t)))).toEqual([
      '3f847ae147ae147b',
      '3f82179ff2f3f79e',
      '3f754ab5e8e4be2c',
      '3f64fcb39d2b6306',
      '3f50624dd2f1a9fc',
    ]);
  });

  refuses(polynomial, { lr: 1, totalSteps: 5, power: 2 }, [
    [{ lr: '1', totalSteps: 5, power: 1 }, /^"lr" expected a number in \[0, 2\^64\), got "1"/],
    [{ lr: 1, totalSteps: 2.5, power: 1 }, /^"totalSteps" expected/],
    [{ lr: 1, totalSteps: 5 }, /^"power" expected a number in \(0, ∞\), got undefined/],
    [{ lr: 1, totalSteps: 5, power: 0 }, /^"power" expected/],
    [{ lr: 1, totalSteps: 5, power: Infinity }, /^"power" expected/],
    [{ lr: 1, totalSteps: 5, power: 1, endLr: -1 }, /^"endLr" expected/],
  ]);
});

describe('exponential', () => {
  it('is lr·gamma^(t - 1)', () => {
    const lr = exponential({ lr: 0.01, gamma: 0.9 });
    let product = 0.01;
    for (let t = 1; t <= 2000; t++, product *= 0.9)
      expect(Math.abs(lr(t) / product - 1)).toBeLessThan(1e-12);
    for (let t = 2; t <= 2000; t++) expect(lr(t)).toBeLessThan(lr(t - 1));
  });

  it('is exact where the products are, and ends at 0 or stays', () => {
    const lr = exponential({ lr: 1, gamma: 0.5 });
    for (let t = 1; t <= 1000; t++) expect(lr(t)).toBe(2 ** (1 - t));
    expect(lr(1e9)).toBe(0);
    expect(exponential({ lr: 0.3, gamma: 1 })(1e9)).toBe(0.3);
  });

  it('has the same bits on every engine', () => {
    const lr = exponential({ lr: 0.01, gamma: 0.999 });
    expect([1, 2, 5, 1000, 1075, 1076, 5000].map((t) => bits(lr(t)))).toEqual([
      '3f847ae147ae147b',
      '3f8475a31a4bdba1',
      '3f8465f09e5b046b',
      '3f6e26d9ce6042ba',
      '3f6bf8d8477a8c61',
      '3f6bf1af1a59e9a5',
      '3f11a2fa1394f3bc',
    ]);
  });

  refuses(exponential, { lr: 1, gamma: 0.5 }, [
    [{ lr: Infinity, gamma: 1 }, /^"lr" expected/],
    [{ lr: 1 }, /^"gamma" expected a number in \(0, 1\], got undefined/],
    [{ lr: 1, gamma: 0 }, /^"gamma" expected/],
    [{ lr: 1, gamma: 1.1 }, /^"gamma" expected/],
  ]);
});

describe('stepDecay', () => {
  it('drops after every stepSize steps', () => {
    const lr = stepDecay({ lr: 8, stepSize: 3, gamma: 0.5 });
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(lr)).toEqual([8, 8, 8, 4, 4, 4, 2, 2, 2, 1]);
    expect([1, 2, 3].map(stepDecay({ lr: 8, stepSize: 1, gamma: 0.5 }))).toEqual([8, 4, 2]);
    expect(stepDecay({ lr: 1, stepSize: 2 })(3)).toBe(0.1);
  });

  it('drops after each milestone', () => {
    const lr = stepDecay({ lr: 8, milestones: [1, 4, 5], gamma: 0.5 });
    expect([1, 2, 3, 4, 5, 6, 1e9].map(lr)).toEqual([8, 4, 4, 4, 2, 1, 1]);
    expect(stepDecay({ lr: 8, milestones: [] })(1e9)).toBe(8);
  });

  it('does not see later changes of the milestones', () => {
    const milestones = [2];
    const lr = stepDecay({ lr: 8, milestones, gamma: 0.5 });
    milestones[0] = 1;
    expect(lr(2)).toBe(8);
    expect(lr.config.milestones).toEqual([2]);
  });

  it('has the same bits on every engine', () => {
    const lr = stepDecay({ lr: 0.03, stepSize: 10 });
    expect([1, 10, 11, 41, 3001].map((t) => bits(lr(t)))).toEqual([
      '3f9eb851eb851eb8',
      '3f9eb851eb851eb8',
      '3f689374bc6a7efa',
      '3ec92a737110e457',
      '015492add9e4c162',
    ]);
  });

  refuses(stepDecay, { lr: 1, stepSize: 5 }, [
    [{ lr: 1 }, /^"stepSize" expected an integer/],
    [{ lr: 1, stepSize: 0 }, /^"stepSize" expected/],
    [
      { lr: 1, stepSize: 5, milestones: [1] },
      /^"stepSize" expected nothing beside "milestones", got 5/,
    ],
    [{ lr: 1, milestones: 5 }, /^"milestones" expected an array/],
    [{ lr: 1, milestones: [1, 1.5] }, /^"milestones\[1\]" expected an integer/],
    [{ lr: 1, milestones: new Array(2) }, /^"milestones\[0\]" expected an integer/],
    [
      { lr: 1, milestones: [3, 3] },
      /^"milestones" expected increasing numbers of steps, got 3 before 3/,
    ],
    [{ lr: 1, stepSize: 5, gamma: 2 }, /^"gamma" expected/],
    [{ lr: -1, stepSize: 5 }, /^"lr" expected/],
  ]);
});

describe('inverseSqrt', () => {
  it('is lr/√t without warm-up, the bits of AdaL dividing a constant', () => {
    const lr = inverseSqrt({ lr: 0.01 });
    for (const t of [1, 2, 3, 10, 1e6, 2 ** 52 + 1]) expect(lr(t)).toBe(0.01 / Math.sqrt(t));
  });

  it('climbs to lr at warmupSteps, then falls', () => {
    const lr = inverseSqrt({ lr: 0.01, warmupSteps: 100 });
    expect([1, 50, 100, 400, 10000].map(lr)).toEqual([0.0001, 0.005, 0.01, 0.005, 0.001]);
    for (let t = 2; t <= 100; t++) expect(lr(t)).toBeGreaterThan(lr(t - 1));
    for (let t = 101; t <= 300; t++) expect(lr(t)).toBeLessThan(lr(t - 1));
  });

  it('has the same bits on every engine', () => {
    const lr = inverseSqrt({ lr: 0.01, warmupSteps: 7 });
    expect([1, 6, 7, 8, 1e9].map((t) => bits(lr(t)))).toEqual([
      '3f5767dce434a9b1',
      '3f818de5ab277f45',
      '3f847ae147ae147b',
      '3f832843e22e3cfb',
      '3eac12dadaf78245',
    ]);
  });

  refuses(inverseSqrt, { lr: 1, warmupSteps: 5 }, [
    [{ lr: NaN }, /^"lr" expected/],
    [{ lr: 1, warmupSteps: 0 }, /^"warmupSteps" expected/],
  ]);
});
