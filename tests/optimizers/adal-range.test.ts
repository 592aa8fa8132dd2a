/**
 * How far gradients may range, and how large an update can become: against a wide reference, and
 * the bound C_t.
 */
import { describe, expect, it } from 'vitest';
import { AdaL } from '../../src/index';
import { updateBound } from '../../src/math/adal-scalars';
import { Prng } from '../../src/math/prng';
import { simd, withRuntime } from '../support/backends';
import { normals } from '../support/gradients';
import { allFinite, BARE, maxAbs, updateOf } from '../support/one-tensor-adal';
import { WideAdaL } from '../support/wide-adal';

describe('range', () => {
  it('no failure for |g| from 1e-33 to 1e29, n from 1 to 1e6', async () => {
    await withRuntime(simd, (runtime) => {
      for (const n of [1, 10, 1000, 1e6]) {
        for (const exponent of n === 1e6 ? [-33, 0, 29] : [-33, -25, -11, 0, 4, 10, 20, 29]) {
          const scale = 10 ** exponent;
          const optimizer = new AdaL(runtime, { w: { shape: [n] } }, BARE);
          const g = Float32Array.from({ length: n }, (_, i) => (i % 2 ? -scale : scale));
          for (let t = 0; t < 5; t++) {
            const u = updateOf(optimizer, g);
            // Equal gradients: u is the sign at every step.
            const wrong = u.findIndex((x, i) => !(Math.abs(x - Math.sign(g[i])) < 1e-5));
            expect(wrong, `n=${n} |g|=1e${exponent} t=${t + 1}: ${u[wrong]}`).toBe(-1);
          }
          optimizer.dispose();
        }
      }
    });
  });

  const N = 12;

  /**
   * Runs the kernel and the wide reference side by side; the scale of step t is 2^exponentAt(t).
   */
  async function compare(
    betas: readonly [number, number],
    steps: number,
    exponentAt: (t: number) => number,
  ) {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(runtime, { w: new Float32Array(N) }, { ...BARE, betas });
      const reference = new WideAdaL(betas);
      const prng = new Prng(21);
      for (let t = 1; t <= steps; t++) {
        const g = normals(prng, N, 2 ** exponentAt(t));
        const want = reference.step(g);
        const u = updateOf(optimizer, g);
        const tolerance = 1e-5 * maxAbs(want) + 2 ** -60;
        for (const [i, x] of u.entries()) {
          expect(
            Math.abs(x - want[i]),
            `step ${t}, element ${i}: ${x} for ${want[i]}`,
          ).toBeLessThanOrEqual(tolerance);
        }
      }
    });
  }

  describe.each([
    [0.9, 0.999],
    [0.9, 0.95],
    [0, 0.99],
  ] as const)('betas %d, %d: within 1e-5 of the wide reference', (...betas) => {
    it('when norms jump down by 2^60', () => compare(betas, 300, (t) => (t <= 20 ? 30 : -30)));
    it('when norms jump up by 2^30', () => compare(betas, 300, (t) => (t <= 20 ? -15 : 15)));
    it('when norms jump up by 2^30, twice, and down again', () =>
      compare(betas, 200, (t) => [-30, 0, 30, -20][Math.floor(t / 51)]));
    it('when norms fall by 0.6 bit a step', () => compare(betas, 300, (t) => 90 - 0.6 * t));
    it('when norms rise by 0.6 bit a step', () => compare(betas, 300, (t) => -90 + 0.6 * t));
  });

  it('the limit: after a drop of more than 2^50, a new coordinate waits for V', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(
        runtime,
        { w: new Float32Array([1, 1]) },
        { lr: 0.1, decay: 'none', eps: 0, betas: [0.5, 0.6] },
      );
      optimizer.step({ w: new Float32Array([2 ** 50, 0]) });
      optimizer.grads.w.set([0, 2 ** -20]);
      for (let t = 0; t < 16; t++) optimizer.step();
      expect(optimizer.params.w[1], 'stands still').toBe(1);
      // V falls by 0.74 bit a step from 2^200, en by half of that.
      for (let t = 0; t < 500; t++) optimizer.step();
      const before = optimizer.params.w[1];
      optimizer.step();
      expect(before - optimizer.params.w[1], 'moves at full speed').toBeCloseTo(0.1, 4);
      expect(allFinite(optimizer)).toBe(true);
    });
  });
});

