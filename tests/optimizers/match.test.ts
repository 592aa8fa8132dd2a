/** Param groups by name: `match` in a group, and the option `groups`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AdaL,
  AdamW,
  ArgumentError,
  createOptimizer,
  createRuntime,
  type ParamsInit,
  SGD,
} from '../../src/index';
import { createModel, dense, relu } from '../../src/nn';
import { BACKENDS, simd, withRuntime } from '../support/backends';
import { anyOf } from '../support/errors';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';

const record = () => ({
  'body.weight': new Float32Array(4).fill(1),
  'body.bias': new Float32Array(2),
  'head.weight': new Float32Array(4).fill(2),
  'head.bias': new Float32Array(2),
});
const namesOf = ({ paramGroups }: { paramGroups: readonly { params: readonly string[] }[] }) =>
  paramGroups.map(({ params }) => [...params]);

describe('the option groups', () => {
  it('splits one record by name; what no group matches comes first', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdamW(runtime, record(), {
        lr: 0.1,
        weightDecay: 0.5,
        groups: [
          { match: /\.bias$/, weightDecay: 0 },
          { match: (name) => name === 'head.weight', lr: 0.01, frozen: true },
        ],
      });
      expect(namesOf(optimizer)).toEqual([
        ['body.weight'],
        ['body.bias', 'head.bias'],
        ['head.weight'],
      ]);
      const shown = optimizer.paramGroups.map(({ index, lr, weightDecay, frozen }) => [
        index,
        lr,
        weightDecay,
        frozen,
      ]);
      expect(shown).toEqual([
        [0, 0.1, 0.5, false],
        [1, 0.1, 0, false],
        [2, 0.01, 0.5, true],
      ]);
    });
  });

  it('has no first group when nothing is left for it', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdamW(runtime, record(), {
        groups: [{ match: /bias/ }, { match: /weight/, lr: 0.5 }],
      });
      expect(namesOf(optimizer)).toEqual([
        ['body.bias', 'head.bias'],
        ['body.weight', 'head.weight'],
      ]);
      expect(optimizer.paramGroups[1].lr).toBe(0.5);
    });
  });

  it.each(BACKENDS)('trains as the same groups written out on $name', async (backend) => {
    await withRuntime(backend, (runtime) => {
      const { 'body.bias': a, 'head.bias': b, ...weights } = record();
      const written: ParamsInit = [
        { params: weights },
        { params: { 'body.bias': a, 'head.bias': b }, lr: 0.5, weightDecay: 0 },
      ];
      const options = { lr: 0.1, weightDecay: 0.1 };
      const whole = new AdaL(runtime, written as never, options);
      const split = new AdaL(runtime, record(), {
        ...options,
        groups: [{ match: /bias/, lr: 0.5, weightDecay: 0 }],
      });
      for (let t = 1; t <= 5; t++) {
        for (const optimizer of [whole, split]) {
          fillRough(optimizer, t);
          optimizer.step();
        }
      }
      expect(snapshot(split)).toEqual(snapshot(whole));
    });
  });

  it('is there for every way to an optimizer, and for a model', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, {
        inputSize: 2,
        layers: [dense(3), relu(), dense(2)],
      });
      const optimizer = await createOptimizer('lion', model.parameters, {
        runtime,
        groups: [{ match: /bias/, weightDecay: 0 }],
      });
      expect(namesOf(optimizer)).toEqual([
        ['dense1.weight', 'dense2.weight'],
        ['dense1.bias', 'dense2.bias'],
      ]);
    });
    const own = await createOptimizer('sgd', record(), { groups: [{ match: /bias/, lr: 0 }] });
    expect(own.paramGroups.length).toBe(2);
    own.dispose();
  });

  it('takes any strings as names', async () => {
    await withRuntime(simd, (runtime) => {
      const names = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 8 });
      fc.assert(
        fc.property(names, fc.nat(), (all, pick) => {
          const chosen = all[pick % all.length];
          const params = Object.create(null);
          for (const name of all) params[name] = new Float32Array(1);
          const optimizer = new SGD(runtime, params, {
            groups: [{ match: (name) => name === chosen }],
          });
          const rest = Object.keys(params).filter((name) => name !== chosen);
          expect(namesOf(optimizer)).toEqual([rest, [chosen]]);
          optimizer.dispose();
        }),
      );
    });
  });
});

describe('match in a group', () => {
  it('takes what matches of its own record', async () => {
    await withRuntime(simd, (runtime) => {
      const params = record();
      const optimizer = new SGD(runtime, [
        { params, match: /weight/, lr: 0.5 },
        { params, match: (name) => name.startsWith('head') && name.endsWith('bias') },
      ]);
      expect(namesOf(optimizer)).toEqual([['body.weight', 'head.weight'], ['head.bias']]);
      expect(Object.keys(optimizer.params)).toEqual(['body.weight', 'head.weight', 'head.bias']);
    });
  });

  it('works in addParamGroup, which leaves everything as it was when it fails', async () => {
    await withRuntime(simd, (runtime) => {
      const params = record();
      const optimizer = new SGD(runtime, [{ params, match: /^body/ }]);
      const before = snapshot(optimizer);
      const { usedBytes } = runtime.info;
      expect(() => optimizer.addParamGroup({ params, match: /bias/ })).toThrow(
        '"paramGroups[1].match" expected names that no other group takes, got "body.bias" again',
      );
      expect(() => optimizer.addParamGroup({ params, match: /tail/ })).toThrow(
        '"paramGroups[1].match" expected to match at least one parameter, got none of 4',
      );
      expect(snapshot(optimizer)).toEqual(before);
      expect(runtime.info.usedBytes).toBe(usedBytes);
      expect([...optimizer.addParamGroup({ params, match: /^head/, lr: 1 }).params]).toEqual([
        'head.weight',
        'head.bias',
      ]);
      expect(optimizer.step({ ...record() })).toMatchObject({ step: 1 });
    });
  });
});

describe('regular expressions', () => {
  it.each(['', 'g', 'y', 'gy', 'i'])('with flags "%s" remember nothing', async (flags) => {
    await withRuntime(simd, (runtime) => {
      const match = new RegExp('b[a-z]*', flags);
      match.lastIndex = 2;
      const params = Object.fromEntries(
        ['b1', 'b2', 'b3', 'a'].map((name) => [name, new Float32Array(1)]),
      );
      const groups = [{ match }];
      for (let i = 0; i < 3; i++) {
        expect(namesOf(new SGD(runtime, params, { groups }))).toEqual([['a'], ['b1', 'b2', 'b3']]);
        expect(namesOf(new SGD(runtime, [{ params, match }]))).toEqual([['b1', 'b2', 'b3']]);
      }
      expect(match.lastIndex).toBe(2);
    });
  });

  it('with flag y match at the beginning of a name alone', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, record(), { groups: [{ match: /head/y }] });
      expect(namesOf(optimizer)[1]).toEqual(['head.weight', 'head.bias']);
      expect(() => new SGD(runtime, record(), { groups: [{ match: /bias/y }] })).toThrow(
        ArgumentError,
      );
    });
  });
});

it('a function is asked once for each name', async () => {
  await withRuntime(simd, (runtime) => {
    const asked: string[] = [];
    const match = (name: string) => {
      asked.push(name);
      return asked.length % 2 === 0;
    };
    const optimizer = new SGD(runtime, record(), { groups: [{ match }] });
    expect(asked).toEqual(Object.keys(record()));
    expect(namesOf(optimizer)).toEqual([
      ['body.weight', 'head.weight'],
      ['body.bias', 'head.bias'],
    ]);
  });
});

it('refuses what does not fit, naming it, and allocates nothing', async () => {
  const runtime = await createRuntime({ backend: 'simd' });
  const { usedBytes } = runtime.info;
  const build = (groups: unknown, params: unknown = record()) =>
    new SGD(runtime, params as never, { groups: anyOf(groups) });
  const cases: [() => unknown, string][] = [
    [() => build(null), '"groups" expected an array of at least one group, got null'],
    [() => build([]), '"groups" expected'],
    [() => build([null]), '"groups[0]" expected an options object, got null'],
    [
      () => build([{}]),
      '"groups[0].match" expected a RegExp or a function of the name, got undefined',
    ],
    [
      () => build([{ match: 'bias' }]),
      '"groups[0].match" expected a RegExp or a function of the name, got "bias"',
    ],
    [
      () => build([{ match: /x/ }]),
      '"groups[0].match" expected to match at least one parameter, got none of 4',
    ],
    [
      () => build([{ match: () => 1 }]),
      '"groups[0].match("body.weight")" expected true or false, got 1',
    ],
    [
      () => build([{ match: async () => true }]),
      '"groups[0].match("body.weight")" expected true or false, ' +
        'got a Promise (is an `await` missing?)',
    ],
    [
      () => build([{ match: /bias/ }, { match: /body/ }]),
      '"groups[1].match" expected names that no other group takes, got "body.bias" again',
    ],
    [() => build([{ match: /bias/, params: record() }]), '"groups[0].params" expected nothing'],
    [() => build([{ match: /bias/, momentum: 1 }]), '"groups[0].momentum" expected one of'],
    [() => build([{ match: /bias/, lr: -1 }]), '"lr (group 1)" expected'],
    [
      () => build([{ match: /bias/ }], [{ params: record() }]),
      '"params" expected an object of parameters by name, got [an object]',
    ],
    [
      () => build([{ match: /bias/ }], 3),
      '"params" expected an object of parameters by name, got 3',
    ],
    [() => build([{ match: /bias/ }], {}), '"params" expected at least one parameter'],
    [() => build([{ match: /w/ }], { w: [1] }), '"params.w" expected a Float32Array'],
    [
      () => new SGD(runtime, [{ params: record(), match: anyOf('w') }]),
      '"params.match" expected a RegExp or a function',
    ],
  ];
  for (const [body, message] of cases) {
    expect(body).toThrow(ArgumentError);
    expect(body).toThrow(message);
  }
  const thrown = new Error('from the outside');
  const match = () => {
    throw thrown;
  };
  expect(() => build([{ match }])).toThrow(thrown);
  expect(runtime.info.usedBytes).toBe(usedBytes);
  runtime.dispose();
});
