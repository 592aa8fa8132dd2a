/** The atomic step: a refused one changes nothing; and which state an accepted one moves. */
import { describe, expect, it } from 'vitest';
import {
  AdaL,
  type AdaLOptions,
  ArgumentError,
  NonFiniteGradientError,
  type ParamsInit,
} from '../../src/index';
import { Prng } from '../../src/math/prng';
import { BACKENDS, bitsOf, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { compensatedNorm, fillRough, normals } from '../support/gradients';
import { gradientSnapshot, snapshot } from '../support/snapshot';

function values(length: number, seed = 1): Float32Array {
  return normals(new Prng(seed), length);
}

const PARAMS: ParamsInit = [
  { params: { first: values(37), big: values(20_001, 2) }, weightDecay: 0.01 },
  { params: { last: { shape: [2, 3], data: values(6, 3) } }, lr: 0.1 },
];

/** Where things may go wrong: the ends of tensors and both sides of a block's edge. */
const PLACES = [
  ['first', 0],
  ['first', 36],
  ['big', 0],
  ['big', 8191],
  ['big', 8192],
  ['big', 20_000],
  ['last', 0],
  ['last', 5],
] as const;
const GROUP_OF = { first: 0, big: 0, last: 1 };

describe.each([...BACKENDS, THREAD_CASES[2]])('a non-finite gradient on $name', (backend) => {
  it.each(['tensor', 'global'] as const)(
    "throws with 'throw' and changes nothing, norm scope '%s'",
    async (normScope) => {
      await withRuntime(backend, (runtime) => {
        const optimizer = new AdaL(runtime, PARAMS, { normScope });
        const untouched = new AdaL(runtime, PARAMS, { normScope });
        for (const [t, [name, index]] of PLACES.entries()) {
          for (const bad of [Number.NaN, Infinity, -Infinity]) {
            const before = snapshot(optimizer);
            fillRough(optimizer, t + 1);
            optimizer.grads[name][index] = bad;
            const gradients = gradientSnapshot(optimizer);
            const error = caught(() => optimizer.step());
            expect(error).toBeInstanceOf(NonFiniteGradientError);
            expect(error).toMatchObject({
              reason: 'non-finite',
              parameter: name,
              group: GROUP_OF[name],
              count: 1,
            });
            expect((error as Error).message).toContain(`"${name}" (group ${GROUP_OF[name]})`);
            expect(snapshot(optimizer)).toEqual(before);
            expect(gradientSnapshot(optimizer), 'gradients').toEqual(gradients);
            expect(optimizer.skippedSteps).toBe(0);
          }
          for (const each of [optimizer, untouched]) {
            fillRough(each, 100 + t);
            expect(each.step()).toMatchObject({
              step: t + 1,
              skipped: false,
              nonFinite: 0,
              reason: null,
            });
          }
          expect(snapshot(optimizer), 'as if it never happened').toEqual(snapshot(untouched));
        }
      });
    },
  );

  it("is skipped and counted with 'skip', sync and async", async () => {
    await withRuntime(backend, async (runtime) => {
      const optimizer = new AdaL(runtime, PARAMS, { onNonFinite: 'skip' });
      fillRough(optimizer, 1);
      optimizer.step();
      const before = snapshot(optimizer);
      let skipped = 0;
      for (const [name, index] of PLACES) {
        for (const asynchronous of [false, true]) {
          fillRough(optimizer, 2);
          optimizer.grads[name][index] = Number.NaN;
          optimizer.grads.big[77] = -Infinity;
          const result = asynchronous ? await optimizer.stepAsync() : optimizer.step();
          expect(result).toMatchObject({
            step: 1,
            skipped: true,
            nonFinite: 2,
            reason: 'non-finite',
          });
          expect(Number.isFinite(result.gradNorm)).toBe(false);
          expect(optimizer.skippedSteps).toBe(++skipped);
          expect(optimizer.stepCount).toBe(1);
          expect(snapshot(optimizer)).toEqual(before);
        }
      }
      fillRough(optimizer, 3);
      expect(optimizer.step()).toMatchObject({ step: 2, skipped: false });
      const straight = new AdaL(runtime, PARAMS);
      for (const seed of [1, 3]) {
        fillRough(straight, seed);
        straight.step();
      }
      expect(snapshot(optimizer)).toEqual(snapshot(straight));
    });
  });

  it('names the first offender and counts over all tensors', async () => {
    await withRuntime(backend, async (runtime) => {
      const optimizer = new AdaL(runtime, PARAMS);
      fillRough(optimizer, 1);
      optimizer.grads.last.fill(Infinity);
      optimizer.grads.big.fill(Number.NaN, 100, 110);
      const expected = { parameter: 'big', group: 0, count: 16 };
      expect(caught(() => optimizer.step())).toMatchObject(expected);
      await expect(optimizer.stepAsync()).rejects.toMatchObject(expected);
      await expect(optimizer.stepAsync()).rejects.toBeInstanceOf(NonFiniteGradientError);
    });
  });

  it('takes the largest finite gradients', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, PARAMS, { eps: 0, lr: 1, decay: 'none' });
      const largest = (2 - 2 ** -23) * 2 ** 127;
      for (const name of ['first', 'big', 'last']) optimizer.grads[name].fill(largest);
      const { gradNorm, skipped } = optimizer.step();
      expect(skipped).toBe(false);
      expect(Math.abs(gradNorm / (20_044 * largest) - 1)).toBeLessThan(1e-14);
      for (const name of ['first', 'big', 'last'])
        expect(optimizer.params[name].every(Number.isFinite)).toBe(true);
    });
  });

  it('a step never writes gradients', async () => {
    await withRuntime(backend, async (runtime) => {
      const optimizer = new AdaL(runtime, PARAMS, { weightDecay: 0.1 });
      for (let t = 1; t <= 17; t++) {
        fillRough(optimizer, t);
        const gradients = gradientSnapshot(optimizer);
        if (t % 2) optimizer.step();
        else await optimizer.stepAsync();
        expect(gradientSnapshot(optimizer)).toEqual(gradients);
      }
      const given = { first: values(37, 9), big: values(20_001, 9), last: values(6, 9) };
      const copies = Object.values(given).map((array) => array.slice());
      optimizer.step(given);
      expect(Object.values(given).map(bitsOf)).toEqual(copies.map(bitsOf));
      expect(bitsOf(optimizer.grads.big)).toEqual(bitsOf(given.big));
    });
  });

  it('gradNorm is Σ|g| over unfrozen tensors', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, PARAMS, { eps: 0 });
      for (const scale of [1, 1e-30, 1e25]) {
        for (const frozen of [false, true]) {
          optimizer.paramGroups[1].frozen = frozen;
          const prng = new Prng(6);
          for (const name of ['first', 'big', 'last']) {
            const grad = optimizer.grads[name];
            grad.set(normals(prng, grad.length, scale).map((x) => x * 10 ** (4 * prng.uniform())));
          }
          const wanted = compensatedNorm(
            (frozen ? ['first', 'big'] : ['first', 'big', 'last']).map(
              (name) => optimizer.grads[name],
            ),
          );
          expect(Math.abs(optimizer.step().gradNorm / wanted - 1)).toBeLessThanOrEqual(1e-14);
        }
      }
    });
  });
});

