/** Muon: matrices orthogonalised, everything else by AdamW. */
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/checkpoint';
import {
  AdamW,
  ArgumentError,
  Muon,
  type MuonOptions,
  NonFiniteGradientError,
  type Runtime,
  SGD,
} from '../../src/index';
import { Prng } from '../../src/math/prng';
import { batchNorm, createModel, dense, fit, relu, sequential } from '../../src/nn';
import { cosine, multiply } from '../../src/schedules';
import { clouds } from '../nn/clouds';
import { BACKENDS, bitsOf, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { snapshot } from '../support/snapshot';
import { stateOf } from '../support/state';

/** Wide, tall, square, one row, one column, a kernel; sides around panels and tasks. */
const SHAPES: Record<string, number[]> = {
  wide: [17, 70],
  tall: [70, 33],
  square: [48, 48],
  row: [1, 9],
  column: [7, 1],
  kernel: [6, 3, 3, 4],
  vector: [21],
};

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

function random(seed: number, t: number, scale = 1): Record<string, Float32Array> {
  const prng = new Prng(seed, t);
  return Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => scale * prng.normal()),
    ]),
  );
}

function create(runtime: Runtime, options: MuonOptions = {}): Muon {
  const data = random(3, 0);
  const params = Object.entries(SHAPES).map(([name, shape]) => [name, { shape, data: data[name] }]);
  return new Muon(runtime, Object.fromEntries(params), options);
}

/** Singular values of a matrix, squared: the eigenvalues of M·Mᵀ by Jacobi's rotations. */
function squaredSingularValues(m: ArrayLike<number>, rows: number, columns: number): number[] {
  const a = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: rows }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += m[i * columns + k]! * m[j * columns + k]!;
      return sum;
    }),
  );
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < rows; p++) {
      for (let q = p + 1; q < rows; q++) {
        const angle = 0.5 * Math.atan2(2 * a[p]![q]!, a[q]![q]! - a[p]![p]!);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < rows; k++) {
          const [x, y] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = c * x - s * y;
          a[k]![q] = s * x + c * y;
        }
        for (let k = 0; k < rows; k++) {
          const [x, y] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = c * x - s * y;
          a[q]![k] = s * x + c * y;
        }
      }
    }
  }
  return a.map((row, i) => row[i]!);
}

