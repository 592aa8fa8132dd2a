/** Checkpoints of optimizers: lossless, in names that other tools know, and strict. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CheckpointExtras,
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
} from '../../src/checkpoint';
import {
  AdaL,
  ArgumentError,
  createOptimizer,
  type Optimizer,
  type ParamGroupInit,
  type Runtime,
  type StateArray,
  type StateDict,
} from '../../src/index';
import { cosine, isStatefulSchedule, reduceOnPlateau } from '../../src/schedules';
import { oracle, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { fillRough } from '../support/gradients';
import { RULE_CASES, type RuleCase } from '../support/rules';
import { snapshot } from '../support/snapshot';
import { dictOf } from '../support/state';

/** Groups with a rate of their own, a schedule, one with state, and a frozen one. */
async function create(runtime: Runtime, [, name, options]: RuleCase): Promise<Optimizer> {
  const groups: ParamGroupInit[] = [
    {
      params: { w: { shape: [30, 20] }, 'body.bias': new Float32Array([1, -2, 3]) },
      weightDecay: 0.01,
    },
    { params: { head: { shape: [7] } }, lr: cosine({ lr: 0.01, totalSteps: 25 }) },
    {
      params: { __proto__x: { shape: [5] }, '10': { shape: [1] } },
      lr: reduceOnPlateau({ lr: 1e-3, patience: 0, factor: 0.3 }),
    },
    {
      params: { ice: { shape: [2, 1, 2], data: new Float32Array([1, -0, 2 ** -149, 4]) } },
      frozen: true,
    },
  ];
  return createOptimizer(name, groups, { runtime, ...options });
}

function train(optimizer: Optimizer, from: number, to: number): void {
  for (let t = from; t <= to; t++) {
    fillRough(optimizer, t, 2 ** (t % 5));
    optimizer.step();
    const { lr } = optimizer.paramGroups[2];
    if (isStatefulSchedule(lr)) lr.update?.(t % 4);
  }
}

const CASES: readonly RuleCase[] = [
  ...RULE_CASES,
  ['adal in bf16, with the spike guard', 'adal', { state: 'bf16', clipNormRatio: 2, seed: 7 }],
  ['adal in 8 bits, without eps', 'adal', { state: '8bit', min8bitSize: 100, eps: 0 }],
  [
    'adamw in 8 bits, clipped',
    'adamw',
    { state: '8bit', min8bitSize: 100, clipGradNorm: { max: 1, scope: 'tensor' } },
  ],
];

describe.each(CASES)('%s', (...rule) => {
  it('goes on from a checkpoint as if it had not stopped, on another backend too', async () => {
    await withRuntime(simd, async (runtime) => {
      const whole = await create(runtime, rule);
      train(whole, 1, 9);
      const dict = whole.stateDict();
      const bytes = encodeCheckpoint(dict, { epoch: 3 });
      const { stateDict, extras } = decodeCheckpoint(bytes);
      expect(stateDict).toEqual(dict);
      expect(extras).toEqual({ epoch: 3 });
      train(whole, 10, 20);
      for (const backend of [simd, oracle]) {
        await withRuntime(backend, async (other) => {
          const resumed = await create(other, rule);
          train(resumed, 50, 52);
          resumed.loadStateDict(decodeCheckpoint(bytes).stateDict);
          train(resumed, 10, 20);
          expect(snapshot(resumed)).toEqual(snapshot(whole));
        });
      }
    });
  });
});

const namesIn = (bytes: Uint8Array): string[] =>
  Object.keys(decodeSafetensors(bytes).tensors).sort();