describe.each([oracle, simd, THREAD_CASES[1]])('frozen groups on $name', (backend) => {
  const GROUPS = (): ParamsInit => [
    { params: { a: values(50), b: values(9000, 2) } },
    { params: { ice: values(100, 3) }, frozen: true, weightDecay: 0.5 },
  ];

  it.each(['tensor', 'global'] as const)(
    "are in no norm, check or decay and keep t, V, e; norm scope '%s'",
    async (normScope) => {
      await withRuntime(backend, (runtime) => {
        const optimizer = new AdaL(runtime, GROUPS(), { normScope });
        const alone = new AdaL(runtime, [(GROUPS() as readonly { params: object }[])[0] as never], {
          normScope,
        });
        const frozen = () =>
          Object.fromEntries(
            Object.entries(snapshot(optimizer)).filter(([key]) => key.endsWith(' ice')),
          );
        const before = frozen();
        optimizer.grads.ice.fill(Number.NaN);
        for (let t = 1; t <= 20; t++) {
          for (const each of [optimizer, alone]) {
            each.grads.a.set(values(50, t));
            each.grads.b.set(values(9000, t));
          }
          expect(optimizer.step()).toEqual(alone.step());
        }
        expect(frozen()).toEqual(before);
        expect(optimizer.stateDict().state.ice).toMatchObject({ step: 0, V: 0, exponent: 0 });
        const whole = snapshot(optimizer);
        for (const [key, value] of Object.entries(snapshot(alone)))
          if (key !== 'groups') expect(whole[key], key).toBe(value);
      });
    },
  );

  it('counts its own steps after thawing, while lr goes by all', async () => {
    await withRuntime(backend, (runtime) => {
      const seen: number[] = [];
      const lr = (step: number) => {
        seen.push(step);
        return 0.1;
      };
      const optimizer = new AdaL(
        runtime,
        [{ params: { a: values(5) } }, { params: { ice: new Float32Array(3) }, frozen: true, lr }],
        {
          decay: 'none',
          eps: 0,
          lr: 0.5,
        },
      );
      for (let t = 1; t <= 10; t++) optimizer.step({ a: values(5, t) });
      expect(seen, 'a frozen group asks for no lr').toEqual([]);
      optimizer.paramGroups[1].frozen = false;
      optimizer.step({ a: values(5, 11), ice: new Float32Array([2, -3, 0]) });
      expect(seen).toEqual([11]);
      const { state, params } = optimizer.stateDict();
      expect([state.a.step, state.ice.step]).toEqual([11, 1]);
      // Its first step: lr times the sign.
      expect([...params.ice.data].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([-0.1, 0.1, 0]);
    });
  });

  it('thaw under a global norm after the norm has fallen by 2^40', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, GROUPS(), {
        normScope: 'global',
        eps: 0,
        lr: 1,
        decay: 'none',
        betas: [0.5, 0.6],
      });
      const [, group] = optimizer.paramGroups;
      group.weightDecay = 0;
      group.frozen = false;
      for (let t = 1; t <= 20; t++) {
        fillRough(optimizer, t, 2 ** 20);
        optimizer.step();
      }
      group.frozen = true;
      for (let t = 1; t <= 20; t++) {
        fillRough(optimizer, t, 2 ** -20);
        optimizer.step();
      }
      const kept = optimizer.stateDict().state;
      // v, 160 bits too large, falls by 0.74 bit a step; |u| never exceeds C = 1.035.
      group.frozen = false;
      const last = optimizer.params.ice.slice();
      for (let t = 1; t <= 400; t++) {
        fillRough(optimizer, t, 2 ** -20);
        optimizer.step();
        const { ice } = optimizer.params;
        const largest = ice.reduce((most, x, i) => Math.max(most, Math.abs(x - last[i])), 0);
        expect(largest, `step ${t}`).toBeLessThan(1.04);
        if (t === 400) expect(largest, 'moves again').toBeGreaterThan(0.1);
        last.set(ice);
      }
      expect(kept.ice.exponent).not.toBe(0);
      expect(optimizer.stateDict().state.ice.step).toBe(420);
      expect(optimizer.stateDict().state.a.step).toBe(440);
    });
  });

  it('a step with everything frozen is accepted and moves nothing', async () => {
    await withRuntime(backend, async (runtime) => {
      const optimizer = new AdaL(runtime, [{ params: { ice: values(5) }, frozen: true }]);
      optimizer.grads.ice.fill(Infinity);
      const { params, state } = optimizer.stateDict();
      expect(optimizer.step()).toEqual({
        step: 1,
        skipped: false,
        gradL1Norm: 0,
        gradNorm: 0,
        nonFinite: 0,
        reason: null,
      });
      expect(await optimizer.stepAsync({})).toMatchObject({ step: 2, skipped: false });
      const after = optimizer.stateDict();
      expect([after.params, after.state]).toEqual([params, state]);
    });
  });
});

