/** Schedule-Free's two points: trained at y, used at x, and no way to mix them up. */
import { describe, expect, it } from 'vitest';
import { loadDigits, trainTestSplit } from '../../src/data';
import { averageStates, ExponentialMovingAverage } from '../../src/entries/gradients';
import {
  AdamW,
  ArgumentError,
  BusyError,
  createOptimizer,
  DisposedError,
  ScheduleFreeAdamW,
} from '../../src/index';
import { createModel, dense, evaluate, fit, type Model, relu } from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { BACKENDS, bitsOf, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { type GoldenCase, loadGolden } from '../support/golden';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';

const GOLDEN = loadGolden().filter(({ optimizer }) => optimizer === 'schedule-free-adamw');

/** The published rule in float64: x and y of every element after each step. */
function reference({ options, params, grads, steps }: GoldenCase): { x: number[]; y: number[] }[] {
  const { lr, betas, eps, weightDecay } = options as {
    lr: number;
    betas: [number, number];
    eps: number;
    weightDecay: number;
  };
  const [beta1, beta2] = betas;
  const y = params.flatMap(({ init }) => init);
  const z = [...y];
  const x = [...y];
  const v = y.map(() => 0);
  let sum = 0;
  return Array.from({ length: steps }, (_, t) => {
    sum += lr * lr;
    const c = (lr * lr) / sum;
    for (const [i, g] of grads[t].flat().entries()) {
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      z[i] -= lr * (g / (Math.sqrt(v[i] / (1 - beta2 ** (t + 1))) + eps) + weightDecay * y[i]);
      x[i] = (1 - c) * x[i] + c * z[i];
      y[i] = (1 - beta1) * z[i] + beta1 * x[i];
    }
    return { x: [...x], y: [...y] };
  });
}

it('has cases in the golden file', () => expect(GOLDEN.length).toBeGreaterThan(0));

describe.each(GOLDEN.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
  const expected = reference(golden);

  it('the reference below follows the golden file', () => {
    for (const [step, params] of Object.entries(golden.expected)) {
      for (const [i, y] of params.flat().entries())
        expect(expected[Number(step) - 1].y[i]).toBeCloseTo(y, 10);
    }
  });

  it('x follows the float64 reference, with the same bits on every backend', async () => {
    const run = (backend: (typeof BACKENDS)[number]) => {
      return withRuntime(backend, async (runtime) => {
        const params = Object.fromEntries(
          golden.params.map(({ name, init }) => [name, new Float32Array(init)]),
        );
        const optimizer = new ScheduleFreeAdamW(runtime, params, golden.options);
        return golden.grads.map((grads) => {
          const given = Object.fromEntries(
            golden.params.map(({ name }, i) => [name, new Float32Array(grads[i])]),
          );
          optimizer.step(given);
          return Object.values(optimizer.evaluationParams).map((values) => values.slice());
        });
      });
    };
    const first = await run(oracle);
    for (const [t, arrays] of first.entries()) {
      for (const [i, x] of arrays.flatMap((values) => [...values]).entries()) {
        expect(Math.abs(x - expected[t].x[i]), `step ${t + 1}, element ${i}`).toBeLessThan(
          4e-6 * Math.max(1, Math.abs(x)),
        );
      }
    }
    for (const backend of [simd, ...THREAD_CASES]) {
      const other = await run(backend);
      expect(
        other.map((arrays) => arrays.map(bitsOf)),
        backend.name,
      ).toEqual(first.map((arrays) => arrays.map(bitsOf)));
    }
  });
});

const SHAPES = {
  w: {
    shape: [40, 5],
    data: Float32Array.from({ length: 200 }, (_, i) => Math.fround(Math.sqrt(i))),
  },
  b: { shape: [7] },
};
const NAMES = ['w', 'b'] as const;

function trained(
  runtime: Runtime,
  from = 1,
  to = 9,
  optimizer = new ScheduleFreeAdamW(runtime, SHAPES, { lr: 0.1 }),
) {
  for (let t = from; t <= to; t++) {
    fillRough(optimizer, t);
    optimizer.step();
  }
  return optimizer;
}

const points = ({ params, evaluationParams }: ScheduleFreeAdamW) => ({
  x: NAMES.map((name) => bitsOf(evaluationParams[name])),
  y: NAMES.map((name) => bitsOf(params[name])),
});