describe('the bound C_t', () => {
  function bound(beta1: number, beta2: number, t: number): number {
    return updateBound(beta1, beta2, beta1 ** t, beta2 ** t);
  }

  it('has the listed values at betas .9, .999', () => {
    expect(bound(0.9, 0.999, 1)).toBeCloseTo(1.0, 12);
    expect(bound(0.9, 0.999, 10)).toBeCloseTo(1.0431, 4);
    expect(bound(0.9, 0.999, 100)).toBeCloseTo(2.2434, 4);
    expect(bound(0.9, 0.999, 1000)).toBeCloseTo(5.7812, 4);
    expect(bound(0.9, 0.999, 1e6)).toBeCloseTo(7.2703, 4);
    expect(updateBound(0.9, 0.999, 0, 0)).toBeCloseTo(7.2703, 4);
  });

  it('is the sum it abbreviates', () => {
    for (const [beta1, beta2] of [
      [0.9, 0.999],
      [0.5, 0.3],
      [0, 0.9],
    ]) {
      for (const t of [1, 2, 7, 50]) {
        let sum = 0;
        for (let i = 0; i < t; i++) sum += ((beta1 * beta1) / beta2) ** i;
        const square =
          (((1 - beta1) / (1 - beta1 ** t)) ** 2 * sum * (1 - beta2 ** t)) / (1 - beta2);
        expect(bound(beta1, beta2, t)).toBeCloseTo(Math.sqrt(square), 10);
      }
    }
  });

  const betas = [
    [0.9, 0.999],
    [0.9, 0.95],
    [0.5, 0.3],
    [0, 0.5],
    [0.95, 0.9999],
  ] as const;

  it.each(betas)(
    'holds for random and adversarial gradients, betas %d, %d',
    async (beta1, beta2) => {
      await withRuntime(simd, (runtime) => {
        const prng = new Prng(5);
        const n = 24;
        const kinds: ((t: number, i: number) => number)[] = [
          () => prng.normal(),
          () => prng.normal() * 2 ** Math.round(12 * prng.normal()),
          (t) => (t < 150 ? 1e-3 : 1),
          (t) => (t % 50 === 0 ? 100 : 0.01),
          (t, i) => (t % n === i ? 1 : 0),
          (t) => 2 ** (t / 3 - 50) * prng.uniform(),
        ];
        for (const [kind, draw] of kinds.entries()) {
          const optimizer = new AdaL(
            runtime,
            { w: new Float32Array(n) },
            { ...BARE, betas: [beta1, beta2] },
          );
          for (let t = 1; t <= 300; t++) {
            const u = updateOf(
              optimizer,
              Float32Array.from({ length: n }, (_, i) => draw(t, i)),
            );
            expect(maxAbs(u), `kind ${kind}, step ${t}`).toBeLessThanOrEqual(
              bound(beta1, beta2, t) * (1 + 1e-4),
            );
          }
          optimizer.dispose();
        }
      });
    },
  );

  it.each(betas.filter(([beta1]) => beta1 > 0))(
    'is reached by the worst gradients, betas %d, %d',
    async (beta1, beta2) => {
      await withRuntime(simd, (runtime) => {
        for (const T of [2, 10, 100]) {
          const optimizer = new AdaL(
            runtime,
            { w: new Float32Array(1) },
            { ...BARE, betas: [beta1, beta2] },
          );
          let u = 0;
          // ĝ_t ∝ (β1/β2)^(T-t), and with one coordinate ĝ = g·|g|.
          for (let t = 1; t <= T; t++)
            u = updateOf(optimizer, [Math.sqrt((beta1 / beta2) ** (T - t))])[0];
          expect(u).toBeGreaterThan(bound(beta1, beta2, T) * (1 - 1e-4));
          expect(u).toBeLessThanOrEqual(bound(beta1, beta2, T) * (1 + 1e-4));
          optimizer.dispose();
        }
      });
    },
  );
});