describe('step(grads)', () => {
  const create = async (body: (optimizer: AdaL) => void, options?: AdaLOptions) =>
    withRuntime(simd, (runtime) => {
      const params: ParamsInit = [
        { params: { a: values(3), b: values(4) } },
        { params: { ice: values(2) }, frozen: true },
      ];
      body(new AdaL(runtime, params, options));
    });

  it('must name every unfrozen tensor, and may name frozen ones', () =>
    create((optimizer) => {
      const before = snapshot(optimizer);
      const missing = caught(() => optimizer.step({ a: values(3) }));
      expect(missing).toBeInstanceOf(ArgumentError);
      expect(missing).toMatchObject({ argument: 'grads.b' });
      expect(caught(() => optimizer.step({}))).toMatchObject({ argument: 'grads.a' });
      expect(
        caught(() => optimizer.step({ a: values(3), b: values(4), c: values(1) })),
      ).toMatchObject({ argument: 'grads.c' });
      expect(snapshot(optimizer)).toEqual(before);
      expect(optimizer.step({ a: values(3), b: values(4) }).step).toBe(1);
      expect(optimizer.step({ a: values(3), b: values(4), ice: values(2, 5) }).step).toBe(2);
      expect(bitsOf(optimizer.grads.ice)).toEqual(bitsOf(values(2, 5)));
      optimizer.paramGroups[1].frozen = false;
      expect(caught(() => optimizer.step({ a: values(3), b: values(4) }))).toMatchObject({
        argument: 'grads.ice',
      });
    }));

  it('copies none when one does not fit', () =>
    create((optimizer) => {
      const before = gradientSnapshot(optimizer);
      expect(() => optimizer.step({ a: values(3), b: values(5) })).toThrow(ArgumentError);
      expect(gradientSnapshot(optimizer)).toEqual(before);
    }));
});

