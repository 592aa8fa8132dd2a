/** The public face: names, views, options, errors, lifetimes. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AdaL,
  type AdaLOptions,
  AdalError,
  ArgumentError,
  BusyError,
  createOptimizer,
  createRuntime,
  DisposedError,
  emptyResult,
  Optimizer,
  OutOfMemoryError,
  type ParamsInit,
  practical,
  type Runtime,
} from '../../src/index';
import { Parameter } from '../../src/tensors/parameter';
import { BACKENDS, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';

const two = () => ({ w: new Float32Array([1, 2, 3]), b: { shape: [2, 2] } });
const anyOf = (value: unknown) => value as never;

function caught(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The error names the argument, what was expected, and what came. */
function expectArgumentError(body: () => unknown, argument: string, ...parts: string[]): void {
  const error = caught(body);
  expect(error, `no ArgumentError about ${argument}`).toBeInstanceOf(ArgumentError);
  expect(error).toBeInstanceOf(AdalError);
  expect(error).toMatchObject({ argument, code: 'ERR_ARGUMENT', name: 'ArgumentError' });
  const { message } = error as ArgumentError;
  expect(message.startsWith(`"${argument}" expected `), message).toBe(true);
  expect(message).toContain(', got ');
  for (const part of parts) expect(message).toContain(part);
}

/** A Float32Array whose buffer has been given away. */
function detached(length: number): Float32Array {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

describe.each(BACKENDS)('names on $name', (backend) => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', ' ', 'a/b', 'a.b', 'ünïcode', '🦊', '\u0000', '0'];

  it('are any strings', async () => {
    await withRuntime(backend, (runtime) => {
      const init = (value: number) =>
        JSON.parse(`{${NAMES.map((name) => `${JSON.stringify(name)}:0`)}}`, (key, x) => {
          return key === '' && typeof x === 'object' ? x : x === 0 ? new Float32Array([value, value]) : x;
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
      for (const [i, name] of NAMES.entries()) expect(optimizer.params[name][1]).toBeCloseTo(i + 1 + (i % 2 ? -0.1 : 0.1), 5);
      const given = init(1);
      expect(Object.keys(given).sort()).toEqual([...NAMES].sort());
      expect(optimizer.step(given)).toMatchObject({ step: 2, gradNorm: 2 * NAMES.length });
      const dict = optimizer.stateDict();
      expect(Object.keys(dict.params).sort()).toEqual([...NAMES].sort());
      const other = new AdaL(runtime, params, { decay: 'none' });
      other.loadStateDict(dict);
      expect(snapshot(other)).toEqual(snapshot(optimizer));
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      expect(caught(() => optimizer.step({ ...given, valueOf: new Float32Array(2) }))).toMatchObject({
        argument: 'grads.valueOf',
      });
    });
  });

  it('must be their own: nothing is read from prototypes', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, { w: new Float32Array(1), toString: new Float32Array(2) } as unknown as ParamsInit);
      expectArgumentError(() => optimizer.step({ w: new Float32Array(1) }), 'grads.toString', 'nothing');
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
      expect(caught(() => w.value.data.length)).toBeUndefined();
    });
  });
});

