/** What ALGORITHM.md promises of the scaled rule, measured on the numbers themselves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { updateBound } from '../../src/abi/adal-scalars';
import { AdaL, type AdaLOptions, emptyResult, NonFiniteGradientError, type ParamsInit } from '../../src/index';
import { Prng } from '../../src/math/prng';
import type { Runtime } from '../../src/runtime/runtime';
import { Parameter } from '../../src/tensors/parameter';
import { BACKENDS, type BackendCase, bitsOf, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { normals } from '../support/gradients';
import { PlainAdaL } from '../support/plain-adal';
import { hashOf, snapshot } from '../support/snapshot';
import { WideAdaL } from '../support/wide-adal';

/** u itself: θ starts each step at 0, with a step size of 1. */
const BARE: AdaLOptions = { lr: 1, decay: 'none', eps: 0, weightDecay: 0 };

/** One step from θ = 0; returns u = -θ, a copy. */
function updateOf(optimizer: AdaL, g: ArrayLike<number>): Float32Array {
  optimizer.params.w.fill(0);
  optimizer.grads.w.set(g);
  optimizer.step();
  return optimizer.params.w.map((x) => 0 - x);
}

function moments(optimizer: AdaL) {
  const { arrays, exponent } = optimizer.stateDict().state.w;
  return { m: arrays.m as Float32Array, v: arrays.v as Float32Array, exponent };
}

function allFinite(optimizer: AdaL): boolean {
  const { m, v } = moments(optimizer);
  return [m, v, optimizer.params.w].every((array) => array.every(Number.isFinite));
}

/** Largest |x|. */
function maxAbs(values: ArrayLike<number>): number {
  return Array.from(values).reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
}

