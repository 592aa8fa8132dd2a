/** Gradient accumulation: what a window steps with, what ends it, what resumes it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GradientAccumulator } from '../../src/entries/gradients';
import {
  AdaL,
  ArgumentError,
  BusyError,
  DisposedError,
  emptyResult,
  NonFiniteGradientError,
  OutOfMemoryError,
  SGD,
} from '../../src/index';
import { createRuntime, type Runtime } from '../../src/runtime/runtime';
import { BACKENDS, bitsOf, oracle, simd, withRuntime } from '../support/backends';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';

const two = () => ({ w: new Float32Array([1, 2, 3]), b: { shape: [2, 2] } });
const full = (w: number, b: number) => ({
  w: new Float32Array(3).fill(w),
  b: new Float32Array(4).fill(b),
});
const { fround } = Math;

/** SGD with lr 1: a step subtracts exactly its gradient. */
const plain = (runtime: Runtime) =>
  new SGD(runtime, { w: new Float32Array(3), b: new Float32Array(4) }, { lr: 1 });

/** The same with one element each, of which b is frozen. */
function pair(runtime: Runtime): SGD {
  const frozen = { params: { b: new Float32Array(1) }, frozen: true };
  return new SGD(runtime, [{ params: { w: new Float32Array(1) } }, frozen], { lr: 1 });
}

describe.each(BACKENDS)('on $name', (backend) => {
  it('steps at every window with the mean, and says so', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = plain(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 4 });
      expect(accumulator).toMatchObject({ steps: 4, reduction: 'mean', count: 0 });
      const early = [full(1, 8), full(3, 8), full(2, 8)];
      for (const grads of early) expect(accumulator.add(grads)).toBeNull();
      expect(accumulator.count).toBe(3);
      expect([...optimizer.params.w]).toEqual([0, 0, 0]);
      expect(accumulator.add(full(6, -8))).toMatchObject({
        step: 1,
        skipped: false,
        gradNorm: 3 * 3 + 4 * 4,
      });
      expect(accumulator.count).toBe(0);
      expect([...optimizer.params.w, ...optimizer.params.b]).toEqual([-3, -3, -3, -4, -4, -4, -4]);
      expect([...optimizer.grads.w]).toEqual([3, 3, 3]);
    });
  });

  it('steps with the sum, from the optimizer’s own gradients', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = plain(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 3, reduction: 'sum' });
      const result = emptyResult();
      for (let t = 1; t <= 6; t++) {
        optimizer.grads.w.set([t, -t, 0.5]);
        optimizer.grads.b.fill(10);
        expect(accumulator.addInto(result)).toBe(t % 3 === 0);
        expect(result.step).toBe(Math.floor(t / 3));
      }
      expect([...optimizer.params.w]).toEqual([-21, 21, -3]);
      expect([...optimizer.params.b]).toEqual(Array(4).fill(-60));
    });
  });
});

it('has the same bits on every backend, and those of the formula', async () => {
  const run = async (backend: (typeof BACKENDS)[number], reduction: 'mean' | 'sum') => {
    return withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, { a: { shape: [8200] }, b: { shape: [37] } });
      const accumulator = new GradientAccumulator(optimizer, { steps: 5, reduction });
      const reference = { a: new Float32Array(8200), b: new Float32Array(37) };
      for (let t = 1; t <= 10; t++) {
        fillRough(optimizer, t, 10 ** (t - 5));
        const k = ((t - 1) % 5) + 1;
        for (const name of ['a', 'b'] as const) {
          const grad = optimizer.grads[name];
          for (const [i, x] of reference[name].entries()) {
            const move =
              reduction === 'sum' ? -grad[i] : fround(fround(1 / k) * fround(x - grad[i]));
            reference[name][i] = k === 1 ? grad[i] : x - move;
          }
        }
        accumulator.add();
      }
      for (const name of ['a', 'b'] as const)
        expect(bitsOf(optimizer.grads[name])).toEqual(bitsOf(reference[name]));
      return snapshot(optimizer);
    });
  };
  for (const reduction of ['mean', 'sum'] as const) {
    const reference = await run(oracle, reduction);
    for (const backend of BACKENDS)
      expect(await run(backend, reduction), backend.name).toEqual(reference);
  }
});

