/** Wrong arguments: each is named, and nothing changes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AdaL,
  type AdaLOptions,
  createOptimizer,
  createRuntime,
  type ParamsInit,
  type Runtime,
} from '../../src/index';
import { Parameter } from '../../src/tensors/parameter';
import { simd, withRuntime } from '../support/backends';
import { anyOf, detached, expectArgumentError } from '../support/errors';
import { two } from '../support/parameters';
import { snapshot } from '../support/snapshot';

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
    [
      'an unknown option of a group',
      [{ params: two(), momentum: 1 }],
      'params.momentum',
      'unknown option',
    ],
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
    [
      'too few values',
      { w: { shape: [2, 3], data: new Float32Array(5) } },
      'params.w.data',
      'Float32Array(5)',
    ],
    ['values of another type', { w: { shape: [2], data: [1, 2] } }, 'params.w.data', '[1, 2]'],
    ['a detached buffer', { w: detached(3) }, 'params.w', 'detached'],
    [
      'values in a detached buffer',
      { w: { shape: [3], data: detached(3) } },
      'params.w.data',
      'detached',
    ],
    [
      'a shared buffer',
      { w: new Float32Array(new SharedArrayBuffer(12)) },
      'params.w',
      'SharedArrayBuffer',
    ],
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
    expectArgumentError(
      () => new AdaL(runtime, groups({ betas: [0.9, 1] })),
      'betas[1] (group 1)',
      '1',
    );
    expectArgumentError(
      () => new AdaL(runtime, groups({ eps: Number.NaN })),
      'eps (group 1)',
      'NaN',
    );
    expectArgumentError(
      () => new AdaL(runtime, groups({ weightDecay: 'x' })),
      'weightDecay (group 1)',
      '"x"',
    );
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
    [
      'a wrong length',
      { w: new Float32Array(4), b: new Float32Array(4) },
      'grads.w',
      'Float32Array(4)',
    ],
    [
      'a Float64Array',
      { w: new Float64Array(3), b: new Float32Array(4) },
      'grads.w',
      'Float64Array(3)',
    ],
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
    [
      'an unknown name',
      { w: new Float32Array(3), b: new Float32Array(4), c: new Float32Array(1) },
      'grads.c',
      'unknown name',
    ],
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
    expect(group).toMatchObject({
      lr: 3.162e-2,
      weightDecay: 0,
      frozen: false,
      betas: [0.9, 0.999],
      eps: 1e-8,
    });
    expect(() => Object.assign(group.betas, [0, 0])).toThrow(TypeError);
  });

  it("another runtime's Parameter", async () => {
    await withRuntime(simd, (other) => {
      expectArgumentError(
        () => new AdaL(runtime, { w: new Parameter(other, [3]) }),
        'params.w',
        'another',
      );
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
    await expect(createOptimizer(anyOf('toString'), two())).rejects.toMatchObject({
      argument: 'name',
    });
    await expect(createOptimizer(anyOf('adam2'), two())).rejects.toThrow(
      '"name" expected one of adal',
    );
    await expect(createOptimizer('adal', two(), anyOf(null))).rejects.toMatchObject({
      argument: 'options',
    });
    await expect(createOptimizer('adal', two(), { runtime: anyOf({}) })).rejects.toMatchObject({
      argument: 'runtime',
    });
    await expect(createOptimizer('adal', two(), { lr: -1 })).rejects.toMatchObject({
      argument: 'lr',
    });
    await expect(createOptimizer('adal', anyOf(null))).rejects.toMatchObject({
      argument: 'params',
    });
    await expect(createOptimizer('adal', anyOf([null]))).rejects.toMatchObject({
      argument: 'params',
    });
  });
});
