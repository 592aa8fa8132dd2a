/**
 * Adam's state as PyTorch has it: golden trajectories that PyTorch began are continued here from a
 * file, and the other way round. The files of step 8 are made from PyTorch's own parameters and,
 * since its moments are not in the golden data, from the moments' definition in float64.
 */
import { describe, expect, it } from 'vitest';
import {
  CheckpointError,
  decodePyTorchAdam,
  decodeSafetensors,
  encodePyTorchAdam,
  encodeSafetensors,
  type SafetensorsInput,
} from '../../src/checkpoint';
import {
  ArgumentError,
  createOptimizer,
  type Optimizer,
  type OptimizerName,
  type Runtime,
  type StateDict,
} from '../../src/index';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { type GoldenCase, loadGolden } from '../support/golden';
import { concat, toleranceOf } from '../support/golden-run';
import { snapshot } from '../support/snapshot';
import { stateOf } from '../support/state';

const SPLIT = 8;
/**
 * Coupled L2 is left out: with it the moments depend on parameters that the golden data do not
 * have.
 */
const cases = loadGolden().filter(
  ({ optimizer, options }) => ['adam', 'adamw', 'amsgrad'].includes(optimizer) && !options.l2,
);

interface Moments {
  m: Float64Array;
  v: Float64Array;
  max: Float64Array;
}

/** One step of PyTorch's rule in float64; `theta` is left alone when it is not given. */
function stepInFloat64(
  { m, v, max }: Moments,
  g: readonly number[],
  t: number,
  { optimizer, options }: GoldenCase,
  theta?: Float64Array,
): void {
  const {
    lr,
    betas,
    eps,
    weightDecay = 0,
  } = options as { lr: number; betas: [number, number]; eps: number; weightDecay?: number };
  for (let i = 0; i < g.length; i++) {
    m[i] = betas[0] * m[i] + (1 - betas[0]) * g[i];
    v[i] = betas[1] * v[i] + (1 - betas[1]) * g[i] ** 2;
    max[i] = Math.max(max[i], v[i]);
    if (!theta) continue;
    const denominator =
      Math.sqrt((optimizer === 'amsgrad' ? max : v)[i]) / Math.sqrt(1 - betas[1] ** t) + eps;
    theta[i] =
      theta[i] * (1 - lr * weightDecay) - ((lr / (1 - betas[0] ** t)) * m[i]) / denominator;
  }
}

/** The file that the three lines of Python would have saved after 8 steps. */
function fileAtSplit(
  golden: GoldenCase,
  stepTensor: (step: number) => SafetensorsInput,
): Uint8Array {
  const tensors: Record<string, SafetensorsInput> = {};
  for (const [index, { name, shape }] of golden.params.entries()) {
    const values = golden.expected[SPLIT][index];
    const zeros = () => new Float64Array(values.length);
    const moments = { m: zeros(), v: zeros(), max: zeros() };
    for (let t = 1; t <= SPLIT; t++) stepInFloat64(moments, golden.grads[t - 1][index], t, golden);
    const floats = (data: ArrayLike<number>) => ({ shape, data: Float32Array.from(data) });
    tensors[name] = floats(values);
    tensors[`${name}.step`] = stepTensor(SPLIT);
    tensors[`${name}.exp_avg`] = floats(moments.m);
    tensors[`${name}.exp_avg_sq`] = floats(moments.v);
    if (golden.optimizer === 'amsgrad') tensors[`${name}.max_exp_avg_sq`] = floats(moments.max);
  }
  return encodeSafetensors(tensors);
}

const STEPS: [string, (step: number) => SafetensorsInput][] = [
  ['a float32 scalar', (step) => ({ shape: [], data: new Float32Array([step]) })],
  ['one int64', (step) => ({ shape: [1], data: new BigInt64Array([BigInt(step)]) })],
];

function create(runtime: Runtime, { optimizer, options, params }: GoldenCase): Promise<Optimizer> {
  const values = Object.fromEntries(
    params.map(({ name, shape, init }) => [name, { shape, data: new Float32Array(init) }]),
  );
  return createOptimizer(optimizer as OptimizerName, values, { ...options, runtime });
}

/** Steps up to t; returns Σ over steps of the largest move of any element. */
function train(
  optimizer: Optimizer,
  { params, grads }: GoldenCase,
  from: number,
  to: number,
): number {
  const weights = () => concat(params.map(({ name }) => optimizer.params[name]));
  let path = 0;
  for (let t = from; t <= to; t++) {
    const before = weights();
    optimizer.step(
      Object.fromEntries(params.map(({ name }, i) => [name, new Float32Array(grads[t - 1][i])])),
    );
    path += weights().reduce((largest, x, i) => Math.max(largest, Math.abs(x - before[i])), 0);
  }
  return path;
}

