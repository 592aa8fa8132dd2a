/** Names of parameters, and the live views under them. */
import { describe, expect, it } from 'vitest';
import { AdaL, DisposedError, type ParamsInit } from '../../src/index';
import { Parameter } from '../../src/tensors/parameter';
import { BACKENDS, withRuntime } from '../support/backends';
import { caught, expectArgumentError } from '../support/errors';
import { fillRough } from '../support/gradients';
import { two } from '../support/parameters';
import { snapshot } from '../support/snapshot';

describe.each(BACKENDS)('names on $name', (backend) => {
  const NAMES = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    ' ',
    'a/b',
    'a.b',
    'ünïcode',
    '🦊',
    '\u0000',
    '0',
  ];

  it('are any strings', async () => {
    await withRuntime(backend, (runtime) => {
      const init = (value: number) =>
        JSON.parse(`{${NAMES.map((name) => `${JSON.stringify(name)}:0`)}}`, (key, x) => {
          return key === '' && typeof x === 'object'
            ? x
            : x === 0
              ? new Float32Array([value, value])
              : x;
        });
      const params = Object.create(null);
      for (const [i, name] of NAMES.entries()) params[name] = new Float32Array([i + 1, i + 1]);
      const optimizer = new AdaL(runtime, params, { lr: 0.1, decay: 'none', eps: 0 });
      expect(Object.keys(optimizer.params).sort()).toEqual([...NAMES].sort());
      expect(Object.keys(optimizer.grads).sort()).toEqual([...NAMES].sort());
      for (const [i, name] of NAMES.entries()) {
        expect([...optimizer.params[name]]).toEqual([i + 1, i + 1]);
        optimizer.grads[name].fill(i % 2 ? 1 : -1);
      }
      optimizer.step();
      for (const [i, name] of NAMES.entries())
        expect(optimizer.params[name][1]).toBeCloseTo(i + 1 + (i % 2 ? -0.1 : 0.1), 5);
      const given = init(1);
      expect(Object.keys(given).sort()).toEqual([...NAMES].sort());
      expect(optimizer.step(given)).toMatchObject({ step: 2, gradNorm: 2 * NAMES.length });
      const dict = optimizer.stateDict();
      expect(Object.keys(dict.params).sort()).toEqual([...NAMES].sort());
      const other = new AdaL(runtime, params, { decay: 'none' });
      other.loadStateDict(dict);
      expect(snapshot(other)).toEqual(snapshot(optimizer));
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      expect(
        caught(() => optimizer.step({ ...given, valueOf: new Float32Array(2) })),
      ).toMatchObject({
        argument: 'grads.valueOf',
      });
    });
  });

  it('must be their own: nothing is read from prototypes', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, {
        w: new Float32Array(1),
        toString: new Float32Array(2),
      } as unknown as ParamsInit);
      expectArgumentError(
        () => optimizer.step({ w: new Float32Array(1) }),
        'grads.toString',
        'nothing',
      );
      expect(optimizer.params.constructor).toBeUndefined();
    });
  });
});

describe.each(BACKENDS)('views on $name', (backend) => {
  it('survive growth', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, two(), { eps: 0, lr: 1, decay: 'none' });
      optimizer.grads.w.set([1, -1, 2]);
      const { memoryBytes } = runtime.info;
      const big = new AdaL(runtime, { big: { shape: [1000, 1000] } });
      expect(runtime.info.memoryBytes).toBeGreaterThan(memoryBytes);
      expect([...optimizer.params.w]).toEqual([1, 2, 3]);
      expect([...optimizer.grads.w]).toEqual([1, -1, 2]);
      expect(optimizer.params.w.length).toBe(3);
      expect(optimizer.params.b.length).toBe(4);
      expect(optimizer.params.w.buffer).toBe(big.params.big.buffer);
      expect(big.params.big.length).toBe(1e6);
      optimizer.step();
      expect([...optimizer.params.w]).toEqual([0, 3, 2].map((x) => expect.closeTo(x, 5)));
      big.grads.big.fill(1);
      big.step();
      expect(big.params.big[999_999]).toBeLessThan(0);
    });
  });

  it('are live, and the same object until memory grows', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, two());
      const { w } = optimizer.params;
      expect(optimizer.params.w).toBe(w);
      w[0] = 42;
      expect(optimizer.stateDict().params.w.data[0]).toBe(42);
      optimizer.grads.w.set([1, 1, 1]);
      optimizer.step();
      expect(w[0]).toBeLessThan(42);
      optimizer.zeroGrad();
      expect([...optimizer.grads.w]).toEqual([0, 0, 0]);
      expect(() => Object.assign(optimizer.params, { w: new Float32Array(3) })).toThrow(TypeError);
    });
  });

  it('may be given as gradients or as initial values', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, two());
      fillRough(optimizer, 1);
      const copy = new AdaL(runtime, { w: optimizer.params.w, b: optimizer.params.b });
      const { w, b } = optimizer.grads;
      expect(copy.step({ w, b })).toEqual(optimizer.step());
      expect([...copy.params.w]).toEqual([...optimizer.params.w]);
    });
  });

  it("a model's Parameter is used where it lies, and outlives the optimizer", async () => {
    await withRuntime(backend, (runtime) => {
      const w = new Parameter(runtime, [3]);
      const optimizer = new AdaL(runtime, { w });
      expect(optimizer.params.w).toBe(w.value.data);
      w.grad.data.set([1, 2, 3]);
      optimizer.step();
      optimizer.dispose();
      expect(w.value.data[0]).toBeLessThan(0);
      w.dispose();
      expect(caught(() => w.value.data.length)).toBeInstanceOf(DisposedError);
    });
  });
});