describe('before the first step', () => {
  it('x is y, also after parameters were written; training begins there', async () => {
    await withRuntime(simd, (runtime) => {
      const late = new ScheduleFreeAdamW(runtime, SHAPES, { lr: 0.1 });
      for (const name of NAMES) late.params[name].fill(0.75);
      expect(points(late).x).toEqual(points(late).y);
      const early = new ScheduleFreeAdamW(
        runtime,
        { w: new Float32Array(200).fill(0.75), b: new Float32Array(7).fill(0.75) },
        { lr: 0.1 },
      );
      const [a, b] = [late, early].map((optimizer) => points(trained(runtime, 1, 5, optimizer)));
      expect(a).toEqual(b);
    });
  });

  it('so it is for a group that was frozen until then', async () => {
    await withRuntime(simd, (runtime) => {
      const one = () => ({ params: { b: new Float32Array([5]) }, frozen: true });
      const optimizer = new ScheduleFreeAdamW(
        runtime,
        [{ params: { w: new Float32Array([1]) } }, one()],
        { lr: 0.5 },
      );
      optimizer.step({ w: new Float32Array([1]) });
      optimizer.params.b[0] = 8;
      expect(optimizer.evaluationParams.b[0]).toBe(8);
      optimizer.paramGroups[1].frozen = false;
      optimizer.step({ w: new Float32Array([1]), b: new Float32Array([1]) });
      expect(optimizer.evaluationParams.b[0]).toBeCloseTo(7.5, 5);
      expect(optimizer.params.b[0]).toBeCloseTo(7.5, 5);
    });
  });
});

describe('what does not move stays exactly', () => {
  it.each([
    ['lr 0', { lr: 0 }, 1],
    ['zero gradients', { lr: 0.1 }, 0],
  ])('%s', async (_, options, scale) => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new ScheduleFreeAdamW(runtime, SHAPES, { ...options, weightDecay: 0 });
      const before = points(optimizer);
      for (let t = 1; t <= 20; t++) {
        fillRough(optimizer, t, scale);
        optimizer.step();
      }
      expect(points(optimizer)).toEqual(before);
    });
  });

  it('with lr 0 after training, x and y stay to the bit', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = trained(
        runtime,
        1,
        5,
        new ScheduleFreeAdamW(runtime, SHAPES, { lr: (t) => (t > 5 ? 0 : 0.1) }),
      );
      const before = points(optimizer);
      expect(before.x).not.toEqual(before.y);
      expect(points(trained(runtime, 6, 12, optimizer))).toEqual(before);
    });
  });

  it('frozen groups', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new ScheduleFreeAdamW(runtime, SHAPES, {
        lr: 0.1,
        groups: [{ match: /b/ }],
      });
      trained(runtime, 1, 4, optimizer);
      const before = points(optimizer);
      optimizer.paramGroups[1].frozen = true;
      const after = points(trained(runtime, 5, 9, optimizer));
      expect(after.x[1]).toEqual(before.x[1]);
      expect(after.y[1]).toEqual(before.y[1]);
      expect(after.x[0]).not.toEqual(before.x[0]);
    });
  });
});

describe('state dict', () => {
  it('has x as the parameters and y beside the state', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = trained(runtime);
      const dict = optimizer.stateDict();
      const { x, y } = points(optimizer);
      expect(NAMES.map((name) => bitsOf(dict.params[name].data))).toEqual(x);
      expect(NAMES.map((name) => bitsOf(dict.state[name].arrays.y as Float32Array))).toEqual(y);
      expect(Object.keys(dict.state.w.arrays)).toEqual(['z', 'exp_avg_sq', 'y']);
      expect(dict.params.w.shape).toEqual([40, 5]);
      expect(averageStates(runtime, [dict]).w).toEqual(optimizer.evaluationParams.w);
    });
  });

  it.each(BACKENDS)('resumes bit for bit on $name', async (backend) => {
    await withRuntime(backend, (runtime) => {
      for (const stop of [0, 1, 9]) {
        const first = trained(runtime, 1, stop);
        const dict = structuredClone(first.stateDict());
        const second = trained(runtime, 1, 3);
        expect(points(second).x).not.toEqual(points(first).x);
        second.loadStateDict(dict);
        expect(points(second)).toEqual(points(first));
        expect(snapshot(second)).toEqual(snapshot(first));
        expect(snapshot(trained(runtime, stop + 1, 20, second))).toEqual(
          snapshot(trained(runtime, stop + 1, 20, first)),
        );
      }
    });
  });

  it('is refused without y, and nothing has changed then', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = trained(runtime);
      const before = snapshot(optimizer);
      const wrong = (
        change: (dict: ReturnType<typeof optimizer.stateDict>) => unknown,
      ): unknown => {
        const dict = optimizer.stateDict();
        return change(dict) ?? dict;
      };
      const cases: [unknown, string][] = [
        [null, 'stateDict'],
        [wrong((dict) => void delete dict.state.b.arrays.y), 'stateDict.state.b.arrays.y'],
        [
          wrong((dict) => void (dict.state.b.arrays.y = new Float32Array(6))),
          'stateDict.state.b.arrays.y',
        ],
        [
          wrong((dict) => void (dict.params.b.data = new Float32Array(6))),
          'stateDict.params.b.data',
        ],
        [wrong((dict) => void delete dict.state.w.arrays.z), 'stateDict.state.w.arrays.z'],
        [wrong((dict) => void delete dict.params.w), 'stateDict.params.w'],
        [wrong((dict) => void (dict.state.w = null as never)), 'stateDict.state.w'],
        [wrong((dict) => void (dict.step = -1)), 'stateDict.step'],
      ];
      for (const [dict, argument] of cases) {
        expect(() => optimizer.loadStateDict(dict as never), argument).toThrow(ArgumentError);
        expect(() => optimizer.loadStateDict(dict as never)).toThrow(
          expect.objectContaining({ argument }),
        );
      }
      expect(snapshot(optimizer)).toEqual(before);
    });
  });
});