describe.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  it.each(STEPS)(
    'begun by PyTorch (step is %s) goes on here as PyTorch would have',
    async (_, stepTensor) => {
      await withRuntime(simd, async (runtime) => {
        const path = train(await create(runtime, golden), golden, 1, golden.steps);
        const optimizer = await create(runtime, golden);
        optimizer.loadStateDict(
          decodePyTorchAdam(fileAtSplit(golden, stepTensor), optimizer.stateDict()),
        );
        expect(optimizer.stepCount).toBe(SPLIT);
        train(optimizer, golden, SPLIT + 1, golden.steps);
        for (const [index, { name }] of golden.params.entries()) {
          for (const [i, want] of golden.expected[golden.steps][index].entries()) {
            const distance = Math.abs(optimizer.params[name][i] - want);
            expect(distance, `${name}[${i}]`).toBeLessThanOrEqual(
              toleranceOf(want, golden.steps, path),
            );
          }
        }
      });
    },
  );

  it('begun here goes on in PyTorch’s rule as if PyTorch had begun it', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await create(runtime, golden);
      const path = train(optimizer, golden, 1, SPLIT);
      const { tensors, metadata } = decodeSafetensors(encodePyTorchAdam(optimizer.stateDict()));
      expect(metadata).toEqual({ format: 'pt' });
      expect(Object.keys(tensors)).toHaveLength(
        golden.params.length * (golden.optimizer === 'amsgrad' ? 5 : 4),
      );
      const remaining = train(optimizer, golden, SPLIT + 1, golden.steps);
      for (const [index, { name }] of golden.params.entries()) {
        expect(tensors[`${name}.step`]).toEqual({
          dtype: 'F32',
          shape: [],
          data: new Float32Array([SPLIT]),
        });
        const wide = (key: string) => Float64Array.from((tensors[key]?.data ?? []) as Float32Array);
        const theta = wide(name);
        const moments = {
          m: wide(`${name}.exp_avg`),
          v: wide(`${name}.exp_avg_sq`),
          max: wide(`${name}.max_exp_avg_sq`),
        };
        for (let t = SPLIT + 1; t <= golden.steps; t++)
          stepInFloat64(moments, golden.grads[t - 1][index], t, golden, theta);
        for (const [i, want] of golden.expected[golden.steps][index].entries()) {
          const distance = Math.abs(theta[i] - want);
          expect(distance, `${name}[${i}]`).toBeLessThanOrEqual(
            toleranceOf(want, golden.steps, path + remaining),
          );
        }
      }
    });
  });

  it('comes back from its own file bit for bit', async () => {
    await withRuntime(simd, async (runtime) => {
      const [whole, resumed] = [await create(runtime, golden), await create(runtime, golden)];
      train(whole, golden, 1, SPLIT);
      resumed.loadStateDict(
        decodePyTorchAdam(encodePyTorchAdam(whole.stateDict()), resumed.stateDict()),
      );
      expect(snapshot(resumed)).toEqual(snapshot(whole));
    });
  });
});