describe.each(BACKENDS)('on $name', (backend) => {
  it('k zero steps, then gradients of 1e-30 … 1e10, leave everything finite', async () => {
    await withRuntime(backend, (runtime) => {
      for (let k = 1; k <= 20; k++) {
        for (const eps of [0, 1e-8]) {
          const optimizer = new AdaL(runtime, { w: new Float32Array(20).fill(1) }, { eps });
          for (let t = 0; t < k; t++) optimizer.step();
          expect([...optimizer.params.w], 'zero gradients move nothing').toEqual(Array(20).fill(1));
          const exponents = [-30, -20, -10, -3, 0, 3, 10, 10, -30, 0];
          for (const [t, exponent] of exponents.entries()) {
            optimizer.grads.w.set(Float32Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 0 : (i - 9.5) * 10 ** exponent)));
            const { skipped } = optimizer.step();
            expect(skipped).toBe(false);
            expect(allFinite(optimizer), `k=${k} eps=${eps} step ${t}`).toBe(true);
          }
          expect(optimizer.params.w[0], 'a coordinate without gradient stays').toBe(1);
          expect(optimizer.params.w[1]).not.toBe(1);
          optimizer.dispose();
        }
      }
    });
  });

  it('2,000 zero-gradient steps leave m exactly 0', async () => {
    await withRuntime(backend, (runtime) => {
      for (const [beta1, beta2] of [
        [0, 0.999],
        [0.5, 0.9],
        [0.9, 0.999],
        [0.9, 0.95],
        [0.95, 0.9999],
      ] as const) {
        const optimizer = new AdaL(runtime, { w: new Float32Array(40) }, { betas: [beta1, beta2] });
        const prng = new Prng(3);
        for (let t = 0; t < 30; t++) optimizer.step({ w: normals(prng, 40, 10 ** (t % 7)) });
        expect(moments(optimizer).m.every((x) => x !== 0)).toBe(true);
        optimizer.zeroGrad();
        for (let t = 0; t < 2000; t++) optimizer.step();
        expect(moments(optimizer).m, `betas ${beta1}, ${beta2}`).toEqual(new Float32Array(40));
        optimizer.dispose();
      }
    });
  });

  it('a coordinate that stops loses its m while others go on', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, { w: new Float32Array(32) });
      const prng = new Prng(4);
      for (let t = 0; t < 10; t++) optimizer.step({ w: normals(prng, 32) });
      for (let t = 0; t < 2000; t++) {
        optimizer.grads.w.set(normals(prng, 32));
        optimizer.grads.w.fill(0, 0, 16);
        optimizer.step();
      }
      const { m, v } = moments(optimizer);
      expect(m.subarray(0, 16)).toEqual(new Float32Array(16));
      expect(m.subarray(16).every((x) => x !== 0)).toBe(true);
      expect(
        v.every((x) => x === 0 || x >= 2 ** -126),
        'no subnormals',
      ).toBe(true);
    });
  });

  it('step 1 with ε = 0 is the sign of the gradient, and exactly 0 where it is 0', async () => {
    await withRuntime(backend, (runtime) => {
      fc.assert(
        fc.property(
          fc.array(fc.oneof(fc.constant(0), fc.double({ min: -1, max: 1, noNaN: true })), { minLength: 1, maxLength: 40 }),
          fc.integer({ min: -100, max: 90 }),
          (values, k) => {
            // Within 2^20 of the largest: a smaller one's ĝ² is beyond any float32 scale (the documented limit).
            const top = maxAbs(values) || 1;
            const g = Float32Array.from(values, (x) => (Math.abs(x) < top * 2 ** -20 ? 0 : (x / top) * 2 ** k));
            const optimizer = new AdaL(runtime, { w: { shape: [g.length] } }, BARE);
            const u = updateOf(optimizer, g);
            optimizer.dispose();
            for (const [i, gi] of g.entries()) {
              if (gi === 0) expect(u[i]).toBe(0);
              else expect(Math.abs(u[i] - Math.sign(gi))).toBeLessThanOrEqual(2 ** -22);
            }
          },
        ),
        { numRuns: backend === oracle ? 60 : 200 },
      );
    });
  });

  it('overflow: ε = 1e-8 and |g| = 1e23 at n = 1000 is refused by name, and nothing changes', async () => {
    await withRuntime(backend, (runtime) => {
      const params = () => ({ w: new Float32Array(1000).fill(0.5) });
      const huge = { w: new Float32Array(1000).fill(1e23) };
      const optimizer = new AdaL(runtime, params());
      optimizer.step({ w: new Float32Array(1000).fill(0.1) });
      const before = snapshot(optimizer);
      let error: unknown;
      try {
        optimizer.step(huge);
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(NonFiniteGradientError);
      expect(error).toMatchObject({ code: 'ERR_NON_FINITE', reason: 'overflow', parameter: 'w', group: 0, count: 0 });
      expect(snapshot(optimizer)).toEqual(before);
      const skipping = new AdaL(runtime, params(), { onNonFinite: 'skip' });
      const start = snapshot(skipping);
      expect(skipping.step(huge)).toMatchObject({ skipped: true, reason: 'overflow', nonFinite: 0, step: 0 });
      expect(snapshot(skipping)).toEqual(start);
      expect(skipping.skippedSteps).toBe(1);
      const plain = new AdaL(runtime, params(), { eps: 0 });
      expect(plain.step(huge).skipped).toBe(false);
      expect(allFinite(plain)).toBe(true);
    });
  });

  it('overflow in a later tensor refuses the step for the earlier ones too', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, { a: new Float32Array(10), w: new Float32Array(10), b: new Float32Array(10) });
      const small = new Float32Array(10).fill(0.1);
      optimizer.step({ a: small, w: small, b: small });
      const before = snapshot(optimizer);
      const step = () => optimizer.step({ a: small, w: new Float32Array(10).fill(1e30), b: small });
      expect(step).toThrow(expect.objectContaining({ reason: 'overflow', parameter: 'w' }));
      expect(snapshot(optimizer)).toEqual(before);
    });
  });

  it('the padding of parameters and gradients stays zero', async () => {
    await withRuntime(backend, (runtime) => {
      for (const normScope of ['tensor', 'global'] as const) {
        for (const length of [1, 5, 15, 17, 8193]) {
          const w = new Parameter(runtime, [length]);
          const optimizer = new AdaL(runtime, { w }, { weightDecay: 0.1, normScope });
          const prng = new Prng(length);
          optimizer.params.w.set(normals(prng, length));
          for (let t = 0; t < 20; t++) optimizer.step({ w: normals(prng, length, 10 ** (t - 10)) });
          for (const { address, paddedLength } of [w.value, w.grad]) {
            const padding = runtime.memory.f32.subarray(address / 4 + length, address / 4 + paddedLength);
            expect(paddedLength % 16).toBe(0);
            expect(bitsOf(padding)).toEqual(new Uint32Array(paddedLength - length));
          }
          optimizer.dispose();
          w.dispose();
        }
      }
    });
  });
});