const digits = trainTestSplit(loadDigits(), { seed: 1 });
const LAYERS = [dense(16), relu(), dense(10)];

/** The logits of the first samples. */
function predictSome(model: Model): Float32Array {
  model.input.set(digits.test.features.subarray(0, 32 * 64));
  return model.predictBatch(32);
}

/** A model with these values as its parameters, and no optimizer: what x is compared with. */
async function modelWith(
  runtime: Runtime,
  values: Readonly<Record<string, Float32Array>>,
): Promise<Model> {
  const model = await createModel(runtime, { inputSize: 64, layers: LAYERS });
  for (const [name, { value }] of Object.entries(model.parameters)) value.data.set(values[name]);
  return model;
}

describe('a model', () => {
  it('evaluates and predicts at x by itself, and trains at y', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputSize: 64, layers: LAYERS, seed: 3 });
      const optimizer = new ScheduleFreeAdamW(runtime, model.parameters, { lr: 0.01 });
      const result = await fit(model, digits.train, {
        optimizer,
        validation: digits.test,
        epochs: 1,
      });
      const x = await modelWith(runtime, optimizer.evaluationParams);
      const y = await modelWith(runtime, optimizer.params);
      expect(predictSome(model)).toEqual(predictSome(x));
      expect(predictSome(model)).not.toEqual(predictSome(y));
      expect(evaluate(model, digits.test)).toEqual(evaluate(x, digits.test));
      expect(result.epochs[0].validation?.loss).toBe(evaluate(x, digits.test).loss);
      for (const each of [model, y]) {
        each.input.set(digits.train.features.subarray(0, 32 * 64));
        each.labels.set(digits.train.labels.subarray(0, 32));
      }
      expect(model.computeGradients(32)).toBe(y.computeGradients(32));
      optimizer.step();
      const next = await modelWith(runtime, optimizer.evaluationParams);
      expect(predictSome(model)).toEqual(predictSome(next));
      expect(predictSome(model)).not.toEqual(predictSome(x));
    });
  });

  it('keeps x when the optimizer goes, and is its own again', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputSize: 64, layers: LAYERS, seed: 3 });
      const { usedBytes } = runtime.info;
      const optimizer = new ScheduleFreeAdamW(runtime, model.parameters, { lr: 0.01 });
      await fit(model, digits.train, { optimizer, epochs: 1 });
      const logits = predictSome(model);
      const x = Object.values(optimizer.evaluationParams).map((values) => values.slice());
      optimizer.dispose();
      optimizer.dispose();
      expect(Object.values(model.parameters).map(({ value }) => value.data.slice())).toEqual(x);
      expect(predictSome(model)).toEqual(logits);
      expect(runtime.info.usedBytes).toBe(usedBytes);
      expect(() => optimizer.evaluationParams['dense1.bias']).toThrow(DisposedError);
      for (const { value } of Object.values(model.parameters)) value.data.fill(0);
      expect(predictSome(model).every((logit) => logit === 0)).toBe(true);
    });
  });

  it('is at x again after a moving average of y was applied and restored', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputSize: 64, layers: LAYERS, seed: 3 });
      const optimizer = new ScheduleFreeAdamW(runtime, model.parameters, { lr: 0.01 });
      const average = new ExponentialMovingAverage(optimizer);
      await fit(model, digits.train, { optimizer, epochs: 1 });
      const logits = predictSome(model);
      average.apply();
      expect(predictSome(model)).not.toEqual(logits);
      average.restore();
      expect(predictSome(model)).toEqual(logits);
    });
  });
});

it('views of x cannot be had while a step is under way', async () => {
  await withRuntime(simd, async (runtime) => {
    const optimizer = trained(runtime);
    const pending = optimizer.stepAsync();
    expect(() => optimizer.evaluationParams.w).toThrow(BusyError);
    await pending;
    expect(Object.keys(optimizer.evaluationParams)).toEqual(['w', 'b']);
  });
});

it('all other optimizers evaluate where they train', async () => {
  await withRuntime(simd, async (runtime) => {
    const optimizer = new AdamW(runtime, SHAPES);
    expect(optimizer.evaluationParams).toBe(optimizer.params);
    const free = await createOptimizer('schedule-free-adamw', SHAPES, { runtime });
    expect(free.evaluationParams).not.toBe(free.params);
  });
});
