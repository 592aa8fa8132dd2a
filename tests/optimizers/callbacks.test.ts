/**
 * The user's code inside a step: what it may not do, and that nothing is half-done whatever it
 * does.
 */
import { describe, expect, it } from 'vitest';
import {
  AdaL,
  AdamW,
  ArgumentError,
  BusyError,
  emptyResult,
  type Optimizer,
  type Runtime,
  SGD,
} from '../../src/index';
import { BACKENDS, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';

/** What a callback tries, by name. */
const DEEDS: Record<string, (optimizer: Optimizer, runtime: Runtime) => unknown> = {
  'dispose of the optimizer': (optimizer) => optimizer.dispose(),
  'dispose of the runtime': (_, runtime) => runtime.dispose(),
  'dispose of a parameter': (optimizer) => optimizer.registered[0].parameter.dispose(),
  step: (optimizer) => optimizer.step(),
  'step a row': (optimizer) => optimizer.stepRows('rows', [0], new Float32Array(2)),
  'add a group': (optimizer) => optimizer.addParamGroup({ params: { more: { shape: [1] } } }),
  'load a state dict': (optimizer) => optimizer.loadStateDict({} as never),
  'copy gradients': (optimizer) => optimizer.copyGradients({ w: new Float32Array(16) }),
  'create an optimizer': (_, runtime) => new SGD(runtime, { v: new Float32Array(20_000) }),
};
const deeds = Object.entries(DEEDS);

const params = () => ({ w: new Float32Array(16).fill(1), rows: { shape: [4, 2], sparse: true } });
const ones = () => new Float32Array(16).fill(1);

/** Everything of an optimizer that may not change, as text. */
function stateOf(optimizer: Optimizer, runtime: Runtime): string {
  return JSON.stringify([
    optimizer.stateDict(),
    [...optimizer.grads.w],
    runtime.info.usedBytes,
    optimizer.stepCount,
  ]);
}

describe.each(deeds)('a callback that tries to %s', (_, deed) => {
  it.each(BACKENDS)('is refused in a learning rate, on $name', async (backend) => {
    await withRuntime(backend, async (runtime) => {
      let armed = false;
      const lr = (): number => {
        if (armed) deed(optimizer, runtime);
        return 0.5;
      };
      const optimizer: Optimizer = new AdamW(runtime, params(), { lr });
      optimizer.step({ w: ones() });
      const before = stateOf(optimizer, runtime);
      armed = true;
      for (const step of [
        () => optimizer.step({ w: ones() }),
        () => optimizer.stepInto(emptyResult()),
        () => optimizer.stepRows('rows', [1], new Float32Array(2)),
      ]) {
        expect(caught(step)).toBeInstanceOf(BusyError);
        expect(stateOf(optimizer, runtime)).toBe(before);
      }
      await expect(optimizer.stepAsync()).rejects.toThrow(BusyError);
      expect(stateOf(optimizer, runtime)).toBe(before);
      armed = false;
      expect(optimizer.step({ w: ones() })).toMatchObject({ step: 2, skipped: false });
    });
  });

  it('is refused in getters of gradients and indices, and in the state of a schedule', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdamW(runtime, params(), { lr: 0.5 });
      const before = stateOf(optimizer, runtime);
      const gradients = {
        get w() {
          deed(optimizer, runtime);
          return ones();
        },
      };
      const rows = {
        length: 1,
        get 0() {
          deed(optimizer, runtime);
          return 1;
        },
      };
      expect(caught(() => optimizer.step(gradients))).toBeInstanceOf(BusyError);
      expect(caught(() => optimizer.copyGradients(gradients))).toBeInstanceOf(BusyError);
      expect(caught(() => optimizer.stepRows('rows', rows, new Float32Array(2)))).toBeInstanceOf(
        BusyError,
      );
      const dict = optimizer.stateDict();
      const hostile = {
        ...dict,
        get params() {
          deed(optimizer, runtime);
          return dict.params;
        },
      };
      expect(caught(() => optimizer.loadStateDict(hostile))).toBeInstanceOf(BusyError);
      const match = (): boolean => {
        deed(optimizer, runtime);
        return true;
      };
      expect(
        caught(() => optimizer.addParamGroup({ params: { u: { shape: [1] } }, match })),
      ).toBeInstanceOf(BusyError);
      expect(stateOf(optimizer, runtime)).toBe(before);

      let refusal: unknown;
      const lr = Object.assign(() => 0.5, {
        stateDict: () => ({ deed: String(deed(optimizer, runtime)) }),
        loadStateDict: () => {
          refusal = caught(() => deed(optimizer, runtime));
          throw refusal;
        },
      });
      optimizer.paramGroups[0].lr = lr;
      expect(caught(() => optimizer.stateDict())).toBeInstanceOf(BusyError);
      const stateful = {
        ...dict,
        groups: [{ ...dict.groups[0]!, lr: null, schedule: { config: null, state: { deed: '' } } }],
      };
      lr.stateDict = () => ({ deed: '' });
      const error = caught(() => optimizer.loadStateDict(stateful));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ argument: 'stateDict.groups[0].schedule.state' });
      expect(refusal).toBeInstanceOf(BusyError);
      expect((error as Error).message).toContain((refusal as Error).message);
      optimizer.paramGroups[0].lr = 0.5;
      expect(stateOf(optimizer, runtime)).toBe(before);
    });
  });
});