describe("normScope 'global'", () => {
  const two = (betas: readonly [number, number]): ParamsInit => [
    { params: { a: values(3) } },
    { params: { b: values(3) }, betas },
  ];

  it('refuses groups with different betas, at once and in addParamGroup', async () => {
    await withRuntime(simd, (runtime) => {
      const options: AdaLOptions = { normScope: 'global' };
      for (const betas of [
        [0.9, 0.95],
        [0.8, 0.999],
      ] as const) {
        const used = runtime.info.usedBytes;
        expect(caught(() => new AdaL(runtime, two(betas), options))).toMatchObject({
          argument: 'betas (group 1)',
        });
        expect(runtime.info.usedBytes).toBe(used);
      }
      const optimizer = new AdaL(runtime, two([0.9, 0.999]), options);
      fillRough(optimizer, 1);
      optimizer.step();
      const before = snapshot(optimizer);
      const used = runtime.info.usedBytes;
      const add = () => optimizer.addParamGroup({ params: { c: values(3) }, betas: [0.9, 0.99] });
      expect(caught(add)).toMatchObject({ argument: 'betas (group 2)' });
      expect(snapshot(optimizer)).toEqual(before);
      expect(runtime.info.usedBytes).toBe(used);
      expect(Object.keys(optimizer.params)).toEqual(['a', 'b']);
      expect(() => new AdaL(runtime, two([0.9, 0.95]))).not.toThrow();
    });
  });

  it('scales all tensors by the norm over all', async () => {
    await withRuntime(simd, (runtime) => {
      const options: AdaLOptions = { normScope: 'global', eps: 1e-3, lr: 0.1 };
      const split = new AdaL(runtime, { a: values(16), b: values(16, 2) }, options);
      const joined = new AdaL(
        runtime,
        { w: Float32Array.from([...values(16), ...values(16, 2)]) },
        options,
      );
      for (let t = 1; t <= 20; t++) {
        // Whole numbers, so that the order of summation does not matter.
        const draw = (seed: number) => values(16, seed).map((x) => Math.round(x * 1000));
        split.step({ a: draw(t), b: draw(t + 50) });
        joined.step({ w: Float32Array.from([...draw(t), ...draw(t + 50)]) });
      }
      expect([...split.params.a, ...split.params.b]).toEqual([...joined.params.w]);
    });
  });
});