describe('Muon', () => {
  it.each<[string, MuonOptions]>([
    ['as it is', {}],
    ['decayed, matched to AdamW', { adjustLr: 'match-rms-adamw', weightDecay: 0.1, l2: 0.01 }],
    ['without Nesterov, clipped', { nesterov: false, clipGradNorm: 1, clipGradValue: 0.5 }],
  ])('%s: has the same bits on every backend and thread count', async (_, options) => {
    const run = (backend: (typeof BACKENDS)[number]) =>
      withRuntime(backend, async (runtime) => {
        const optimizer = create(runtime, options);
        for (let t = 1; t <= 18; t++) {
          const grads = random(5, t, t > 12 ? 1e-22 : 1);
          if (t % 2) optimizer.step(grads);
          else await optimizer.stepAsync(grads);
        }
        const { params, state } = optimizer.stateDict();
        return [
          ...Object.values(params).map(({ data }) => bitsOf(data)),
          ...Object.values(state).flatMap(({ arrays }) => Object.values(arrays).map(bitsOf)),
        ];
      });
    const reference = await run(oracle);
    for (const backend of [simd, ...THREAD_CASES])
      expect(await run(backend), backend.name).toEqual(reference);
  });

  it.each(['wide', 'tall', 'square', 'kernel'])(
    'moves all directions of %s alike',
    async (name) => {
      await withRuntime(simd, (runtime) => {
        const optimizer = create(runtime, { lr: 1 });
        const before = optimizer.params[name]!.slice();
        optimizer.step(random(5, 1));
        const [rows, columns] = [SHAPES[name]![0]!, before.length / SHAPES[name]![0]!];
        const scale = Math.sqrt(Math.max(1, rows / columns));
        const move = optimizer.params[name]!.map((x, i) => (before[i]! - x) / scale);
        const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)];
        const flat =
          rows <= columns
            ? move
            : Float32Array.from(move, (_, i) => move[(i % long) * columns + Math.floor(i / long)]!);
        // What the author's coefficients do: singular values between about 0.7 and 1.2.
        for (const value of squaredSingularValues(flat, short, long)) {
          expect(value).toBeGreaterThan(0.3);
          expect(value).toBeLessThan(1.5);
        }
      });
    },
  );

  it('moves by the scale that adjustLr names, whatever the size of the gradient', async () => {
    await withRuntime(simd, (runtime) => {
      const rms = (options: MuonOptions, name: string, size: number) => {
        const optimizer = create(runtime, { lr: 1, ...options });
        const before = optimizer.params[name]!.slice();
        optimizer.step(random(5, 1, size));
        const moves = optimizer.params[name]!.map((x, i) => x - before[i]!);
        return Math.sqrt(moves.reduce((sum, x) => sum + x * x, 0) / moves.length);
      };
      for (const [name, rows, columns] of [
        ['wide', 17, 70],
        ['tall', 70, 33],
      ] as const) {
        const own = rms({}, name, 1);
        const matched = rms({ adjustLr: 'match-rms-adamw' }, name, 1);
        const ratio = 0.2 * Math.sqrt(Math.max(rows, columns));
        expect(matched / own).toBeCloseTo(ratio / Math.sqrt(Math.max(1, rows / columns)), 3);
        expect(matched).toBeGreaterThan(0.15);
        expect(matched).toBeLessThan(0.25);
        for (const size of [1e-3, 1e10]) expect(rms({}, name, size) / own).toBeCloseTo(1, 2);
      }
    });
  });

  it('does not move matrices without gradients', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = create(runtime);
      const before = optimizer.stateDict().params;
      for (let t = 0; t < 3; t++) optimizer.step(random(5, 1, 0));
      expect(optimizer.stateDict().params).toEqual(before);
    });
  });

  it('keeps padding zero', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = create(runtime, { weightDecay: 0.1 });
      for (let t = 1; t <= 5; t++) optimizer.step(random(5, t));
      const { buffer, byteOffset } = optimizer.params.row!;
      expect([...new Float32Array(buffer, byteOffset + 4 * 9, 7)]).toEqual(Array(7).fill(0));
    });
  });

  it('goes on from a state dict as if nothing had happened', async () => {
    await withRuntime(simd, (runtime) => {
      const whole = create(runtime);
      for (let t = 1; t <= 5; t++) whole.step(random(5, t));
      const dict = whole.stateDict();
      expect(Object.keys(stateOf(dict, 'tall'))).toEqual(['momentum_buffer']);
      expect(Object.keys(stateOf(dict, 'vector'))).toEqual(['exp_avg', 'exp_avg_sq']);
      const resumed = create(runtime);
      resumed.loadStateDict(JSON.parse(JSON.stringify(dict), revive));
      for (let t = 6; t <= 12; t++) {
        whole.step(random(5, t));
        resumed.step(random(5, t));
      }
      expect(snapshot(resumed)).toEqual(snapshot(whole));
      const other = create(runtime, { useMuon: false });
      expect(caught(() => other.loadStateDict(dict))).toBeInstanceOf(ArgumentError);
    });
  });

  it('refuses a non-finite gradient of either kind without changing anything', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = create(runtime);
      for (let t = 1; t <= 3; t++) optimizer.step(random(5, t));
      const before = snapshot(optimizer);
      for (const name of ['tall', 'vector']) {
        const bad = random(5, 4);
        bad[name]![5] = Number.NaN;
        expect(() => optimizer.step(bad)).toThrow(NonFiniteGradientError);
        expect(snapshot(optimizer)).toEqual(before);
      }
      const large = random(5, 4);
      large.vector!.fill(1e20);
      expect(caught(() => optimizer.step(large))).toMatchObject({
        reason: 'overflow',
        parameter: 'vector',
      });
      expect(snapshot(optimizer)).toEqual(before);
    });
  });
});

