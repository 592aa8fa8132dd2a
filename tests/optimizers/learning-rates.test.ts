/**
 * What a step is scaled by: learning rates as numbers and functions, their decay, weight decay, the
 * preset.
 */
import { describe, expect, it } from 'vitest';
import { AdaL, practical } from '../../src/index';
import { simd, withRuntime } from '../support/backends';
import { anyOf, expectArgumentError } from '../support/errors';
import { fillRough } from '../support/gradients';
import { two } from '../support/parameters';
import { snapshot } from '../support/snapshot';

describe('learning rates', () => {
  it('a function gets steps from 1 on, once a step, and accepted steps only', async () => {
    await withRuntime(simd, (runtime) => {
      const seen: number[] = [];
      const lr = (step: number) => {
        seen.push(step);
        return 0.1 / step;
      };
      const optimizer = new AdaL(
        runtime,
        { w: new Float32Array(1) },
        { lr, decay: 'none', eps: 0, onNonFinite: 'skip' },
      );
      for (let t = 0; t < 3; t++) optimizer.step({ w: new Float32Array([1]) });
      optimizer.step({ w: new Float32Array([Number.NaN]) });
      optimizer.step({ w: new Float32Array([1]) });
      expect(seen).toEqual([1, 2, 3, 4, 4]);
      expect(optimizer.params.w[0]).toBeCloseTo(-0.1 * (1 + 1 / 2 + 1 / 3 + 1 / 4), 5);
    });
  });

  it.each([Number.NaN, -1, Infinity, '0.1', undefined])(
    'a function that returns %s is refused, and nothing changes',
    async (bad) => {
      await withRuntime(simd, async (runtime) => {
        const lr = (step: number) => (step === 2 ? anyOf(bad) : 0.1);
        const optimizer = new AdaL(runtime, two(), { lr });
        fillRough(optimizer, 1);
        optimizer.step();
        const before = snapshot(optimizer);
        expectArgumentError(() => optimizer.step(), 'lr(2)');
        await expect(optimizer.stepAsync()).rejects.toMatchObject({ argument: 'lr(2)' });
        expect(snapshot(optimizer)).toEqual(before);
        optimizer.paramGroups[0].lr = 0.1;
        expect(optimizer.step().step).toBe(2);
      });
    },
  );

  it("decay 'inverse-sqrt' divides by √t; 'none' does not", async () => {
    await withRuntime(simd, (runtime) => {
      for (const decay of ['inverse-sqrt', 'none'] as const) {
        const optimizer = new AdaL(runtime, { w: new Float32Array(1) }, { lr: 0.1, decay, eps: 0 });
        let before = 0;
        for (let t = 1; t <= 9; t++) {
          optimizer.step({ w: new Float32Array([1]) });
          const after = optimizer.params.w[0];
          expect(before - after).toBeCloseTo(decay === 'none' ? 0.1 : 0.1 / Math.sqrt(t), 5);
          before = after;
        }
      }
    });
  });

  it('weight decay is decoupled: θ ← θ·(1 - a·λ), even for a gradient of 0', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(
        runtime,
        { w: new Float32Array([8]) },
        { lr: 0.5, decay: 'none', weightDecay: 0.5 },
      );
      optimizer.step({ w: new Float32Array(1) });
      expect(optimizer.params.w[0]).toBe(6);
      optimizer.paramGroups[0].weightDecay = 0;
      optimizer.step({ w: new Float32Array(1) });
      expect(optimizer.params.w[0]).toBe(6);
    });
  });

  it('practical() is the preset, and only its options', () => {
    const { lr, ...rest } = practical({ totalSteps: 100 });
    expect(rest).toEqual({ betas: [0.9, 0.95], eps: 0, decay: 'none' });
    const rate = lr as (step: number) => number;
    expect(rate(1)).toBe(1e-2);
    expect(rate(51)).toBeCloseTo(5e-3, 12);
    expect(rate(100)).toBeGreaterThan(0);
    expect(rate(101)).toBe(0);
    expect((practical({ totalSteps: 1, lr: 3 }).lr as typeof rate)(1)).toBe(3);
    for (const totalSteps of [0, -1, 1.5, Number.NaN, anyOf('9'), anyOf(undefined)]) {
      expectArgumentError(() => practical({ totalSteps }), 'totalSteps');
    }
    for (const bad of [Number.NaN, -1, Infinity, anyOf('1')])
      expectArgumentError(() => practical({ totalSteps: 9, lr: bad }), 'lr');
  });

  it('practical() trains', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(
        runtime,
        { w: new Float32Array([1, -1]) },
        practical({ totalSteps: 300 }),
      );
      for (let t = 0; t < 300; t++) optimizer.step({ w: optimizer.params.w });
      expect(Math.max(...optimizer.params.w.map(Math.abs))).toBeLessThan(0.1);
    });
  });
});