describe('wrong arguments', () => {
  let runtime: Runtime;
  beforeEach(async () => {
    runtime = await createRuntime(simd.options);
  });
  afterEach(() => {
    runtime.dispose();
  });

  const PARAMS: [string, unknown, string, string][] = [
    ['nothing', undefined, 'params', 'undefined'],
    ['null', null, 'params', 'null'],
    ['a number', 7, 'params', '7'],
    ['an array itself', new Float32Array(3), 'params', 'Float32Array(3)'],
    ['no parameter', {}, 'params', 'an object'],
    ['no group', [], 'params', '[]'],
    ['a group without parameters', [{ params: {} }], 'params.params', 'an object'],
    ['a group that is none', [7], 'params', '7'],
    ['an unknown option of a group', [{ params: two(), momentum: 1 }], 'params.momentum', 'unknown option'],
    ['a Float64Array', { w: new Float64Array(3) }, 'params.w', 'Float64Array(3)'],
    ['an Int32Array', { w: new Int32Array(3) }, 'params.w', 'Int32Array(3)'],
    ['a DataView', { w: new DataView(new ArrayBuffer(8)) }, 'params.w', 'DataView'],
    ['a plain array', { w: [1, 2, 3] }, 'params.w', '[1, 2, 3]'],
    ['a number as parameter', { w: 3 }, 'params.w', '3'],
    ['a string as parameter', { w: 'x' }, 'params.w', '"x"'],
    ['null as parameter', { w: null }, 'params.w', 'null'],
    ['an empty array', { w: new Float32Array(0) }, 'params.w', 'Float32Array(0)'],
    ['no shape', { w: { data: new Float32Array(3) } }, 'params.w', 'an object'],
    ['a shape that is a number', { w: { shape: 3 } }, 'params.w.shape', '3'],
    ['a zero in the shape', { w: { shape: [3, 0] } }, 'params.w.shape', '[3, 0]'],
    ['a negative size', { w: { shape: [-3] } }, 'params.w.shape', '[-3]'],
    ['a fraction in the shape', { w: { shape: [1.5] } }, 'params.w.shape', '[1.5]'],
    ['NaN in the shape', { w: { shape: [Number.NaN] } }, 'params.w.shape', '[NaN]'],
    ['too many elements', { w: { shape: [2 ** 20, 2 ** 20] } }, 'params.w.shape', '1048576'],
    ['too few values', { w: { shape: [2, 3], data: new Float32Array(5) } }, 'params.w.data', 'Float32Array(5)'],
    ['values of another type', { w: { shape: [2], data: [1, 2] } }, 'params.w.data', '[1, 2]'],
    ['a detached buffer', { w: detached(3) }, 'params.w', 'detached'],
    ['values in a detached buffer', { w: { shape: [3], data: detached(3) } }, 'params.w.data', 'detached'],
    ['a shared buffer', { w: new Float32Array(new SharedArrayBuffer(12)) }, 'params.w', 'SharedArrayBuffer'],
    [
      'the same name in two groups',
      [{ params: two() }, { params: { b: new Float32Array(1) } }],
      'params[1].params.b',
      '"b" again',
    ],
    ['a frozen that is no boolean', [{ params: two(), frozen: 1 }], 'frozen', '1'],
  ];

  it.each(PARAMS)('params: %s', (_, params, argument, got) => {
    const { usedBytes } = runtime.info;
    expectArgumentError(() => new AdaL(runtime, anyOf(params)), argument, got);
    expect(runtime.info.usedBytes, 'nothing stays allocated').toBe(usedBytes);
  });

  const OPTIONS: [string, unknown, string, string][] = [
    ['null', null, 'options', 'null'],
    ['an array', [], 'options', '[]'],
    ['an unknown option', { learningRate: 1 }, 'options.learningRate', 'unknown option'],
    ['a NaN lr', { lr: Number.NaN }, 'lr', 'NaN'],
    ['a negative lr', { lr: -1 }, 'lr', '-1'],
    ['an infinite lr', { lr: Infinity }, 'lr', 'Infinity'],
    ['a string as lr', { lr: '0.1' }, 'lr', '"0.1"'],
    ['one beta', { betas: [0.9] }, 'betas', '[0.9]'],
    ['betas as object', { betas: { 0: 0.9, 1: 0.99 } }, 'betas', 'an object'],
    ['a NaN β1', { betas: [Number.NaN, 0.999] }, 'betas[0]', 'NaN'],
    ['β1 = 1', { betas: [1, 0.999] }, 'betas[0]', '1'],
    ['a negative β1', { betas: [-0.1, 0.999] }, 'betas[0]', '-0.1'],
    ['β2 = 1', { betas: [0.9, 1] }, 'betas[1]', '1'],
    ['β2 above 1 - 1e-4', { betas: [0.9, 0.99995] }, 'betas[1]', '0.99995'],
    ['β2 = β1²', { betas: [0.5, 0.25] }, 'betas[1]', '0.25'],
    ['β2 below β1²', { betas: [0.9, 0.8] }, 'betas[1]', '0.8'],
    ['a NaN eps', { eps: Number.NaN }, 'eps', 'NaN'],
    ['a negative eps', { eps: -1e-8 }, 'eps', '-1e-8'],
    ['an infinite eps', { eps: Infinity }, 'eps', 'Infinity'],
    ['a negative weightDecay', { weightDecay: -0.1 }, 'weightDecay', '-0.1'],
    ['a NaN weightDecay', { weightDecay: Number.NaN }, 'weightDecay', 'NaN'],
    ['an unknown decay', { decay: 'cosine' }, 'decay', '"cosine"'],
    ['an unknown normScope', { normScope: 'layer' }, 'normScope', '"layer"'],
    ['an unknown onNonFinite', { onNonFinite: 'repair' }, 'onNonFinite', '"repair"'],
    ['a bigint', { eps: 1n }, 'eps', '1n'],
    ['null as lr', { lr: null }, 'lr', 'null'],
  ];

  it.each(OPTIONS)('options: %s', (_, options, argument, got) => {
    const { usedBytes } = runtime.info;
    expectArgumentError(() => new AdaL(runtime, two(), anyOf(options)), argument, got);
    expect(runtime.info.usedBytes).toBe(usedBytes);
  });

  it('hyperparameters of groups are named with their group', () => {
    const groups = (second: object): ParamsInit => [
      { params: { a: new Float32Array(1) } },
      { params: { b: new Float32Array(1) }, ...second },
    ];
    expectArgumentError(() => new AdaL(runtime, groups({ lr: -1 })), 'lr (group 1)', '-1');
    expectArgumentError(() => new AdaL(runtime, groups({ betas: [0.9, 1] })), 'betas[1] (group 1)', '1');
    expectArgumentError(() => new AdaL(runtime, groups({ eps: Number.NaN })), 'eps (group 1)', 'NaN');
    expectArgumentError(() => new AdaL(runtime, groups({ weightDecay: 'x' })), 'weightDecay (group 1)', '"x"');
  });

  it('limits themselves are accepted', () => {
    for (const options of [
      { lr: 0 },
      { betas: [0, 1e-3] },
      { betas: [0.9, 1 - 1e-4] },
      { betas: [0.9, 0.8100000001] },
      { eps: 0, weightDecay: 0 },
    ] as AdaLOptions[]) {
      expect(new AdaL(runtime, two(), options).step().skipped).toBe(false);
    }
  });

  const GRADS: [string, unknown, string, string][] = [
    ['null', null, 'grads', 'null'],
    ['a number', 3, 'grads', '3'],
    ['a wrong length', { w: new Float32Array(4), b: new Float32Array(4) }, 'grads.w', 'Float32Array(4)'],
    ['a Float64Array', { w: new Float64Array(3), b: new Float32Array(4) }, 'grads.w', 'Float64Array(3)'],
    ['a plain array', { w: [1, 2, 3], b: new Float32Array(4) }, 'grads.w', '[1, 2, 3]'],
    ['a number as gradient', { w: new Float32Array(3), b: 1 }, 'grads.b', '1'],
    ['undefined as gradient', { w: new Float32Array(3), b: undefined }, 'grads.b', 'undefined'],
    ['a shape object', { w: new Float32Array(3), b: { shape: [2, 2] } }, 'grads.b', 'an object'],
    ['a detached buffer', { w: detached(3), b: new Float32Array(4) }, 'grads.w', 'detached'],
    [
      'a shared buffer',
      { w: new Float32Array(new SharedArrayBuffer(12)), b: new Float32Array(4) },
      'grads.w',
      'SharedArrayBuffer',
    ],
    ['an unknown name', { w: new Float32Array(3), b: new Float32Array(4), c: new Float32Array(1) }, 'grads.c', 'unknown name'],
    ['a missing name', { w: new Float32Array(3) }, 'grads.b', 'nothing'],
  ];

  it.each(GRADS)('grads: %s', async (_, grads, argument, got) => {
    const optimizer = new AdaL(runtime, two());
    optimizer.grads.w.fill(5);
    const before = snapshot(optimizer);
    expectArgumentError(() => optimizer.step(anyOf(grads)), argument, got);
    await expect(optimizer.stepAsync(anyOf(grads))).rejects.toMatchObject({ argument });
    expect(snapshot(optimizer)).toEqual(before);
    expect([...optimizer.grads.w]).toEqual([5, 5, 5]);
    expect(optimizer.step().step).toBe(1);
  });

  it('settings of a group are checked when they are made', () => {
    const [group] = new AdaL(runtime, two()).paramGroups;
    expectArgumentError(() => (group.lr = Number.NaN), 'lr', 'NaN');
    expectArgumentError(() => (group.weightDecay = -1), 'weightDecay', '-1');
    expectArgumentError(() => (group.frozen = anyOf('yes')), 'frozen', '"yes"');
    expect(group).toMatchObject({ lr: 1e-2, weightDecay: 0, frozen: false, betas: [0.9, 0.999], eps: 1e-8 });
    expect(() => Object.assign(group.betas, [0, 0])).toThrow(TypeError);
  });

  it("another runtime's Parameter", async () => {
    await withRuntime(simd, (other) => {
      expectArgumentError(() => new AdaL(runtime, { w: new Parameter(other, [3]) }), 'params.w', 'another');
    });
  });

  it("the caller's options and arrays are left alone", () => {
    const options = Object.freeze({ lr: 0.1, betas: Object.freeze([0.9, 0.99] as const) });
    const w = new Float32Array([1, 2]);
    const optimizer = new AdaL(runtime, Object.freeze({ w }), options);
    optimizer.step({ w: new Float32Array([1, 1]) });
    expect([...w]).toEqual([1, 2]);
    expect(options).toEqual({ lr: 0.1, betas: [0.9, 0.99] });
  });

  it('createOptimizer', async () => {
    await expect(createOptimizer(anyOf('toString'), two())).rejects.toMatchObject({ argument: 'name' });
    await expect(createOptimizer(anyOf('adam2'), two())).rejects.toThrow('"name" expected one of adal');
    await expect(createOptimizer('adal', two(), anyOf(null))).rejects.toMatchObject({ argument: 'options' });
    await expect(createOptimizer('adal', two(), { runtime: anyOf({}) })).rejects.toMatchObject({ argument: 'runtime' });
    await expect(createOptimizer('adal', two(), { lr: -1 })).rejects.toMatchObject({ argument: 'lr' });
    await expect(createOptimizer('adal', anyOf(null))).rejects.toMatchObject({ argument: 'params' });
    await expect(createOptimizer('adal', anyOf([null]))).rejects.toMatchObject({ argument: 'params' });
  });
});