describe('the mean', () => {
  it('of equal gradients is that gradient to the bit; of others, right to float32', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: new Float32Array(1) }, { lr: 0 });
      const finite = fc.float({
        noNaN: true,
        noDefaultInfinity: true,
        min: fround(-1e30),
        max: fround(1e30),
      });
      fc.assert(
        fc.property(
          fc.array(finite, { minLength: 1, maxLength: 12 }),
          fc.integer({ min: 1, max: 9 }),
          (values, steps) => {
            const many = new GradientAccumulator(optimizer, { steps: values.length });
            for (const value of values) many.add({ w: new Float32Array([value]) });
            const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
            const scale = Math.max(...values.map(Math.abs));
            expect(Math.abs(optimizer.grads.w[0] - mean)).toBeLessThanOrEqual(
              values.length * 2 ** -23 * scale + 1e-44,
            );
            many.dispose();
            const same = new GradientAccumulator(optimizer, { steps });
            for (let i = 0; i < steps; i++) same.add({ w: new Float32Array([values[0]]) });
            expect(optimizer.grads.w[0]).toBe(values[0]);
            same.dispose();
          },
        ),
      );
    });
  });

  it('does not overflow where gradients do not; a window of one is a plain step', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: new Float32Array(1) }, { lr: 0 });
      const accumulator = new GradientAccumulator(optimizer, { steps: 3 });
      const huge = new Float32Array([3e38]);
      for (let i = 0; i < 3; i++) accumulator.add({ w: huge });
      expect(optimizer.grads.w[0]).toBe(huge[0]);
      const single = new GradientAccumulator(optimizer, { steps: 1 });
      expect(single.add({ w: new Float32Array([7]) })).toMatchObject({ gradNorm: 7 });
      expect(single.count).toBe(0);
    });
  });
});

describe('groups', () => {
  it('leaves frozen parameters alone; one unfrozen amid gets the mean of the rest', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = pair(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 4 });
      const one = (x: number) => new Float32Array([x]);
      accumulator.add({ w: one(1) });
      accumulator.add({ w: one(1), b: one(NaN) });
      optimizer.paramGroups[1].frozen = false;
      accumulator.add({ w: one(1), b: one(4) });
      optimizer.paramGroups[0].frozen = true;
      expect(accumulator.add({ b: one(8) })).toMatchObject({ step: 1, gradNorm: 6 });
      expect([optimizer.params.w[0], optimizer.params.b[0]]).toEqual([0, -6]);
    });
  });

  it('takes in parameters added by addParamGroup in the middle of a window', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD<string>(runtime, { w: new Float32Array(1) }, { lr: 1 });
      const accumulator = new GradientAccumulator(optimizer, { steps: 3, reduction: 'sum' });
      const one = (x: number) => new Float32Array([x]);
      accumulator.add({ w: one(1) });
      optimizer.addParamGroup({ params: { late: one(0) } });
      accumulator.add({ w: one(1), late: one(10) });
      accumulator.add({ w: one(1), late: one(10) });
      expect([optimizer.params.w[0], optimizer.params.late[0]]).toEqual([-3, -20]);
    });
  });
});

