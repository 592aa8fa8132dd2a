/**
 * What the scaled rule of AdaL promises, measured on the numbers themselves: see
 * src/math/adal-scalars.ts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdaL,
  type AdaLOptions,
  emptyResult,
  NonFiniteGradientError,
  type ParamsInit,
} from '../../src/index';
import { Prng } from '../../src/math/prng';
import type { Runtime } from '../../src/runtime/runtime';
import { Parameter } from '../../src/tensors/parameter';
import {
  BACKENDS,
  type BackendCase,
  bitsOf,
  oracle,
  simd,
  THREAD_CASES,
  withRuntime,
} from '../support/backends';
import { caught } from '../support/errors';
import { normals } from '../support/gradients';
import { allFinite, BARE, maxAbs, moments, updateOf } from '../support/one-tensor-adal';
import { PlainAdaL } from '../support/plain-adal';
import { hashOf, snapshot } from '../support/snapshot';

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
            optimizer.grads.w.set(
              Float32Array.from({ length: 20 }, (_, i) =>
                i % 3 === 0 ? 0 : (i - 9.5) * 10 ** exponent,
              ),
            );
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
          fc.array(fc.oneof(fc.constant(0), fc.double({ min: -1, max: 1, noNaN: true })), {
            minLength: 1,
            maxLength: 40,
          }),
          fc.integer({ min: -100, max: 90 }),
          (values, k) => {
            // Within 2^20 of the largest: a smaller one's ĝ² is beyond any float32 scale (the
            // documented limit).
            const top = maxAbs(values) || 1;
            const g = Float32Array.from(values, (x) =>
              Math.abs(x) < top * 2 ** -20 ? 0 : (x / top) * 2 ** k,
            );
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

  it('overflow: ε = 1e-8, |g| = 1e23, n = 1000 is refused by name; nothing changes', async () => {
    await withRuntime(backend, (runtime) => {
      const params = () => ({ w: new Float32Array(1000).fill(0.5) });
      const huge = { w: new Float32Array(1000).fill(1e23) };
      const optimizer = new AdaL(runtime, params());
      optimizer.step({ w: new Float32Array(1000).fill(0.1) });
      const before = snapshot(optimizer);
      const error = caught(() => optimizer.step(huge));
      expect(error).toBeInstanceOf(NonFiniteGradientError);
      expect(error).toMatchObject({
        code: 'ERR_NON_FINITE',
        reason: 'overflow',
        parameter: 'w',
        group: 0,
        count: 0,
      });
      expect(snapshot(optimizer)).toEqual(before);
      const skipping = new AdaL(runtime, params(), { onNonFinite: 'skip' });
      const start = snapshot(skipping);
      expect(skipping.step(huge)).toMatchObject({
        skipped: true,
        reason: 'overflow',
        nonFinite: 0,
        step: 0,
      });
      expect(snapshot(skipping)).toEqual(start);
      expect(skipping.skippedSteps).toBe(1);
      const plain = new AdaL(runtime, params(), { eps: 0 });
      expect(plain.step(huge).skipped).toBe(false);
      expect(allFinite(plain)).toBe(true);
    });
  });

  it('overflow in a later tensor refuses the step for the earlier ones too', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, {
        a: new Float32Array(10),
        w: new Float32Array(10),
        b: new Float32Array(10),
      });
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
            const padding = runtime.memory.f32.subarray(
              address / 4 + length,
              address / 4 + paddedLength,
            );
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
    betas: fc.constantFrom(
      [0.9, 0.999] as const,
      [0.9, 0.95] as const,
      [0, 0.5] as const,
      [0.95, 0.9999] as const,
    ),
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
            const { m, v, exponent: e } = moments(optimizer);
            const exponent = Number(e);
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
    const optimizer = new AdaL(
      runtime,
      { w: normals(prng, 37), b: normals(prng, 3) },
      { eps: 0, ...options },
    );
    for (let t = 0; t < 60; t++) {
      const scale = 2 ** Math.round(4 * prng.normal()) * (t % 13 === 5 ? 0 : 1);
      const draw = (n: number) =>
        normals(prng, n, scale).map((x, i) => (i % 7 === 3 && t > 5 ? 0 : x * 2 ** k));
      optimizer.step({ w: draw(37), b: draw(3) });
    }
    const { params, state } = optimizer.stateDict();
    optimizer.dispose();
    return { params, state };
  }

  it.each(BACKENDS)('give the same bits on $name, with e shifted by 2k', async (backend) => {
    await withRuntime(backend, (runtime) => {
      for (const options of [
        {},
        { normScope: 'global', weightDecay: 0.1, decay: 'none', betas: [0.9, 0.95] },
      ] as AdaLOptions[]) {
        const base = run(runtime, 0, options);
        for (let k = -60; k <= 60; k++) {
          const scaled = run(runtime, k, options);
          for (const name of ['w', 'b']) {
            expect(bitsOf(scaled.params[name].data), `θ, k=${k}`).toEqual(
              bitsOf(base.params[name].data),
            );
            for (const array of ['m', 'v']) {
              const [got, want] = [scaled, base].map(({ state }) =>
                bitsOf(state[name].arrays[array]),
              );
              expect(got, `${array}, k=${k}`).toEqual(want);
            }
            expect(scaled.state[name].exponent).toBe(Number(base.state[name].exponent) + 2 * k);
          }
        }
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
        {
          params: {
            w: { shape: [100, 200], data: normals(prng, 20_000) },
            b: new Float32Array(200),
          },
        },
        { params: { head: normals(prng, 333) }, lr: 3e-3, weightDecay: 0.01, betas: [0.8, 0.9] },
      ];
      const optimizer = new AdaL(runtime, params, { lr: 1e-2 });
      const result = emptyResult();
      for (let t = 0; t < 50; t++) {
        for (const name of ['w', 'b', 'head'])
          optimizer.grads[name].set(normals(prng, optimizer.grads[name].length, 0.01));
        optimizer.stepInto(result);
      }
      return hashOf(
        Float32Array.from(['w', 'b', 'head'].flatMap((name) => [...optimizer.params[name]])),
      );
    });
  }

  it.each([oracle, simd, THREAD_CASES[1]])('has the recorded hash on $name', async (backend) => {
    expect(await run(backend)).toBe(RECORDED);
  });
});