describe('learning rates', () => {
  it('a function gets steps from 1 on, once a step, and accepted steps only', async () => {
    await withRuntime(simd, (runtime) => {
      const seen: number[] = [];
      const lr = (step: number) => {
        seen.push(step);
        return 0.1 / step;
      };
      const optimizer = new AdaL(runtime, { w: new Float32Array(1) }, { lr, decay: 'none', eps: 0, onNonFinite: 'skip' });
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

  it('weight decay is decoupled: θ ← θ·(1 - a·λ), also where the gradient is 0', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(runtime, { w: new Float32Array([8]) }, { lr: 0.5, decay: 'none', weightDecay: 0.5 });
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
      const optimizer = new AdaL(runtime, { w: new Float32Array([1, -1]) }, practical({ totalSteps: 300 }));
      for (let t = 0; t < 300; t++) optimizer.step({ w: optimizer.params.w });
      expect(Math.max(...optimizer.params.w.map(Math.abs))).toBeLessThan(0.1);
    });
  });
});

describe.each(BACKENDS)('lifetimes on $name', (backend) => {
  it('a disposed optimizer says so, and gives all memory back', async () => {
    await withRuntime(backend, async (runtime) => {
      const { usedBytes } = runtime.info;
      const optimizer = new AdaL(runtime, two());
      const dict = optimizer.stateDict();
      expect(runtime.info.usedBytes).toBeGreaterThan(usedBytes);
      optimizer.dispose();
      optimizer.dispose();
      expect(runtime.info.usedBytes).toBe(usedBytes);
      for (const use of [
        () => optimizer.step(),
        () => optimizer.stepInto(emptyResult()),
        () => optimizer.params.w,
        () => optimizer.grads.b,
        () => optimizer.zeroGrad(),
        () => optimizer.stateDict(),
        () => optimizer.loadStateDict(dict),
        () => optimizer.addParamGroup({ params: { c: new Float32Array(1) } }),
      ]) {
        const error = caught(use);
        expect(error).toBeInstanceOf(DisposedError);
        expect(error).toMatchObject({ code: 'ERR_DISPOSED', message: "optimizer 'adal' was used after dispose()" });
      }
      await expect(optimizer.stepAsync()).rejects.toBeInstanceOf(DisposedError);
    });
  });

  it('a disposed runtime ends what lives in it', async () => {
    const runtime = await createRuntime(backend.options);
    const optimizer = new AdaL(runtime, two());
    runtime.dispose();
    runtime.dispose();
    expect(runtime.disposed).toBe(true);
    expect(() => optimizer.step()).toThrow(DisposedError);
    expect(() => optimizer.params.w).toThrow(DisposedError);
    expect(() => new AdaL(runtime, two())).toThrow(DisposedError);
    optimizer.dispose();
  });

  it('while stepAsync is under way everything else is busy', async () => {
    await withRuntime(backend, async (runtime) => {
      const optimizer = new AdaL(runtime, { w: { shape: [300_000] } });
      const neighbour = new AdaL(runtime, two());
      optimizer.grads.w.fill(1);
      const dict = optimizer.stateDict();
      const straight = snapshot(optimizer);
      const promise = optimizer.stepAsync();
      for (const use of [
        () => optimizer.step(),
        () => optimizer.params.w,
        () => optimizer.grads.w,
        () => optimizer.dispose(),
        () => optimizer.zeroGrad(),
        () => optimizer.stateDict(),
        () => optimizer.loadStateDict(dict),
        () => optimizer.addParamGroup({ params: { c: new Float32Array(1) } }),
        () => neighbour.step(),
        () => neighbour.params.w,
        () => neighbour.dispose(),
        () => new AdaL(runtime, two()),
        () => runtime.dispose(),
      ]) {
        const error = caught(use);
        expect(error, String(use)).toBeInstanceOf(BusyError);
        expect(error).toMatchObject({ code: 'ERR_BUSY' });
      }
      await expect(optimizer.stepAsync()).rejects.toBeInstanceOf(BusyError);
      expect(await promise).toMatchObject({ step: 1, skipped: false, gradNorm: 300_000 });
      expect(snapshot(optimizer)).not.toEqual(straight);
      expect(optimizer.step()).toMatchObject({ step: 2 });
      expect(neighbour.step().step).toBe(1);
    });
  });

  it('too little memory: the error names bytes wanted and available, and nothing leaks', async () => {
    const maxMemory = 20 * 65_536;
    await withRuntime({ ...backend, options: { ...backend.options, maxMemory } }, (runtime) => {
      expect(runtime.info.maxMemoryBytes).toBe(maxMemory);
      const kept = new AdaL(runtime, { w: { shape: [1000] } });
      fillRough(kept, 1);
      kept.step();
      const before = snapshot(kept);
      const { usedBytes } = runtime.info;
      // 4 arrays of n floats: fails at the parameter, the gradient, and each state array in turn.
      for (const n of [400_000, 250_000, 150_000, 90_000, 82_000]) {
        const error = caught(() => new AdaL(runtime, { small: new Float32Array(5), w: { shape: [n] } }));
        expect(error, String(n)).toBeInstanceOf(OutOfMemoryError);
        const { wanted, available, message, code } = error as OutOfMemoryError;
        expect(code).toBe('ERR_OUT_OF_MEMORY');
        expect(wanted).toBe(4 * n);
        expect(available).toBeLessThan(wanted);
        expect(available).toBeGreaterThanOrEqual(0);
        for (const bytes of [wanted, available, maxMemory]) expect(message).toContain(`${bytes}`);
        expect(runtime.info.usedBytes).toBe(usedBytes);
        const add = () => kept.addParamGroup({ params: { more: { shape: [n] } } });
        expect(caught(add)).toBeInstanceOf(OutOfMemoryError);
        expect(runtime.info.usedBytes).toBe(usedBytes);
        expect(Object.keys(kept.params)).toEqual(['w']);
      }
      expect(snapshot(kept)).toEqual(before);
      expect(kept.step().step).toBe(2);
      expect(new AdaL(runtime, { w: { shape: [70_000] } }).step().skipped).toBe(false);
    });
  });
});

describe('createOptimizer', () => {
  it('without a runtime makes its own, which ends with it', async () => {
    const optimizer = await createOptimizer('adal', two(), { lr: 0.1 });
    const { runtime } = optimizer;
    expect(optimizer).toBeInstanceOf(AdaL);
    expect(optimizer).toBeInstanceOf(Optimizer);
    expect(optimizer.name).toBe('adal');
    expect(runtime.info).toMatchObject({ backend: 'simd', threads: 1 });
    expect(runtime.info.threadsReason).toContain('7 parameters');
    optimizer.step({ w: new Float32Array(3), b: new Float32Array(4) });
    optimizer.dispose();
    expect(runtime.disposed).toBe(true);
  });

  it('with a runtime leaves it alive', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await createOptimizer('adal', two(), { runtime });
      expect(optimizer.runtime).toBe(runtime);
      optimizer.dispose();
      expect(runtime.disposed).toBe(false);
    });
  });

  it('takes param groups', async () => {
    const optimizer = await createOptimizer('adal', [{ params: two() }, { params: { c: { shape: [] } }, lr: 0.5 }]);
    expect(optimizer.paramGroups.map(({ index, params, lr }) => ({ index, params, lr }))).toEqual([
      { index: 0, params: ['w', 'b'], lr: 1e-2 },
      { index: 1, params: ['c'], lr: 0.5 },
    ]);
    expect(optimizer.params.c.length, 'a scalar').toBe(1);
    optimizer.dispose();
  });
});