describe('AdaL', () => {
  it.each([
    [1, ['w', 'w.exp_avg', 'w.exp_avg_sq']],
    [1e-12, ['w', 'w.adal_m', 'w.adal_v']],
    [1e15, ['w', 'w.adal_m', 'w.adal_v']],
  ])('at gradients of %f is stored as %s', async (scale, names) => {
    await withRuntime(simd, (runtime) => {
      const run = () => new AdaL(runtime, { w: { shape: [100] } }, { eps: 0 });
      const [whole, resumed] = [run(), run()];
      for (let t = 1; t <= 40; t++) {
        if (t === 20) {
          const bytes = encodeCheckpoint(whole.stateDict());
          expect(namesIn(bytes)).toEqual(names);
          resumed.loadStateDict(decodeCheckpoint(bytes).stateDict);
        }
        fillRough(whole, t, scale);
        whole.step();
        if (t < 20) continue;
        fillRough(resumed, t, scale);
        resumed.step();
      }
      expect(snapshot(resumed)).toEqual(snapshot(whole));
    });
  });

  it('in true scale has the moments of the unscaled rule', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new AdaL(runtime, { w: new Float32Array([0, 0]) }, { betas: [0.5, 0.75] });
      optimizer.step({ w: new Float32Array([1, -3]) });
      const { tensors } = decodeSafetensors(encodeCheckpoint(optimizer.stateDict()));
      // ĝ = ‖g‖₁·g = 4·(1, -3)
      expect([...(tensors['w.exp_avg'].data as Float32Array)]).toEqual([2, -6]);
      expect([...(tensors['w.exp_avg_sq'].data as Float32Array)]).toEqual([4, 36]);
    });
  });

  it('comes back bit for bit, whatever its moments and exponent; the form follows the rule', () => {
    const bits = fc
      .nat({ max: 0xffffffff })
      .map((word) => ((word & 0x7f800000) === 0x7f800000 ? word & ~0x40000000 : word) >>> 0);
    const words = fc.array(bits, { minLength: 3, maxLength: 3 });
    const zeros = fc.constant([0, 0x80000000, 0]);
    const moderate = fc.array(
      fc.nat(0x1fffffff).map((word) => 0x30000000 + word),
      { minLength: 3, maxLength: 3 },
    );
    const moments = fc.oneof(words, zeros, moderate);
    const exponents = fc.oneof(
      fc.integer({ min: -1100, max: 1100 }),
      fc.integer({ min: -60, max: 60 }),
    );
    const forms = new Set<string>();
    fc.assert(
      fc.property(moments, moments, exponents, (mBits, vBits, exponent) => {
        const [m, signed] = [mBits, vBits].map(
          (given) => new Float32Array(new Uint32Array(given).buffer),
        );
        const v = signed.map((x) => (x < 0 ? -x : x));
        const dict = dictOf('adal', [3], { m, v }, exponent);
        const bytes = encodeCheckpoint(dict);
        expect(decodeCheckpoint(bytes).stateDict).toEqual(dict);
        const isNormal = (x: number, k: number) => {
          const scaled = Math.abs(x) * 2 ** Math.max(-500, Math.min(500, k));
          return x === 0 || (scaled >= 2 ** -126 && scaled < 2 ** 128);
        };
        const plain =
          m.every((x) => isNormal(x, exponent)) && v.every((x) => isNormal(x, 2 * exponent));
        forms.add(plain ? 'plain' : 'scaled');
        expect(namesIn(bytes)).toEqual(
          plain ? ['w', 'w.exp_avg', 'w.exp_avg_sq'] : ['w', 'w.adal_m', 'w.adal_v'],
        );
      }),
      { numRuns: 2000 },
    );
    expect(forms.size).toBe(2);
  });

  it('is stored scaled when it is compact, or its rows have exponents of their own', () => {
    const bf16: StateArray = { dtype: 'bf16', bits: new Uint16Array([1, 2]) };
    expect(namesIn(encodeCheckpoint(dictOf('adal', [2], { m: bf16, v: bf16 })))).toEqual([
      'w',
      'w.adal_m',
      'w.adal_v',
    ]);
    const floats = new Float32Array([1, 2]);
    const rows = encodeCheckpoint(
      dictOf('adal', [2], { m: floats, v: floats, exponents: new Int16Array(2) }),
    );
    expect(namesIn(rows)).toEqual(['w', 'w.adal_m', 'w.adal_v', 'w.exponents']);
  });
});

