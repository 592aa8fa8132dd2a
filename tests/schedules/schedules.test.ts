import { describe, expect, it } from 'vitest';
import { constant, cosine } from '../../src/schedules';
import { bits } from '../math/bits';

describe('constant', () => {
  it('is the same at every step', () => {
    const lr = constant(0.01);
    for (const step of [1, 2, 1e9]) expect(lr(step)).toBe(0.01);
    expect(constant(0)(1)).toBe(0);
  });

  it.each([-1, NaN, Infinity, '0.1', undefined])('refuses lr %s', (lr) => {
    expect(() => constant(lr as number)).toThrow(/^"lr" expected a number in \[0, 2\^64\), got/);
  });
});

describe('cosine', () => {
  it('falls from lr to endLr, which it keeps', () => {
    const lr = cosine({ lr: 0.01, totalSteps: 100, endLr: 0.001 });
    expect(lr(1)).toBe(0.01);
    expect(lr(51)).toBeCloseTo(0.0055, 15);
    expect(lr(100)).toBeGreaterThan(0.001);
    for (const step of [101, 102, 1e9]) expect(lr(step)).toBe(0.001);
    for (let step = 2; step <= 101; step++) expect(lr(step)).toBeLessThan(lr(step - 1));
  });

  it('is its formula', () => {
    const lr = cosine({ lr: 0.3, totalSteps: 37, endLr: 0.1 });
    for (let t = 1; t <= 37; t++)
      expect(lr(t)).toBeCloseTo(0.1 + 0.1 * (1 + Math.cos((Math.PI * (t - 1)) / 37)), 14);
  });

  it('ends at 0 by default, and takes a single step', () => {
    const lr = cosine({ lr: 0.01, totalSteps: 1 });
    expect(lr(1)).toBe(0.01);
    expect(lr(2)).toBe(0);
    expect(cosine({ lr: 0.01, totalSteps: 100 })(51)).toBe(0.005);
  });

  it('has the same bits on every engine', () => {
    const lr = cosine({ lr: 0.01, totalSteps: 10, endLr: 0.001 });
    const expected = [
      '3f847ae147ae147b',
      '3f84076867da55ec',
      '3f7c394b09bff978',
      '3f53fe14d18f9e79',
      '3f50624dd2f1a9fc',
    ];
    expect([1, 2, 5, 10, 11].map((t) => bits(lr(t)))).toEqual(expected);
  });

  it.each([
    [{ lr: -1, totalSteps: 5 }, /^"lr" expected/],
    [{ lr: NaN, totalSteps: 5 }, /^"lr" expected/],
    [{ lr: 1, totalSteps: 0 }, /^"totalSteps" expected/],
    [{ lr: 1, totalSteps: 2.5 }, /^"totalSteps" expected/],
    [{ lr: 1 }, /^"totalSteps" expected/],
    [{ lr: 1, totalSteps: 5, endLr: 2 }, /^"endLr" expected a number in \[0, lr = 1\], got 2/],
    [{ lr: 1, totalSteps: 5, endLr: -1 }, /^"endLr" expected/],
    [{ lr: 1, totalSteps: 5, end: 0 }, /^"options.end" expected one of/],
    [undefined, /^"options" expected/],
  ])('refuses %o', (options, message) => {
    expect(() => cosine(options as Parameters<typeof cosine>[0])).toThrow(message);
  });

  it.each([0, -1, 1.5, NaN, Infinity, '1'])('refuses step %s', (step) => {
    expect(() => cosine({ lr: 1, totalSteps: 5 })(step as number)).toThrow(/^"step" expected/);
    expect(() => constant(1)(step as number)).toThrow(/^"step" expected/);
  });
});