describe.each([oracle, simd, THREAD_CASES[1]])('addParamGroup on $name', (backend) => {
  it('goes on as if the group had been there, frozen', async () => {
    await withRuntime(backend, (runtime) => {
      const late = { c: new Float32Array([5, 6, 7]) };
      const grown = new AdaL(runtime, two());
      const whole = new AdaL(runtime, [{ params: two() }, { params: late, lr: 0.5, frozen: true }]);
      for (let t = 1; t <= 5; t++) {
        for (const optimizer of [grown, whole]) {
          fillRough(optimizer, t);
          optimizer.step();
        }
      }
      const { w } = grown.params;
      const group = grown.addParamGroup({ params: late, lr: 0.5 });
      expect(group).toBe(grown.paramGroups[1]);
      expect(group.index).toBe(1);
      whole.paramGroups[1].frozen = false;
      expect([...grown.params.w]).toEqual([...w]);
      for (let t = 6; t <= 20; t++) {
        for (const optimizer of [grown, whole]) {
          fillRough(optimizer, t);
          optimizer.step();
        }
      }
      expect(snapshot(grown)).toEqual(snapshot(whole));
      expect(grown.stateDict().state.c.step).toBe(15);
    });
  });

  it('refuses what does not fit and changes nothing', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, two());
      fillRough(optimizer, 1);
      optimizer.step();
      const before = snapshot(optimizer);
      const { usedBytes } = runtime.info;
      const add = (group: unknown) => () => optimizer.addParamGroup(anyOf(group));
      expectArgumentError(add({ params: { w: new Float32Array(3) } }), 'paramGroups[1].params.w', '"w" again');
      expectArgumentError(add({ params: { c: new Float64Array(3) } }), 'params.c', 'Float64Array(3)');
      expectArgumentError(add({ params: { c: new Float32Array(3) }, lr: -1 }), 'lr', '-1');
      expectArgumentError(add({ params: {} }), 'paramGroups[1].params', 'an object');
      expectArgumentError(add({}), 'paramGroups[1].params', 'undefined');
      expectArgumentError(add(undefined), 'paramGroups[1]', 'undefined');
      expect(snapshot(optimizer)).toEqual(before);
      expect(runtime.info.usedBytes).toBe(usedBytes);
      expect(optimizer.paramGroups.length).toBe(1);
      expect(optimizer.step().step).toBe(2);
    });
  });
});