describe('Muon elsewhere', () => {
  it('is in checkpoints as it is', async () => {
    await withRuntime(simd, (runtime) => {
      const lr = multiply(0.5, cosine({ lr: 0.04, totalSteps: 20 }));
      const whole = create(runtime, { lr });
      for (let t = 1; t <= 4; t++) whole.step(random(5, t));
      const bytes = encodeCheckpoint(whole.stateDict());
      const resumed = create(runtime, { lr });
      resumed.loadStateDict(decodeCheckpoint(bytes).stateDict);
      for (const optimizer of [whole, resumed]) optimizer.step(random(5, 5));
      expect(snapshot(resumed)).toEqual(snapshot(whole));
    });
  });

  it('trains models, whose biases and gains AdamW takes', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = sequential([dense(12), batchNorm(), relu(), dense(3)]);
      const model = await createModel(runtime, { inputSize: 4, layers, batchSize: 16, seed: 3 });
      const optimizer = new Muon(runtime, model.parameters, {
        groups: [{ match: /^dense2/, useMuon: false, lr: 1e-2 }],
        adamLr: 1e-2,
      });
      expect(optimizer.paramGroups.map(({ params }) => params)).toEqual([
        ['dense1.weight'],
        ['dense1.bias', 'batchNorm1.gamma', 'batchNorm1.beta'],
        ['dense2.weight', 'dense2.bias'],
      ]);
      const { epochs } = await fit(model, clouds(101, 1), { optimizer, epochs: 14, seed: 5 });
      expect(epochs.at(-1)!.loss).toBeLessThan(0.5 * epochs[0]!.loss);
    });
  });
});

/** JSON has typed arrays as objects of numbers by index. */
function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('0' in value) || Array.isArray(value))
    return value;
  return Float32Array.from(Object.values(value as Record<string, number>));
}