describe('the plain rule, in its safe range', () => {
  const options = fc.record({
    lr: fc.double({ min: 1e-4, max: 1, noNaN: true }),
    betas: fc.constantFrom([0.9, 0.999] as const, [0.9, 0.95] as const, [0, 0.5] as const, [0.95, 0.9999] as const),
    eps: fc.constantFrom(0, 1e-8, 1e-3),
    decay: fc.constantFrom('inverse-sqrt' as const, 'none' as const),
    weightDecay: fc.constantFrom(0, 0.01),
  });

  it.each([oracle, simd])('gives the same bits on $name', async (backend) => {
    await withRuntime(backend, (runtime) => {
      fc.assert(
        fc.property(
          options,
          fc.integer({ min: 1, max: 100 }),
          fc.integer({ min: -8, max: 8 }),
          fc.integer({ min: 0, max: 1e6 }),
          (given, n, scale, seed) => {
            const prng = new Prng(seed);
            const theta = normals(prng, n);
            const plain = new PlainAdaL(theta, given);
            const optimizer = new AdaL(runtime, { w: theta }, given);
            for (let t = 0; t < 40; t++) {
              const g = normals(prng, n, 2 ** scale).map((x) => (prng.uniform() < 0.2 ? 0 : x));
              plain.step(g);
              optimizer.step({ w: g });
            }
            expect(bitsOf(optimizer.params.w)).toEqual(bitsOf(plain.theta));
            const { m, v, exponent } = moments(optimizer);
            expect(bitsOf(m.map((x) => x * 2 ** exponent))).toEqual(bitsOf(plain.m));
            expect(bitsOf(v.map((x) => x * 2 ** (2 * exponent)))).toEqual(bitsOf(plain.v));
            optimizer.dispose();
          },
        ),
        { numRuns: 150 },
      );
    });
  });
});