describe('the end of a window', () => {
  it('flush steps with what there is; nothing with nothing', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = pair(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 8 });
      expect(accumulator.flush()).toBeNull();
      accumulator.add({ w: new Float32Array([1]) });
      accumulator.add({ w: new Float32Array([2]) });
      optimizer.paramGroups[1].frozen = false;
      optimizer.grads.b.fill(99);
      expect(accumulator.flush()).toMatchObject({ step: 1, gradNorm: 1.5 });
      expect([optimizer.params.w[0], optimizer.params.b[0]]).toEqual([-1.5, 0]);
      expect(accumulator.flush()).toBeNull();
    });
  });

  it('a refused step ends it: weights are unchanged and the next window is clean', async () => {
    await withRuntime(simd, (runtime) => {
      for (const onNonFinite of ['throw', 'skip'] as const) {
        const optimizer = new AdaL(runtime, two(), { onNonFinite });
        const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
        const before = snapshot(optimizer);
        accumulator.add(full(NaN, 1));
        if (onNonFinite === 'throw')
          expect(() => accumulator.add(full(1, 1))).toThrow(NonFiniteGradientError);
        else
          expect(accumulator.add(full(1, 1))).toMatchObject({
            step: 0,
            skipped: true,
            nonFinite: 3,
          });
        expect(snapshot(optimizer)).toEqual(before);
        expect(accumulator.count).toBe(0);
        expect([...optimizer.grads.b]).toEqual([1, 1, 1, 1]);
        accumulator.add(full(1, 1));
        expect(accumulator.add(full(3, 3))).toMatchObject({ step: 1, gradNorm: 14 });
      }
    });
  });

  it('a wrong argument adds nothing', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = plain(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 2, reduction: 'sum' });
      accumulator.add(full(1, 1));
      expect(() => accumulator.add({ w: new Float32Array(3) })).toThrow(
        /^"grads.b" expected a Float32Array of 4/,
      );
      expect(() => accumulator.add({ ...full(5, 5), b: new Float32Array(3) })).toThrow(
        ArgumentError,
      );
      expect(accumulator.count).toBe(1);
      accumulator.add(full(1, 1));
      expect([...optimizer.params.w]).toEqual([-2, -2, -2]);
    });
  });

  it('reset forgets what was added', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = plain(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
      accumulator.add(full(100, 100));
      accumulator.reset();
      accumulator.add(full(1, 1));
      accumulator.add(full(3, 3));
      expect([...optimizer.params.w]).toEqual([-2, -2, -2]);
    });
  });

  it('addAsync equals add', async () => {
    const run = (backend: (typeof BACKENDS)[number], async: boolean) => {
      return withRuntime(backend, async (runtime) => {
        const optimizer = new AdaL(runtime, two());
        const accumulator = new GradientAccumulator(optimizer, { steps: 3 });
        for (let t = 1; t <= 6; t++) {
          fillRough(optimizer, t);
          const pending = async ? accumulator.addAsync() : accumulator.add();
          if (async && t % 3 === 0) expect(() => accumulator.add()).toThrow(BusyError);
          expect((await pending)?.step ?? null).toBe(t % 3 === 0 ? t / 3 : null);
        }
        return snapshot(optimizer);
      });
    };
    for (const backend of BACKENDS)
      expect(await run(backend, true), backend.name).toEqual(await run(backend, false));
  });
});