describe.each([oracle, simd, THREAD_CASES[1]])('state dicts on $name', (backend) => {
  const GROUPS: ParamsInit = [
    { params: { w: new Float32Array([1, 2, 3]), big: { shape: [100, 90] } }, weightDecay: 0.1 },
    { params: { b: { shape: [2, 2] } }, lr: (step) => 0.1 / step },
    { params: { ice: { shape: [7] } }, frozen: true },
  ];

  function train(optimizer: Optimizer, from: number, to: number): void {
    for (let t = from; t <= to; t++) {
      fillRough(optimizer, t, 2 ** (t % 5));
      optimizer.step();
    }
  }

  it('resume equals uninterrupted bit for bit, at any step and on any backend', async () => {
    await withRuntime(backend, async (runtime) => {
      const uninterrupted = new AdaL(runtime, GROUPS);
      train(uninterrupted, 1, 40);
      for (const at of [0, 1, 15, 16, 17]) {
        const first = new AdaL(runtime, GROUPS);
        train(first, 1, at);
        const dict = structuredClone(first.stateDict());
        train(first, at + 1, at + 3);
        await withRuntime(simd, (other) => {
          const resumed = new AdaL(other, GROUPS);
          train(resumed, 100, 103);
          resumed.loadStateDict(dict);
          expect(resumed.stepCount).toBe(at);
          train(resumed, at + 1, 40);
          expect(snapshot(resumed)).toEqual(snapshot(uninterrupted));
        });
        first.loadStateDict(dict);
        train(first, at + 1, 40);
        expect(snapshot(first)).toEqual(snapshot(uninterrupted));
        first.dispose();
      }
    });
  });

  it('are copies, and hold hyperparameters', async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, GROUPS);
      train(optimizer, 1, 3);
      const dict = optimizer.stateDict();
      const before = structuredClone(dict);
      train(optimizer, 4, 6);
      expect(dict).toEqual(before);
      expect(dict).toMatchObject({ version: 1, algorithm: 'adal', step: 3 });
      expect(dict.groups.map(({ lr, frozen }) => ({ lr, frozen }))).toEqual([
        { lr: 0.01, frozen: false },
        { lr: null, frozen: false },
        { lr: 0.01, frozen: true },
      ]);
      dict.groups[0].lr = 0.25;
      dict.groups[2].frozen = false;
      optimizer.loadStateDict(dict);
      expect(optimizer.paramGroups[0].lr).toBe(0.25);
      expect(typeof optimizer.paramGroups[1].lr).toBe('function');
      expect(optimizer.paramGroups[2].frozen).toBe(false);
      train(optimizer, 4, 4);
      expect(optimizer.stateDict().state.ice.step).toBe(1);
    });
  });

  type Dict = ReturnType<Optimizer['stateDict']>;
  const MALFORMED: [string, (dict: Dict) => unknown, string][] = [
    ['null', () => null, 'stateDict'],
    ['a number', () => 7, 'stateDict'],
    ['another version', (dict) => ({ ...dict, version: 2 }), 'stateDict.version'],
    ['another algorithm', (dict) => ({ ...dict, algorithm: 'adam' }), 'stateDict.algorithm'],
    ['a negative step', (dict) => ({ ...dict, step: -1 }), 'stateDict.step'],
    ['no groups', (dict) => ({ ...dict, groups: undefined }), 'stateDict.groups'],
    ['too few groups', (dict) => ({ ...dict, groups: dict.groups.slice(1) }), 'stateDict.groups'],
    ['groups in another order', (dict) => ({ ...dict, groups: [...dict.groups].reverse() }), 'stateDict.groups[0].params'],
    [
      'a null group',
      (dict) => {
        dict.groups[1] = anyOf(null);
      },
      'stateDict.groups[1].params',
    ],
    [
      'a NaN lr',
      (dict) => {
        dict.groups[1].lr = Number.NaN;
      },
      'stateDict.groups[1].lr',
    ],
    [
      'betas out of range',
      (dict) => {
        dict.groups[0].betas = [0.9, 1];
      },
      'stateDict.groups[0].betas[1]',
    ],
    [
      'β2 below β1²',
      (dict) => {
        dict.groups[0].betas = [0.9, 0.5];
      },
      'betas[1] (stateDict.groups[0])',
    ],
    [
      'a negative eps',
      (dict) => {
        dict.groups[0].eps = -1;
      },
      'stateDict.groups[0].eps',
    ],
    [
      'a NaN weightDecay',
      (dict) => {
        dict.groups[2].weightDecay = Number.NaN;
      },
      'stateDict.groups[2].weightDecay',
    ],
    [
      'frozen missing',
      (dict) => {
        dict.groups[2].frozen = anyOf(undefined);
      },
      'stateDict.groups[2].frozen',
    ],
    ['no params', (dict) => ({ ...dict, params: null }), 'stateDict.params'],
    [
      'a parameter missing',
      (dict) => {
        delete dict.params.b;
      },
      'stateDict.params.b',
    ],
    [
      'a parameter too many',
      (dict) => {
        dict.params.x = dict.params.b;
      },
      'stateDict.params.x',
    ],
    [
      'a null parameter',
      (dict) => {
        dict.params.b = anyOf(null);
      },
      'stateDict.params.b.shape',
    ],
    [
      'another shape',
      (dict) => {
        dict.params.b = { ...dict.params.b, shape: [4] };
      },
      'stateDict.params.b.shape',
    ],
    [
      'another length',
      (dict) => {
        dict.params.b.data = new Float32Array(3);
      },
      'stateDict.params.b.data',
    ],
    [
      'a plain array',
      (dict) => {
        dict.params.b.data = anyOf([1, 2, 3, 4]);
      },
      'stateDict.params.b.data',
    ],
    [
      'a detached array',
      (dict) => {
        dict.params.b.data = detached(4);
      },
      'stateDict.params.b.data',
    ],
    [
      'a state missing',
      (dict) => {
        delete dict.state.ice;
      },
      'stateDict.state.ice',
    ],
    [
      'a null state',
      (dict) => {
        dict.state.ice = anyOf(null);
      },
      'stateDict.state.ice',
    ],
    [
      'a broken step of a tensor',
      (dict) => {
        dict.state.ice.step = 0.5;
      },
      'stateDict.state.ice.step',
    ],
    [
      'a huge exponent',
      (dict) => {
        dict.state.ice.exponent = 1e6;
      },
      'stateDict.state.ice.exponent',
    ],
    [
      'a NaN V',
      (dict) => {
        dict.state.ice.V = Number.NaN;
      },
      'stateDict.state.ice.V',
    ],
    [
      'β1^t above 1',
      (dict) => {
        dict.state.ice.beta1Power = 2;
      },
      'stateDict.state.ice.beta1Power',
    ],
    [
      'β2^t missing',
      (dict) => {
        dict.state.ice.beta2Power = anyOf(undefined);
      },
      'stateDict.state.ice.beta2Power',
    ],
    [
      'no arrays',
      (dict) => {
        dict.state.ice.arrays = anyOf(undefined);
      },
      'stateDict.state.ice.arrays.m',
    ],
    [
      'an array missing',
      (dict) => {
        delete dict.state.ice.arrays.v;
      },
      'stateDict.state.ice.arrays.v',
    ],
    [
      'an array too short',
      (dict) => {
        dict.state.ice.arrays.v = new Float32Array(6);
      },
      'stateDict.state.ice.arrays.v',
    ],
  ];

  it('malformed ones change nothing and name the key', async () => {
    await withRuntime(backend, (runtime) => {
      const donor = new AdaL(runtime, GROUPS);
      train(donor, 50, 55);
      const optimizer = new AdaL(runtime, GROUPS);
      train(optimizer, 1, 5);
      const before = snapshot(optimizer);
      for (const [what, spoil, argument] of MALFORMED) {
        const dict = donor.stateDict();
        const replaced = spoil(dict);
        const error = caught(() => optimizer.loadStateDict(anyOf(replaced === undefined ? dict : replaced)));
        expect(error, what).toBeInstanceOf(ArgumentError);
        expect(error, what).toMatchObject({ argument });
        expect(snapshot(optimizer), what).toEqual(before);
      }
      donor.loadStateDict(optimizer.stateDict());
      expect(snapshot(donor)).toEqual(before);
    });
  });

  it("under normScope 'global' differing betas in a dict are refused", async () => {
    await withRuntime(backend, (runtime) => {
      const optimizer = new AdaL(runtime, GROUPS, { normScope: 'global' });
      train(optimizer, 1, 3);
      const before = snapshot(optimizer);
      const dict = optimizer.stateDict();
      dict.groups[1].betas = [0.8, 0.9];
      expect(caught(() => optimizer.loadStateDict(dict))).toBeInstanceOf(ArgumentError);
      expect(snapshot(optimizer)).toEqual(before);
    });
  });
});