describe('gradients times 2^k', () => {
  /** 60 steps with wandering scales, dead coordinates and zero steps. */
  function run(runtime: Runtime, k: number, options: AdaLOptions) {
    const prng = new Prng(11);
    const optimizer = new AdaL(runtime, { w: normals(prng, 37), b: normals(prng, 3) }, { eps: 0, ...options });
    for (let t = 0; t < 60; t++) {
      const scale = 2 ** Math.round(4 * prng.normal()) * (t % 13 === 5 ? 0 : 1);
      const draw = (n: number) => normals(prng, n, scale).map((x, i) => (i % 7 === 3 && t > 5 ? 0 : x * 2 ** k));
      optimizer.step({ w: draw(37), b: draw(3) });
    }
    const { params, state } = optimizer.stateDict();
    optimizer.dispose();
    return { params, state };
  }

  it.each(BACKENDS)('give the same bits on $name, with e shifted by 2k', async (backend) => {
    await withRuntime(backend, (runtime) => {
      for (const options of [{}, { normScope: 'global', weightDecay: 0.1, decay: 'none', betas: [0.9, 0.95] }] as AdaLOptions[]) {
        const base = run(runtime, 0, options);
        for (let k = -60; k <= 60; k++) {
          const scaled = run(runtime, k, options);
          for (const name of ['w', 'b']) {
            expect(bitsOf(scaled.params[name].data), `θ, k=${k}`).toEqual(bitsOf(base.params[name].data));
            for (const array of ['m', 'v']) {
              const [got, want] = [scaled, base].map(({ state }) => bitsOf(state[name].arrays[array]));
              expect(got, `${array}, k=${k}`).toEqual(want);
            }
            expect(scaled.state[name].exponent).toBe(base.state[name].exponent + 2 * k);
          }
        }
      }
    });
  });
});

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

  /** Runs the kernel and the wide reference side by side; the scale of step t is 2^exponentAt(t). */
  async function compare(betas: readonly [number, number], steps: number, exponentAt: (t: number) => number) {
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
          expect(Math.abs(x - want[i]), `step ${t}, element ${i}: ${x} for ${want[i]}`).toBeLessThanOrEqual(tolerance);
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

  it('the limit: what first becomes active after a drop of more than 2^50 stands still until V has decayed', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(runtime, { w: new Float32Array([1, 1]) }, { lr: 0.1, decay: 'none', eps: 0, betas: [0.5, 0.6] });
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
        const square = (((1 - beta1) / (1 - beta1 ** t)) ** 2 * sum * (1 - beta2 ** t)) / (1 - beta2);
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

  it.each(betas)('holds for random and adversarial gradients, betas %d, %d', async (beta1, beta2) => {
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
        const optimizer = new AdaL(runtime, { w: new Float32Array(n) }, { ...BARE, betas: [beta1, beta2] });
        for (let t = 1; t <= 300; t++) {
          const u = updateOf(
            optimizer,
            Float32Array.from({ length: n }, (_, i) => draw(t, i)),
          );
          expect(maxAbs(u), `kind ${kind}, step ${t}`).toBeLessThanOrEqual(bound(beta1, beta2, t) * (1 + 1e-4));
        }
        optimizer.dispose();
      }
    });
  });

  it.each(betas.filter(([beta1]) => beta1 > 0))('is reached by the worst gradients, betas %d, %d', async (beta1, beta2) => {
    await withRuntime(simd, (runtime) => {
      for (const T of [2, 10, 100]) {
        const optimizer = new AdaL(runtime, { w: new Float32Array(1) }, { ...BARE, betas: [beta1, beta2] });
        let u = 0;
        // ĝ_t ∝ (β1/β2)^(T-t), and with one coordinate ĝ = g·|g|.
        for (let t = 1; t <= T; t++) u = updateOf(optimizer, [Math.sqrt((beta1 / beta2) ** (T - t))])[0];
        expect(u).toBeGreaterThan(bound(beta1, beta2, T) * (1 - 1e-4));
        expect(u).toBeLessThanOrEqual(bound(beta1, beta2, T) * (1 + 1e-4));
        optimizer.dispose();
      }
    });
  });
});

describe('a fixed run', () => {
  const RECORDED = '9896bf40daae8747754ea7646943ede5b1b72728a24cbf3e8099fd8ab66ca1aa';

  async function run(backend: BackendCase): Promise<string> {
    return withRuntime(backend, (runtime) => {
      const prng = new Prng(2107_01525);
      const params: ParamsInit = [
        { params: { w: { shape: [100, 200], data: normals(prng, 20_000) }, b: new Float32Array(200) } },
        { params: { head: normals(prng, 333) }, lr: 3e-3, weightDecay: 0.01, betas: [0.8, 0.9] },
      ];
      const optimizer = new AdaL(runtime, params);
      const result = emptyResult();
      for (let t = 0; t < 50; t++) {
        for (const name of ['w', 'b', 'head']) optimizer.grads[name].set(normals(prng, optimizer.grads[name].length, 0.01));
        optimizer.stepInto(result);
      }
      return hashOf(Float32Array.from(['w', 'b', 'head'].flatMap((name) => [...optimizer.params[name]])));
    });
  }

  it.each([oracle, simd, THREAD_CASES[1]])('has the recorded hash on $name', async (backend) => {
    expect(await run(backend)).toBe(RECORDED);
  });
});
