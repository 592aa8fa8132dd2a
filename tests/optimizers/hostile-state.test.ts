/**
 * State dicts from strangers: what no training could have written is refused by name, and nothing
 * has changed.
 */
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  createOptimizer,
  type Optimizer,
  type OptimizerName,
  optimizerNames,
  type Runtime,
  type StateDict,
} from '../../src/index';
import type { StateArray } from '../../src/optimizers/state-array';
import { oracle, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { COMPACT_NAMES } from '../support/rules';
import { snapshot } from '../support/snapshot';

const SQUARES = /^(v|exp_avg_sq|exp_avg_var|max_exp_avg_sq|square_avg|acc_delta|exp_inf|sum)$/;

type Damage = (dict: StateDict) => void;

async function create(
  runtime: Runtime,
  name: OptimizerName,
  options: object = {},
): Promise<Optimizer> {
  const w = new Float32Array(300).fill(1);
  const optimizer = await createOptimizer(name, { w }, { runtime, ...options } as never);
  for (let t = 0; t < 3; t++) optimizer.step({ w: w.map((_, i) => Math.sin(i + t)) });
  return optimizer;
}

/** Each of the damages is refused naming a key, and leaves the optimizer as it was. */
async function expectRefused(
  name: OptimizerName,
  options: object,
  damages: Record<string, Damage>,
): Promise<void> {
  await withRuntime(simd, async (runtime) => {
    const optimizer = await create(runtime, name, options);
    const before = snapshot(optimizer);
    for (const [key, damage] of Object.entries(damages)) {
      for (const strict of [true, false]) {
        const dict = optimizer.stateDict();
        damage(dict);
        const error = caught(() => optimizer.loadStateDict(dict, { strict }));
        expect(error, `${key}, strict ${strict}`).toBeInstanceOf(ArgumentError);
        expect((error as Error).message, key).toContain(key);
        expect(snapshot(optimizer), key).toEqual(before);
      }
    }
    optimizer.loadStateDict(optimizer.stateDict());
    expect(snapshot(optimizer), 'its own').toEqual(before);
  });
}

const state = (dict: StateDict) => dict.state.w!;
const counter = (key: string, value: unknown): Damage => {
  return (dict) => {
    (state(dict) as unknown as Record<string, unknown>)[key] = value;
  };
};
const put = (name: string, index: number, value: number): Damage => {
  return (dict) => {
    (state(dict).arrays[name] as Float32Array)[index] = value;
  };
};

const POWERS = ['beta1Power', 'beta2Power'];
/** The numbers that a state entry has besides its step, in order. Others have none. */
const OWN_SCALARS: Record<string, readonly string[]> = {
  adal: ['exponent', 'V', ...POWERS, 'normMean'],
  adam: POWERS,
  adamw: POWERS,
  amsgrad: POWERS,
  nadam: [...POWERS, 'momentumProduct'],
  radam: POWERS,
  adabelief: POWERS,
  adabound: POWERS,
  adamax: ['beta1Power'],
  muon: POWERS,
  'schedule-free-adamw': ['beta2Power', 'lrSquareSum'],
};

describe.each(optimizerNames())('%s', (name) => {
  it('refuses counters out of range and arrays that do not fit', async () => {
    const { arrays, ...counters } = await withRuntime(
      oracle,
      async (runtime) => (await create(runtime, name)).stateDict().state.w!,
    );
    const names = Object.keys(arrays);
    expect(Object.keys(counters)).toEqual(['step', ...(OWN_SCALARS[name] ?? [])]);
    const damages: Record<string, Damage> = {
      'params.w.data[7]': (dict) => {
        dict.params.w!.data[7] = Number.NaN;
      },
      'params.w.shape': (dict) => {
        (dict.params.w as { shape: readonly number[] }).shape = [3, 100];
      },
    };
    for (const key of Object.keys(counters)) {
      damages[`state.w.${key}`] = counter(key, key === 'exponent' ? 5000 : -1);
      damages[`w.${key}`] = counter(key, Number.NaN);
    }
    for (const key of names) {
      damages[`arrays.${key}[5]`] = put(key, 5, Infinity);
      damages[`arrays.${key}`] = (dict) => {
        state(dict).arrays[key] = new Float32Array(299);
      };
      if (SQUARES.test(key)) damages[`arrays.${key}[4]`] = put(key, 4, -1e-30);
    }
    await expectRefused(name, {}, damages);
  });

  if (COMPACT_NAMES.includes(name))
    it('refuses compact state that no step has written', async () => {
      const bf16 = (key: string, index: number, bits: number): Damage => {
        return (dict) => {
          (state(dict).arrays[key] as { bits: Uint16Array }).bits[index] = bits;
        };
      };
      const scale = (key: string, value: number): Damage => {
        return (dict) => {
          (state(dict).arrays[key] as { scales: Float32Array }).scales[1] = value;
        };
      };
      const [first, second] = await withRuntime(oracle, async (runtime) => {
        return Object.keys((await create(runtime, name)).stateDict().state.w!.arrays);
      });
      await expectRefused(
        name,
        { state: 'bf16' },
        {
          [`${second}.bits[3]`]: bf16(second!, 3, 0x8001),
          [`${first}.bits[2]`]: bf16(first!, 2, 0x7f80),
          [`${second}.bits`]: (dict) => {
            state(dict).arrays[second!] = { dtype: 'bf16', bits: new Uint16Array(2) };
          },
        },
      );
      for (const value of [3, -2, 2 ** -120, 2 ** 127, Number.NaN, 0]) {
        await expectRefused(
          name,
          { state: '8bit', min8bitSize: 0 },
          {
            [`${second}.scales[1]`]: scale(second!, value),
            [`${first}.scales[1]`]: scale(first!, value),
          },
        );
      }
      await expectRefused(
        name,
        { state: '8bit', min8bitSize: 0 },
        {
          [`${second}.codes`]: (dict) => {
            const { scales } = state(dict).arrays[second!] as { scales: Float32Array };
            state(dict).arrays[second!] = { dtype: '8bit', codes: new Uint8Array(299), scales };
          },
        },
      );
    });

  if (COMPACT_NAMES.includes(name) && name !== 'adadelta')
    it('refuses a first moment that its second cannot stand beside', async () => {
      const key = name === 'adal' ? 'm' : 'exp_avg';
      const seconds = { adal: 'v', adabelief: 'exp_avg_var', adamax: 'exp_inf' };
      const second = seconds[name as keyof typeof seconds] ?? 'exp_avg_sq';
      await expectRefused(
        name,
        {},
        {
          [`${key}[9]`]: (dict) => {
            (state(dict).arrays[key] as Float32Array)[9] = 3e38;
            (state(dict).arrays[second] as Float32Array)[9] = 0;
          },
        },
      );
      await expectRefused(
        name,
        { state: 'bf16' },
        {
          [`${key}[9]`]: (dict) => {
            (state(dict).arrays[key] as { bits: Uint16Array }).bits[9] = 0x7f00;
            (state(dict).arrays[second] as { bits: Uint16Array }).bits[9] = 0;
          },
        },
      );
    });
});

describe("a rule's own scalar", () => {
  it('of NAdam is a product of momenta', () =>
    expectRefused(
      'nadam',
      {},
      {
        'state.w.momentumProduct': counter('momentumProduct', 1.01),
      },
    ));
  it('of Schedule-Free is a sum of squares', () => {
    return expectRefused(
      'schedule-free-adamw',
      {},
      {
        'state.w.lrSquareSum': counter('lrSquareSum', Infinity),
      },
    );
  });
  it('of AdaL goes with its exponent', () =>
    expectRefused('adal', {}, { 'state.w.exponent': counter('exponent', 3) }));
});

describe('a sparse parameter', () => {
  it('refuses exponents of rows beyond any gradient', async () => {
    await withRuntime(oracle, async (runtime) => {
      const optimizer = await createOptimizer(
        'adal',
        { w: { shape: [4, 2], sparse: true } },
        { runtime },
      );
      optimizer.stepRows('w', [1], new Float32Array([1, 2]));
      const dict = optimizer.stateDict();
      (dict.state.w!.arrays.e as Int16Array)[2] = -32_768;
      expect(() => optimizer.loadStateDict(dict)).toThrow(/arrays\.e\[2\]"/);
    });
  });
});

describe('arguments that others can change', () => {
  it('are copied before they are checked: arrays over a SharedArrayBuffer', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await create(runtime, 'adam');
      const dict = optimizer.stateDict();
      const { data } = dict.params.w!;
      const shared = new Float32Array(new SharedArrayBuffer(4 * data.length));
      shared.set(data);
      dict.params.w!.data = shared;
      optimizer.loadStateDict(dict);
      expect(optimizer.params.w).toEqual(data);
    });
  });

  it('are read once: getters', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await create(runtime, 'schedule-free-adamw');
      const dict = optimizer.stateDict();
      const before = snapshot(optimizer);
      const reads: Record<string, number> = {};
      const counted = (value: unknown, path: string): unknown => {
        if (
          typeof value !== 'object' ||
          value === null ||
          ArrayBuffer.isView(value) ||
          Array.isArray(value)
        )
          return value;
        const copy = {};
        for (const [key, item] of Object.entries(value)) {
          const name = `${path}.${key}`;
          const get = () => {
            reads[name] = (reads[name] ?? 0) + 1;
            return counted(item, name);
          };
          Object.defineProperty(copy, key, { enumerable: true, get });
        }
        return copy;
      };
      optimizer.loadStateDict(counted(dict, 'dict') as StateDict);
      expect(Object.keys(reads).length).toBeGreaterThan(10);
      expect(Object.values(reads).every((count) => count === 1)).toBe(true);
      expect(snapshot(optimizer)).toEqual(before);
    });
  });

  it('are checked again when a schedule that took its state has written into them', async () => {
    await withRuntime(simd, async (runtime) => {
      let victim: StateArray | null = null;
      let own = 1;
      const lr = Object.assign(() => 0.01, {
        stateDict: () => ({ own }),
        loadStateDict: (given: { own: number }) => {
          own = given.own;
          if (victim && own === 2) (victim as Float32Array)[0] = Number.NaN;
        },
      });
      const optimizer = await create(runtime, 'adam', { lr });
      const before = snapshot(optimizer);
      own = 2;
      const dict = optimizer.stateDict();
      own = 1;
      victim = dict.state.w!.arrays.exp_avg!;
      expect(() => optimizer.loadStateDict(dict)).toThrow(/exp_avg\[0\]/);
      expect(own, 'undone').toBe(1);
      expect(snapshot(optimizer)).toEqual(before);
    });
  });

  it('are read once: row indices', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await createOptimizer(
        'sgd',
        { w: { shape: [4, 1], sparse: true } },
        { runtime, lr: 1 },
      );
      let reads = 0;
      const rows = {
        get length() {
          return reads === 0 ? 1 : 9;
        },
        get 0() {
          return reads++ === 0 ? 2 : 1e6;
        },
      };
      optimizer.stepRows('w', rows, new Float32Array([1]));
      expect([...optimizer.params.w]).toEqual([0, 0, -1, 0]);
      const live = new Int32Array(new SharedArrayBuffer(8));
      live.set([3, 4]);
      expect(() => optimizer.stepRows('w', live, new Float32Array(2))).toThrow(
        '"rowIndices[1]" expected an integer in [0, 3], got 4',
      );
      expect(optimizer.stateDict().state.w!.step).toBe(1);
    });
  });
});
