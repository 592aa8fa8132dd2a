/** State dicts: training resumed bit for bit, and malformed ones refused. */
import { describe, expect, it } from 'vitest';
import { AdaL, ArgumentError, type Optimizer, type ParamsInit } from '../../src/index';
import { oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { anyOf, caught, detached } from '../support/errors';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';

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
        { lr: 0.03162, frozen: false },
        { lr: null, frozen: false },
        { lr: 0.03162, frozen: true },
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
    [
      'groups in another order',
      (dict) => ({ ...dict, groups: [...dict.groups].reverse() }),
      'stateDict.groups[0].params',
    ],
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
        const error = caught(() =>
          optimizer.loadStateDict(anyOf(replaced === undefined ? dict : replaced)),
        );
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
      const error = caught(() => optimizer.loadStateDict(dict));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ argument: 'betas (group 1)' });
      expect(snapshot(optimizer)).toEqual(before);
    });
  });
});