describe('decodePyTorchAdam', () => {
  const floats = (shape: number[], fill = 0): SafetensorsInput => {
    return {
      shape,
      data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(fill),
    };
  };
  const file = (): Record<string, SafetensorsInput> => ({
    w: floats([2, 3], 1),
    'w.exp_avg': floats([2, 3], 2),
    'w.exp_avg_sq': floats([2, 3], 3),
    'w.step': floats([], 5),
    b: floats([4], 7),
  });
  const template = (runtime: Runtime, name: OptimizerName = 'adam') => {
    return createOptimizer(
      name,
      [{ params: { w: { shape: [2, 3] } }, betas: [0.5, 0.75] }, { params: { b: { shape: [4] } } }],
      {
        runtime,
      },
    );
  };

  it('begins the state of parameters that PyTorch never stepped', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await template(runtime);
      const dict = decodePyTorchAdam(encodeSafetensors(file()), optimizer.stateDict());
      expect(dict.step).toBe(5);
      expect(dict.state.w).toMatchObject({ step: 5, beta1Power: 0.5 ** 5, beta2Power: 0.75 ** 5 });
      expect(dict.state.b).toMatchObject({ step: 0, beta1Power: 1, beta2Power: 1 });
      expect(stateOf(dict, 'b')).toEqual({
        exp_avg: new Float32Array(4),
        exp_avg_sq: new Float32Array(4),
      });
      optimizer.loadStateDict(dict);
      expect([...optimizer.params.b]).toEqual([7, 7, 7, 7]);
    });
  });

  it('has the powers of β that so many steps would have made', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await createOptimizer('adamw', { w: { shape: [1] } }, { runtime });
      for (let t = 0; t < 3000; t++) optimizer.step({ w: new Float32Array([1]) });
      const other = await createOptimizer('adamw', { w: { shape: [1] } }, { runtime });
      other.loadStateDict(
        decodePyTorchAdam(encodePyTorchAdam(optimizer.stateDict()), other.stateDict()),
      );
      expect(other.stateDict().state.w).toEqual(optimizer.stateDict().state.w);
      const late = { ...optimizer.stateDict() };
      late.state.w.step = 2 ** 31 - 1;
      const bytes = encodePyTorchAdam(late);
      expect(decodeSafetensors(bytes).tensors['w.step'].dtype).toBe('I64');
      const { w } = decodePyTorchAdam(bytes, other.stateDict()).state;
      expect(w.step).toBe(2 ** 31 - 1);
      expect(w.beta2Power).toBeLessThan(1e-320);
    });
  });

  it.each<[string, (tensors: Record<string, SafetensorsInput>) => unknown, string, string]>([
    ['a parameter missing', (tensors) => delete tensors.b, 'missing', 'tensor "b"'],
    [
      'half a state',
      (tensors) => delete tensors['w.exp_avg_sq'],
      'missing',
      'tensor "w.exp_avg_sq"',
    ],
    ['no step', (tensors) => delete tensors['w.step'], 'missing', 'tensor "w.step"'],
    [
      'a step alone',
      (tensors) => Object.assign(tensors, { 'b.step': floats([], 1) }),
      'missing',
      'tensor "b.exp_avg"',
    ],
    [
      'AMSGrad’s state',
      (tensors) => Object.assign(tensors, { 'w.max_exp_avg_sq': floats([2, 3]) }),
      'unexpected',
      'tensor "w.max_exp_avg_sq"',
    ],
    [
      'another shape',
      (tensors) => Object.assign(tensors, { 'w.exp_avg': floats([3, 2]) }),
      'shape',
      'tensor "w.exp_avg" expected shape [2, 3], got [3, 2]',
    ],
    [
      'another type',
      (tensors) => Object.assign(tensors, { w: { shape: [2, 3], data: new Float64Array(6) } }),
      'dtype',
      'tensor "w" expected F32, got F64',
    ],
    [
      'a step of bytes',
      (tensors) => Object.assign(tensors, { 'w.step': { shape: [], data: new Uint8Array(1) } }),
      'dtype',
      'expected F32, F64 or I64, got U8',
    ],
    [
      'steps',
      (tensors) => Object.assign(tensors, { 'w.step': floats([2]) }),
      'shape',
      'tensor "w.step" expected one element, got shape [2]',
    ],
    [
      'half a step',
      (tensors) => Object.assign(tensors, { 'w.step': floats([], 0.5) }),
      'step',
      'expected an integer in [0, 2^31 - 1], got 0.5',
    ],
    [
      'a negative step',
      (tensors) => Object.assign(tensors, { 'w.step': floats([], -1) }),
      'step',
      'got -1',
    ],
    [
      'a NaN step',
      (tensors) => Object.assign(tensors, { 'w.step': floats([], Number.NaN) }),
      'step',
      'got NaN',
    ],
  ])('refuses %s', async (_, spoil, reason, message) => {
    await withRuntime(simd, async (runtime) => {
      const dict = (await template(runtime)).stateDict();
      const tensors = file();
      spoil(tensors);
      const error = caught(() => decodePyTorchAdam(encodeSafetensors(tensors), dict));
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error).toMatchObject({ reason });
      expect((error as Error).message).toContain(message);
    });
  });

  it.each<[string, OptimizerName, (dict: StateDict) => unknown, string]>([
    ['nothing', 'adam', () => undefined, 'stateDict'],
    ['another algorithm', 'adal', (dict) => dict, 'stateDict.algorithm'],
    ['no params', 'adam', (dict) => ({ ...dict, params: 3 }), 'stateDict.params'],
    ['no state', 'adam', (dict) => ({ ...dict, state: {} }), 'stateDict.state.w'],
    [
      'compact state',
      'adam',
      (dict) => {
        dict.state.b.arrays.exp_avg_sq = { dtype: 'bf16', bits: new Uint16Array(4) };
        return dict;
      },
      'stateDict.state.b.arrays.exp_avg_sq',
    ],
  ])('and encodePyTorchAdam refuse a state dict with %s', async (_, name, spoil, argument) => {
    await withRuntime(simd, async (runtime) => {
      const dict = spoil((await template(runtime, name)).stateDict()) as StateDict;
      for (const body of [
        () => decodePyTorchAdam(encodeSafetensors(file()), dict),
        () => encodePyTorchAdam(dict),
      ]) {
        const error = caught(body);
        expect(error).toBeInstanceOf(ArgumentError);
        expect(error).toMatchObject({ argument });
      }
    });
  });

  it('passes numbers through unchanged', async () => {
    await withRuntime(simd, async (runtime) => {
      const dict = (await template(runtime)).stateDict();
      dict.state.w.arrays.exp_avg = new Float32Array([1, -0, 2 ** -149, 3, 4, 5]);
      const { state } = decodePyTorchAdam(encodePyTorchAdam(dict), dict);
      expect(bitsOf(stateOf({ ...dict, state }, 'w').exp_avg)).toEqual(
        bitsOf(stateOf(dict, 'w').exp_avg),
      );
    });
  });
});