describe('state dict', () => {
  it('resumes in the middle of a window bit for bit', async () => {
    await withRuntime(simd, (runtime) => {
      for (const reduction of ['mean', 'sum'] as const) {
        const build = () => {
          const optimizer = new AdaL(runtime, two());
          return {
            optimizer,
            accumulator: new GradientAccumulator(optimizer, { steps: 3, reduction }),
          };
        };
        const run = (
          { optimizer, accumulator }: ReturnType<typeof build>,
          from: number,
          to: number,
        ) => {
          for (let t = from; t <= to; t++) {
            fillRough(optimizer, t);
            accumulator.add();
          }
          return snapshot(optimizer);
        };
        for (const stop of [0, 2, 3, 4]) {
          const first = build();
          run(first, 1, stop);
          const dicts = structuredClone([
            first.optimizer.stateDict(),
            first.accumulator.stateDict(),
          ] as const);
          const second = build();
          second.accumulator.add(full(9, 9));
          second.optimizer.loadStateDict(dicts[0]);
          second.accumulator.loadStateDict(dicts[1]);
          expect(second.accumulator.count).toBe(stop % 3);
          expect(run(second, stop + 1, 7)).toEqual(run(first, stop + 1, 7));
        }
      }
    });
  });

  it('refuses what does not fit, and changes nothing then', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = plain(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 3 });
      accumulator.add(full(1, 2));
      const dict = accumulator.stateDict();
      const { w, b } = dict.sums;
      const wrong: [unknown, string][] = [
        [null, 'stateDict'],
        [{ ...dict, version: 2 }, 'stateDict.version'],
        [{ ...dict, reduction: 'sum' }, 'stateDict.reduction'],
        [{ ...dict, count: 3 }, 'stateDict.count'],
        [{ ...dict, sums: null }, 'stateDict.sums'],
        [{ ...dict, sums: { w } }, 'stateDict.sums.b'],
        [{ ...dict, sums: { w, b, c: b } }, 'stateDict.sums.c'],
        [{ ...dict, sums: { w: { count: 2, data: w.data }, b } }, 'stateDict.sums.w.count'],
        [{ ...dict, sums: { w: null, b } }, 'stateDict.sums.w'],
        [
          { ...dict, sums: { w, b: { count: 1, weight: 1, data: new Float32Array(5) } } },
          'stateDict.sums.b.data',
        ],
        [{ ...dict, sums: { w, b: { ...b, weight: 0 } } }, 'stateDict.sums.b.weight'],
        [{ ...dict, sums: { w, b: { ...b, weight: undefined } } }, 'stateDict.sums.b.weight'],
      ];
      for (const [given, argument] of wrong) {
        expect(() => accumulator.loadStateDict(given as never)).toThrow(
          expect.objectContaining({ argument }),
        );
      }
      expect(accumulator.stateDict()).toEqual(dict);
    });
  });
});

describe('memory and misuse', () => {
  it('takes four bytes a parameter and gives them back', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: { shape: [1024] } });
      const { usedBytes } = runtime.info;
      const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
      expect(runtime.info.usedBytes - usedBytes).toBe(4096);
      accumulator.dispose();
      accumulator.dispose();
      expect(runtime.info.usedBytes).toBe(usedBytes);
      expect(() => accumulator.add()).toThrow(DisposedError);
      expect(() => accumulator.reset()).toThrow(DisposedError);
      optimizer.step();
    });
  });

  it('leaves nothing allocated when memory does not suffice', async () => {
    const runtime = await createRuntime({ backend: 'simd', maxMemory: 2 ** 20 });
    const optimizer = new SGD(runtime, { a: { shape: [40_000] }, b: { shape: [60_000] } });
    const { usedBytes } = runtime.info;
    expect(() => new GradientAccumulator(optimizer, { steps: 2 })).toThrow(OutOfMemoryError);
    expect(runtime.info.usedBytes).toBe(usedBytes);
    runtime.dispose();
  });

  it('ends with its optimizer', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = plain(runtime);
      const accumulator = new GradientAccumulator(optimizer, { steps: 2 });
      optimizer.dispose();
      expect(() => accumulator.add()).toThrow(DisposedError);
      accumulator.dispose();
    });
  });

  it('refuses options out of range', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = plain(runtime);
      const cases: [unknown, RegExp][] = [
        [undefined, /^"options" expected an options object/],
        [{}, /^"steps" expected an integer in \[1, 16777216\], got undefined/],
        [{ steps: 0 }, /^"steps"/],
        [{ steps: 1.5 }, /^"steps"/],
        [{ steps: 2, reduction: 'max' }, /^"reduction" expected 'mean' or 'sum', got "max"/],
        [{ steps: 2, every: 1 }, /^"options.every"/],
      ];
      for (const [options, message] of cases) {
        expect(() => new GradientAccumulator(optimizer, options as never)).toThrow(message);
      }
    });
  });
});