describe('callbacks', () => {
  it('may look at whatever they like', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer: Optimizer = new AdaL(
        runtime,
        { w: ones() },
        {
          lr: () =>
            0.01 * (optimizer.params.w[0] + optimizer.grads.w[0] + optimizer.stateDict().step),
        },
      );
      optimizer.grads.w.fill(2);
      const { grads } = optimizer; // whose getters are the optimizer's own
      expect(optimizer.step(grads)).toMatchObject({ step: 1, gradNorm: 32 });
    });
  });

  it('that freeze a group have their way in the next step', async () => {
    await withRuntime(simd, (runtime) => {
      const groups = [
        {
          params: { a: ones() },
          lr: () => {
            optimizer.paramGroups[1].frozen = true;
            return 0.1;
          },
        },
        { params: { b: ones() }, lr: 0.1 },
      ];
      const optimizer: Optimizer = new SGD(runtime, groups as never);
      const grads = { a: ones(), b: ones() };
      optimizer.step(grads);
      expect([optimizer.params.a[0], optimizer.params.b[0]]).toEqual([
        Math.fround(0.9),
        Math.fround(0.9),
      ]);
      optimizer.step(grads);
      expect(optimizer.params.b[0]).toBe(Math.fround(0.9));
    });
  });

  it('that transfer the gradients away make the step refuse', async () => {
    await withRuntime(simd, (runtime) => {
      const w = ones();
      const optimizer = new SGD(
        runtime,
        { w: ones() },
        {
          lr: () => {
            structuredClone(w.buffer, { transfer: [w.buffer] });
            return 0.1;
          },
        },
      );
      expect(caught(() => optimizer.step({ w }))).toBeInstanceOf(ArgumentError);
      expect(optimizer.stepCount).toBe(0);
      expect([...optimizer.grads.w]).toEqual(Array(16).fill(0));
    });
  });

  it('cannot pass off other kinds of arrays as gradients', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: ones() });
      const long = Object.defineProperty(new Float32Array(40), 'length', { value: 16 });
      const fake = {
        [Symbol.toStringTag]: 'Float32Array',
        length: 16,
        buffer: new ArrayBuffer(64),
      };
      for (const w of [long, fake, null, undefined, 5]) {
        expect(
          caught(() => optimizer.step({ w } as never)),
          String(w),
        ).toBeInstanceOf(ArgumentError);
      }
      let reads = 0;
      const changing = {
        get w() {
          return reads++ === 0 ? ones() : new Float32Array(3);
        },
      };
      expect(caught(() => optimizer.step(changing))).toBeInstanceOf(ArgumentError);
      expect(optimizer.stepCount).toBe(0);
    });
  });

  it('that give other options when asked again are asked once', async () => {
    await withRuntime(simd, (runtime) => {
      const once = <T>(good: T, bad: unknown) => {
        let reads = 0;
        return { enumerable: true, get: () => (reads++ === 0 ? good : bad) };
      };
      const clip = Object.defineProperties(
        {},
        { max: once(1, Number.NaN), norm: once('l1', 'l7') },
      );
      const options = Object.defineProperties(
        {},
        { lr: once(0.1, Number.NaN), clipGradNorm: once(clip, 'x') },
      );
      const shape = [16];
      const given = Object.defineProperties(
        {},
        {
          w: once({ shape, data: ones() }, null),
          u: {
            enumerable: true,
            get() {
              shape[0] = 1e6;
              return ones();
            },
          },
        },
      );
      const optimizer = new SGD(runtime, given as never, options);
      expect(optimizer.params.w.length).toBe(16);
      expect(optimizer.stateDict().options.clipGradNorm).toEqual({
        max: 1,
        norm: 'l1',
        scope: 'global',
      });
      expect(optimizer.paramGroups[0].lr).toBe(0.1);
    });
  });
});

describe('stepInto', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['a frozen object', Object.freeze(emptyResult())],
    [
      'an object with a field that cannot be set',
      Object.defineProperty(emptyResult(), 'reason', { value: null, writable: false }),
    ],
  ])('refuses %s before it steps', async (_, result) => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: ones() });
      optimizer.grads.w.fill(1);
      const error = caught(() => optimizer.stepInto(result as never));
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toContain('"result"');
      expect(optimizer.stepCount).toBe(0);
      expect(optimizer.params.w[0]).toBe(1);
    });
  });

  it('has counted its step before setters of the result run', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: ones() });
      let writes = 0;
      const result = Object.defineProperty(emptyResult(), 'gradNorm', {
        get: () => 0,
        set() {
          if (writes++ > 0) throw new RangeError('too late');
        },
      });
      expect(caught(() => optimizer.stepInto(result))).toBeInstanceOf(RangeError);
      expect(optimizer.stepCount).toBe(1);
      expect(optimizer.stateDict().state.w!.step).toBe(1);
    });
  });
});