// On the package as shipped, since test runners rewrite modules; `npm test` builds it first.
const PACKAGE = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

describe('stepInto', () => {
  it.each([
    ['simd', { backend: 'simd' }, 1],
    ['one thread', { backend: 'threads', threads: 1 }, 1],
    // Where threads compete for CPUs a call back from the wait now and then costs V8 a boxed number or two.
    ['two threads', { backend: 'threads', threads: 2, parallelThreshold: 0 }, 40],
  ])('allocates nothing on %s', (_, options, limit) => {
    const script = fileURLToPath(new URL('../support/allocations.mjs', import.meta.url));
    // Whether V8 boxes a number depends on its budget for inlining; with a large one it is the code that is measured.
    const flags = ['--max-inlined-bytecode-size-cumulative=10000', '--max-inlined-bytecode-size=5000'];
    const output = execFileSync(process.execPath, [...flags, script, PACKAGE, JSON.stringify(options)], { encoding: 'utf8' });
    const bytes = JSON.parse(output);
    // The measure itself: a result object of five fields is seen.
    expect(bytes.step).toBeGreaterThan(50);
    expect(bytes.stepInto).toBeLessThan(limit);
    expect(bytes.stepIntoGiven).toBeLessThan(limit);
    for (const call of ['addInto', 'addIntoGiven', 'addIntoSum', 'update', 'stepFree'])
      expect(bytes[call], call).toBeLessThan(limit);
    expect(bytes.wasmGrowth).toBe(0);
  });
});