describe('state arrays', () => {
  it('of every kind come back as they were', () => {
    const arrays: Record<string, StateArray> = {
      exp_avg: new Float32Array([1, -0, 2 ** -149, 3, 4, -(2 ** 127)]),
      half: { dtype: 'bf16', bits: Uint16Array.from([0, 0x8000, 0x7f7f, 1, 2, 3]) },
      coded: {
        dtype: '8bit',
        codes: Uint8Array.from([0, 1, 255, 7, 8, 9]),
        scales: new Float32Array([0.5, 2 ** -140]),
      },
      rows: Int16Array.from([-32768, 32767]),
      row_sums: new Float32Array([7, 8]),
    };
    for (const algorithm of ['adam', 'adal']) {
      const { exp_avg, ...further } = arrays;
      const dict = dictOf(
        algorithm,
        [2, 3],
        algorithm === 'adal' ? { m: exp_avg, v: arrays.half, ...further } : arrays,
      );
      const bytes = encodeCheckpoint(dict);
      expect(decodeCheckpoint(bytes).stateDict).toEqual(dict);
      const { tensors } = decodeSafetensors(bytes);
      const described = Object.entries(tensors).map(
        ([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`,
      );
      for (const tensor of [
        'w.half BF16 [2,3]',
        'w.coded U8 [2,3]',
        'w.coded.scales F32 [2]',
        'w.rows I64 [2]',
        'w.row_sums F32 [2]',
      ]) {
        expect(described).toContain(tensor);
      }
    }
  });

  it('further keys of the dict and of a state come back too', () => {
    const dict = { ...dictOf('adam', [1], {}), rng: [1, 2, 3], note: null } as StateDict;
    Object.assign(dict.state.w, { A: 1 / 3 });
    expect(decodeCheckpoint(encodeCheckpoint(dict)).stateDict).toEqual(dict);
  });
});

describe('extras', () => {
  const dict = dictOf('adam', [1], {});

  it('come back as they were', () => {
    const floats = fc.float32Array({ maxLength: 4 });
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        fc.string(),
        fc.double(),
        floats,
        fc.float64Array({ maxLength: 3 }),
        fc.uint8Array({ maxLength: 3 }),
        fc.bigInt64Array({ maxLength: 3 }),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.string({ maxLength: 4 }), tie('tree'), { maxKeys: 3 }),
      ),
    }));
    // Paths of nested keys may be the same ("a.b" in one key, or in two): that is refused, as it
    // should be.
    let read = 0;
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]+$/), tree, { maxKeys: 3 }), (extras) => {
        const encode = () => encodeCheckpoint(dict, extras as CheckpointExtras);
        const error = caught(encode);
        if (error) {
          expect((error as Error).message).toMatch(/a name of its own in the checkpoint/);
          return;
        }
        expect(decodeCheckpoint(encode())).toEqual({ stateDict: dict, extras });
        read++;
      }),
    );
    expect(read).toBeGreaterThan(50);
  });

  it('are stored as tensors named by their paths', () => {
    const average = { updates: 3, params: { w: { shape: [2], data: new Float32Array([1, 2]) } } };
    const bytes = encodeCheckpoint(dict, { average, epoch: 0.1 + 0.2 });
    expect(namesIn(bytes)).toEqual(['extras.average.params.w.data', 'w']);
    expect(decodeCheckpoint(bytes).extras).toEqual({ average, epoch: 0.1 + 0.2 });
  });

  it.each<[string, unknown, string]>([
    ['no object', 7, 'extras'],
    ['undefined', { a: { b: undefined } }, 'extras.a.b'],
    ['a hole', { a: new Array(2) }, 'extras.a[0]'],
    ['a function', { a: () => 1 }, 'extras.a'],
    ['a bigint', { a: 1n }, 'extras.a'],
    ['a Map', { a: new Map() }, 'extras.a'],
    ['an array of bits', { a: new Uint16Array(1) }, 'extras.a'],
    ['the key that stands for tensors', { a: { $tensor: 'w' } }, 'extras.a'],
    ['the key that stands for NaN', { a: { $number: 'NaN' } }, 'extras.a'],
  ])('refuses %s', (_, extras, argument) => {
    const error = caught(() => encodeCheckpoint(dict, extras as CheckpointExtras));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ argument });
  });

  it('refuses more of them than it would read again', () => {
    const many = Array.from({ length: 300_000 }, () => ({}));
    expect(() => encodeCheckpoint(dict, { many })).toThrow(
      /"extras" expected at most 2\d+ objects, arrays and fields/,
    );
    // With more tensors there may be more: a model of 50,000 parameters has a million.
    expect(
      decodeCheckpoint(encodeCheckpoint(dict, { many, floats: new Float32Array(500_000) })).extras
        .many,
    ).toHaveLength(300_000);
  });

  it('refuses endless nesting', () => {
    const loop: Record<string, unknown> = {};
    loop.a = loop;
    expect(() => encodeCheckpoint(dict, loop as CheckpointExtras)).toThrow(
      /nested at most 64 deep/,
    );
  });
});

describe('names', () => {
  const two = (
    first: string,
    second: string,
    algorithm = 'adam',
    arrays: Record<string, StateArray> = { exp_avg: new Float32Array(1) },
  ) => {
    const { params, state, ...head } = dictOf(algorithm, [1], arrays);
    const both = <T>(value: T) => ({ [first]: value, [second]: value });
    return { ...head, params: both(params.w), state: both(state.w) };
  };
  const codes: StateArray = {
    dtype: '8bit',
    codes: new Uint8Array(1),
    scales: new Float32Array(1),
  };
  const moments = { m: new Float32Array(1), v: new Float32Array(1) };

  it.each<[string, StateDict, string, string]>([
    ['__metadata__', two('w', '__metadata__'), 'stateDict.params.__metadata__', '"__metadata__"'],
    [
      'w.exp_avg beside w',
      two('w', 'w.exp_avg'),
      'stateDict.state.w.arrays.exp_avg',
      '"w.exp_avg", as stateDict.params.w.exp_avg has',
    ],
    [
      'w.a.scales beside w',
      two('w', 'w.a.scales', 'adam', { a: codes }),
      'stateDict.state.w.arrays.a',
      '"w.a.scales"',
    ],
    [
      'w.exp_avg beside w of AdaL',
      two('w', 'w.exp_avg', 'adal', moments),
      'stateDict.state.w.arrays.exp_avg',
      '"w.exp_avg"',
    ],
    [
      'w.adal_v beside w of AdaL, whatever its form',
      two('w', 'w.adal_v', 'adal', moments),
      'stateDict.state.w.arrays.adal_v',
      '"w.adal_v"',
    ],
  ])('%s is refused', (_, dict, argument, got) => {
    const error = caught(() => encodeCheckpoint(dict));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ argument });
    expect((error as Error).message).toContain(got);
  });

  it('of extras collide likewise', () => {
    const dict = two('w', 'extras.a');
    expect(caught(() => encodeCheckpoint(dict, { a: new Float32Array(1) }))).toMatchObject({
      argument: 'extras.a',
    });
  });
});
