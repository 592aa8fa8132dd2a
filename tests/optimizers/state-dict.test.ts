/**
 * State dicts beyond the round trip: fixed options, schedules with state, `strict: false`, numbers
 * that are not finite.
 */
import { describe, expect, it } from 'vitest';
import {
  Adagrad,
  AdaL,
  AdamW,
  ArgumentError,
  type Optimizer,
  RMSProp,
  type Runtime,
  SGD,
  type StateDict,
} from '../../src/index';
import {
  join,
  reduceOnPlateau,
  type StatefulSchedule,
  scheduleFromConfig,
} from '../../src/schedules';
import { oracle, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';
import { floatsOf } from '../support/state';

/** A simd runtime serves all of them: nothing here depends on the backend. */
const onRuntime = (body: (runtime: Runtime) => void | Promise<void>) => () =>
  withRuntime(simd, body);

function train(optimizer: Optimizer, from: number, to: number): void {
  for (let t = from; t <= to; t++) {
    fillRough(optimizer, t);
    optimizer.step();
  }
}

/** Asserts that loading is refused with the argument named, and that nothing has changed. */
function expectRefusal(
  optimizer: Optimizer,
  dict: unknown,
  argument: string,
  options?: { strict: boolean },
): void {
  const before = snapshot(optimizer);
  const error = caught(() => optimizer.loadStateDict(dict as StateDict, options));
  expect(error).toBeInstanceOf(ArgumentError);
  expect(error).toMatchObject({ argument });
  expect(snapshot(optimizer)).toEqual(before);
}

describe('fixed options', () => {
  it('are in the dict, and must be the same', async () => {
    await withRuntime(simd, (runtime) => {
      const params = { w: new Float32Array(3) };
      const cases: [Optimizer, Optimizer, Record<string, unknown>, string][] = [
        [
          new AdaL(runtime, params),
          new AdaL(runtime, params, { decay: 'none' }),
          { decay: 'inverse-sqrt', normScope: 'tensor', clipNormRatio: null },
          'decay',
        ],
        [
          new AdaL(runtime, params),
          new AdaL(runtime, params, { normScope: 'global' }),
          { decay: 'inverse-sqrt', normScope: 'tensor', clipNormRatio: null },
          'normScope',
        ],
        [
          new SGD(runtime, params, { momentum: 0.9 }),
          new SGD(runtime, params, { momentum: 0.5 }),
          { momentum: 0.9, dampening: 0, nesterov: false },
          'momentum',
        ],
        [
          new RMSProp(runtime, params),
          new RMSProp(runtime, params, { centered: true }),
          { momentum: 0, centered: false, epsInSqrt: false },
          'centered',
        ],
        [
          new Adagrad(runtime, params),
          new Adagrad(runtime, params, { lrDecay: 0.1 }),
          { lrDecay: 0 },
          'lrDecay',
        ],
      ];
      for (const [donor, other, options, name] of cases) {
        const dict = donor.stateDict();
        expect(dict.options).toEqual({ ...options, clipGradNorm: null, clipGradValue: null });
        expectRefusal(other, dict, `stateDict.options.${name}`);
        expectRefusal(
          other,
          { ...dict, options: undefined },
          `stateDict.options.${Object.keys(options)[0]}`,
        );
      }
    });
  });
});

describe('options of every optimizer', () => {
  const params = { w: new Float32Array(300) };

  it('clipping is in the dict, however it was written, and must be the same', async () => {
    await withRuntime(simd, (runtime) => {
      const adam = (options: object) => new AdamW(runtime, params, options);
      const dict = adam({ clipGradNorm: 2, clipGradValue: 0.5 }).stateDict();
      expect(dict.options).toEqual({
        clipGradNorm: { max: 2, norm: 'l2', scope: 'global' },
        clipGradValue: 0.5,
      });
      adam({ clipGradNorm: { max: 2, scope: 'global' }, clipGradValue: 0.5 }).loadStateDict(dict);
      const message =
        '"stateDict.options.clipGradNorm" expected null, as this optimizer has it, ' +
        'got {"max":2,"norm":"l2"';
      expect(() => adam({ clipGradValue: 0.5 }).loadStateDict(dict)).toThrow(message);
      expectRefusal(
        adam({ clipGradNorm: { max: 2, norm: 'l1' }, clipGradValue: 0.5 }),
        dict,
        'stateDict.options.clipGradNorm',
      );
      expectRefusal(adam({ clipGradNorm: 2 }), dict, 'stateDict.options.clipGradValue');
    });
  });

  it('the seed of rounding is, where anything is rounded', async () => {
    await withRuntime(simd, (runtime) => {
      const adam = (options: object) => new AdamW(runtime, params, options);
      adam({ seed: 2 }).loadStateDict(adam({ seed: 1 }).stateDict());
      const dict = adam({ seed: 1, state: 'bf16' }).stateDict();
      expect(dict.options).toMatchObject({ seed: 1 });
      adam({ seed: 1, state: 'bf16' }).loadStateDict(dict);
      expectRefusal(adam({ seed: 2, state: 'bf16' }), dict, 'stateDict.options.seed');
    });
  });

  it('how state is kept is not for a dict to change', async () => {
    await withRuntime(simd, (runtime) => {
      const adam = (options: object) => new AdamW(runtime, params, options);
      const dict = adam({ state: '8bit' }).stateDict();
      expectRefusal(
        adam({}),
        { ...dict, options: adam({}).stateDict().options },
        'stateDict.groups[0].state',
      );
      const small = adam({ state: '8bit', min8bitSize: 1 });
      expectRefusal(
        small,
        adam({ state: '8bit', min8bitSize: 2 }).stateDict(),
        'stateDict.groups[0].min8bitSize',
      );
    });
  });
});

describe('schedules', () => {
  const create = (runtime: Runtime, patience = 1) => {
    const plateau = reduceOnPlateau({ lr: 0.1, factor: 0.5, patience });
    const shared = join([0.01, plateau], [3]) as StatefulSchedule;
    const optimizer = new AdaL(runtime, [
      { params: { a: { shape: [40] } }, lr: plateau },
      { params: { b: { shape: [7] } }, lr: (step) => 1 / step },
      { params: { c: { shape: [2, 5] } }, lr: shared },
      { params: { d: { shape: [3] } } },
    ]);
    return { optimizer, plateau };
  };
  const METRICS = [3, 2, 2, 2, 2.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
  const trainOn = ({ optimizer, plateau }: ReturnType<typeof create>, from: number, to: number) => {
    for (let t = from; t <= to; t++) {
      train(optimizer, t, t);
      plateau.update(METRICS[t - 1]);
    }
  };

  it(
    'stand in the dict with config and state',
    onRuntime((runtime) => {
      const run = create(runtime);
      trainOn(run, 1, 4);
      const { groups } = JSON.parse(JSON.stringify(run.optimizer.stateDict())) as StateDict;
      const state = run.plateau.stateDict();
      expect(state.lr).toBe(0.05);
      expect(groups.map(({ lr, schedule }) => ({ lr, schedule }))).toEqual([
        { lr: null, schedule: { config: run.plateau.config, state } },
        { lr: null, schedule: { config: null, state: null } },
        {
          lr: null,
          schedule: { config: (run.optimizer.paramGroups[2].lr as StatefulSchedule).config, state },
        },
        { lr: 0.03162, schedule: null },
      ]);
      const rebuilt = scheduleFromConfig(
        groups[0].schedule!.config!,
      ) as unknown as StatefulSchedule;
      rebuilt.loadStateDict(groups[0].schedule!.state!);
      expect(rebuilt(5)).toBe(0.05);
    }),
  );

  it(
    'resume with what they remember, bit for bit',
    onRuntime(async (runtime) => {
      const whole = create(runtime);
      trainOn(whole, 1, 16);
      const first = create(runtime);
      trainOn(first, 1, 6);
      await withRuntime(oracle, (other) => {
        const resumed = create(other);
        resumed.optimizer.loadStateDict(structuredClone(first.optimizer.stateDict()));
        trainOn(resumed, 7, 16);
        expect(snapshot(resumed.optimizer)).toEqual(snapshot(whole.optimizer));
      });
    }),
  );

  it(
    'are all left alone when one refuses its state',
    onRuntime((runtime) => {
      const donor = create(runtime);
      trainOn(donor, 1, 5);
      const run = create(runtime);
      trainOn(run, 1, 2);
      const dict = donor.optimizer.stateDict();
      dict.groups[2].schedule!.state = { ...dict.groups[2].schedule!.state, lr: 7 };
      expectRefusal(run.optimizer, dict, 'stateDict.groups[2].schedule.state');
      expect(() => run.optimizer.loadStateDict(dict)).toThrow(
        /"state.lr" expected a number in \[minLr = 0, lr = 0.1\], got 7/,
      );
      const none = donor.optimizer.stateDict();
      none.groups[0].schedule = { config: null, state: null };
      expectRefusal(run.optimizer, none, 'stateDict.groups[0].schedule.state');
      const stray = donor.optimizer.stateDict();
      stray.groups[1].schedule = { config: null, state: { lr: 1 } };
      expectRefusal(run.optimizer, stray, 'stateDict.groups[1].schedule.state');
    }),
  );
});

describe('strict: false', () => {
  const GROUPS: Record<'old' | 'renewed', ConstructorParameters<typeof AdamW>[1]> = {
    old: [
      { params: { body: { shape: [30] }, gone: { shape: [4] } }, weightDecay: 0.3 },
      { params: { tail: { shape: [5] } }, lr: 0.5, frozen: true },
    ],
    renewed: [
      { params: { head: { shape: [9] } }, lr: 0.25 },
      {
        params: { fresh: { shape: [2] }, tail: { shape: [5] }, body: { shape: [30] } },
        lr: 0.75,
        weightDecay: 0.125,
      },
    ],
  };

  it(
    'loads what both have, and leaves the rest alone',
    onRuntime((runtime) => {
      const old = new AdamW(runtime, GROUPS.old);
      train(old, 1, 5);
      const dict = old.stateDict();
      const renewed = new AdamW(runtime, GROUPS.renewed);
      train(renewed, 11, 13);
      const before = snapshot(renewed);
      expectRefusal(renewed, dict, 'stateDict.groups[0].params');
      renewed.loadStateDict(dict, { strict: false });
      const after = snapshot(renewed);
      const given = snapshot(old);
      for (const key of Object.keys(after)) {
        const name = key.split(' ')[1];
        if (name !== undefined)
          expect(after[key], key).toBe((['tail', 'body'].includes(name) ? given : before)[key]);
      }
      expect(renewed.stepCount).toBe(5);
      const [head, rest] = renewed.paramGroups;
      expect([head.lr, head.weightDecay, head.frozen]).toEqual([0.25, 0.01, false]);
      expect([rest.lr, rest.weightDecay, rest.frozen]).toEqual([0.5, 0.01, true]);
    }),
  );

  it(
    'keeps hyperparameters that the dict leaves out, and ignores those it does not know',
    onRuntime((runtime) => {
      const old = new AdamW(runtime, GROUPS.old);
      const dict = old.stateDict();
      dict.groups[1] = {
        params: ['tail'],
        lr: 0.5,
        novel: 1,
      } as unknown as StateDict['groups'][number];
      expectRefusal(old, dict, 'stateDict.groups[1].betas');
      expectRefusal(
        old,
        { ...dict, groups: [{ ...dict.groups[0], novel: 1 }, dict.groups[1]] },
        'stateDict.groups[0].novel',
      );
      const renewed = new AdamW(runtime, GROUPS.renewed);
      renewed.loadStateDict(dict, { strict: false });
      const [, rest] = renewed.paramGroups;
      expect([rest.lr, rest.weightDecay, rest.frozen]).toEqual([0.5, 0.125, false]);
    }),
  );

  it(
    'keeps what a schedule remembers where the dict has nothing for it',
    onRuntime((runtime) => {
      const old = new AdamW(runtime, GROUPS.old);
      const plateau = reduceOnPlateau({ lr: 1, patience: 0 });
      plateau.update(1);
      const renewed = new AdamW(runtime, [{ params: { body: { shape: [30] } }, lr: plateau }]);
      const dict = old.stateDict();
      dict.groups[0].lr = null;
      renewed.loadStateDict(dict, { strict: false });
      expect(plateau.stateDict().best).toBe(1);
    }),
  );

  it(
    'still refuses half a state, other shapes, another algorithm and broken groups',
    onRuntime((runtime) => {
      const renewed = new AdamW(runtime, GROUPS.renewed);
      train(renewed, 1, 2);
      const dict = () => new AdamW(runtime, GROUPS.old).stateDict();
      const spoilt = (spoil: (given: StateDict) => void) => {
        const given = dict();
        spoil(given);
        return given;
      };
      const lenient = { strict: false };
      const refused: [unknown, string][] = [
        [spoilt(({ state }) => delete state.body), 'stateDict.state.body'],
        [spoilt(({ params }) => delete params.tail), 'stateDict.params.tail'],
        [
          spoilt(({ state }) => delete state.body.arrays.exp_avg),
          'stateDict.state.body.arrays.exp_avg',
        ],
        [
          spoilt(({ params }) => Object.assign(params.body, { shape: [15, 2] })),
          'stateDict.params.body.shape',
        ],
        [{ ...dict(), algorithm: 'adal' }, 'stateDict.algorithm'],
        [{ ...dict(), groups: null }, 'stateDict.groups'],
        [{ ...dict(), groups: [{}] }, 'stateDict.groups[0].params'],
        [{ ...dict(), state: 7 }, 'stateDict.state'],
      ];
      for (const [given, argument] of refused) expectRefusal(renewed, given, argument, lenient);
      expectRefusal(renewed, dict(), 'strict', { strict: 1 as unknown as boolean });
      expectRefusal(renewed, dict(), 'options.lax', { lax: true } as unknown as typeof lenient);
    }),
  );
});

describe('what is refused', () => {
  it(
    'NaN and infinity, by element',
    onRuntime((runtime) => {
      const optimizer = new AdamW(runtime, { w: { shape: [3, 7] }, b: { shape: [2] } });
      train(optimizer, 1, 3);
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        const params = optimizer.stateDict();
        params.params.w.data[20] = value;
        expectRefusal(optimizer, params, 'stateDict.params.w.data[20]');
        expectRefusal(optimizer, params, 'stateDict.params.w.data[20]', { strict: false });
        const state = optimizer.stateDict();
        floatsOf(state.state.b.arrays.exp_avg_sq)[0] = value;
        expectRefusal(optimizer, state, 'stateDict.state.b.arrays.exp_avg_sq[0]');
      }
    }),
  );

  it(
    'arrays of no known name, unless told not to be strict',
    onRuntime((runtime) => {
      const optimizer = new AdamW(runtime, { w: { shape: [3] } });
      const dict = optimizer.stateDict();
      dict.state.w.arrays.exp_avg_cube = new Float32Array(3);
      expectRefusal(optimizer, dict, 'stateDict.state.w.arrays.exp_avg_cube');
      optimizer.loadStateDict(dict, { strict: false });
    }),
  );

  it(
    'arrays of another kind',
    onRuntime((runtime) => {
      const optimizer = new AdamW(runtime, { w: { shape: [3] } });
      const dict = optimizer.stateDict();
      dict.state.w.arrays.exp_avg = { dtype: 'bf16', bits: new Uint16Array(3) };
      expectRefusal(optimizer, dict, 'stateDict.state.w.arrays.exp_avg');
    }),
  );
});