describe('groups of Muon', () => {
  it('are split: what has one axis follows in a group of its own, by AdamW', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = create(runtime, {
        lr: 0.05,
        adamLr: 1e-3,
        groups: [{ match: /square|column/, useMuon: false, lr: 2e-3 }],
      });
      const seen = optimizer.paramGroups.map(({ params, useMuon, lr }) => [params, useMuon, lr]);
      expect(seen).toEqual([
        [['wide', 'tall', 'row', 'kernel'], true, 0.05],
        [['vector'], false, 1e-3],
        [['square', 'column'], false, 2e-3],
      ]);
      const params = { m: { shape: [2, 2] }, v: { shape: [2] } };
      const added = optimizer.addParamGroup({ params, lr: 0.01 });
      expect([added.params, added.useMuon, optimizer.paramGroups.length]).toEqual([['m'], true, 5]);
    });
  });

  it('of one kind alone are one group', async () => {
    await withRuntime(simd, (runtime) => {
      const groups = (shape: number[]) => new Muon(runtime, { w: { shape } }).paramGroups;
      expect(groups([3, 2]).map(({ useMuon, lr }) => [useMuon, lr])).toEqual([[true, 0.02]]);
      expect(groups([3]).map(({ useMuon, lr }) => [useMuon, lr])).toEqual([[false, 3e-4]]);
    });
  });

  it('keep float32 state: there is no compact one', async () => {
    await withRuntime(simd, (runtime) => {
      const options = { state: 'bf16' } as MuonOptions;
      expect(caught(() => new Muon(runtime, { w: { shape: [3, 2] } }, options))).toMatchObject({
        code: 'ERR_ARGUMENT',
        argument: 'options.state',
      });
      const { state } = new Muon(runtime, { w: { shape: [64, 64] } }).memory();
      expect(state).toBe(2 * 4 * 64 * 64);
    });
  });

  it('without useMuon have the bits of AdamW', async () => {
    await withRuntime(simd, (runtime) => {
      const options = { lr: 1e-3, weightDecay: 0.1, eps: 1e-8 };
      const data = random(3, 0);
      const params = { wide: { shape: SHAPES.wide!, data: data.wide }, vector: data.vector! };
      const adamw = new AdamW(runtime, params, { ...options, betas: [0.9, 0.95] });
      const muon = new Muon(runtime, params, { ...options, useMuon: false });
      for (let t = 1; t <= 5; t++) {
        const { wide, vector } = random(5, t);
        adamw.step({ wide: wide!, vector: vector! });
        muon.step({ wide: wide!, vector: vector! });
      }
      for (const name of ['wide', 'vector'] as const)
        expect(bitsOf(muon.params[name])).toEqual(bitsOf(adamw.params[name]));
    });
  });

  it('that are frozen stay, and others move', async () => {
    for (const backend of BACKENDS) {
      await withRuntime(backend, (runtime) => {
        const frozen = create(runtime, { groups: [{ match: /^(tall|square)$/, frozen: true }] });
        const before = frozen.stateDict().params;
        frozen.step(random(5, 1));
        const moved = frozen.stateDict().params;
        for (const name of ['tall', 'square']) expect(moved[name]).toEqual(before[name]);
        for (const name of ['wide', 'kernel', 'vector'])
          expect(moved[name]).not.toEqual(before[name]);
        frozen.paramGroups.at(-1)!.frozen = false;
        frozen.step(random(5, 2));
        expect(frozen.stateDict().params.tall).not.toEqual(before.tall);
      });
    }
  });

  it('take sparse rows by AdamW', async () => {
    await withRuntime(simd, (runtime) => {
      const words = { shape: [20, 4], sparse: true };
      const dense = { w: { shape: [3, 2] } };
      const optimizer = new Muon(runtime, [
        { params: dense },
        { params: { words }, useMuon: false, lr: 1e-3 },
      ]);
      optimizer.stepRows('words', [3], new Float32Array(4).fill(1));
      expect(optimizer.params.words[12]).toBeCloseTo(-1e-3, 6);
      optimizer.step({ w: new Float32Array(6).fill(1) });
      const split = new Muon(runtime, { words, ...dense }).paramGroups;
      expect(split.map(({ params, useMuon }) => [params, useMuon])).toEqual([
        [['w'], true],
        [['words'], false],
      ]);
    });
  });

  it.each<[MuonOptions, string]>([
    [{ adjustLr: 'other' as never }, 'adjustLr'],
    [{ nesterov: 1 as never }, 'nesterov'],
    [{ adamLr: -1 }, 'adamLr'],
    [{ useMuon: 'yes' as never }, 'useMuon'],
    [{ momentum: 1 }, 'momentum'],
    [{ adamLr: 1, weightDecay: 3 }, 'weightDecay'],
  ])('refuse %o', async (options, argument) => {
    await withRuntime(simd, (runtime) => {
      const { usedBytes } = runtime.info;
      expect(caught(() => create(runtime, options))).toMatchObject({ argument });
      expect(runtime.info.usedBytes).toBe(usedBytes);
    });
  });

  it('need memory for one workspace, that of the largest matrix', async () => {
    await withRuntime(simd, (runtime) => {
      const scratch = (params: Record<string, { shape: number[] }>) =>
        new Muon(runtime, params).memory().scratch;
      const one = scratch({ a: { shape: [64, 256] } });
      expect(scratch({ a: { shape: [64, 256] }, b: { shape: [256, 64] } }) - one).toBeLessThan(2e3);
      const floats = 3 * 64 * 272 + 2 * 64 * 80;
      expect(one).toBeLessThan(4 * floats + 4 * 256 * 16 + 2e4);
      const { total } = new Muon(runtime, { a: { shape: [64, 256] } }).memory();
      expect(total).toBeGreaterThan(new SGD(runtime, { a: { shape: [64, 256] } }).memory().total);
    });
  });
});
