/** The exponential moving average of weights. */
import { describe, expect, it } from 'vitest';
import { ExponentialMovingAverage } from '../../src/entries/gradients';
import { AdaL, createRuntime, DisposedError, OutOfMemoryError, SGD } from '../../src/index';
import { createModel, dense, relu } from '../../src/nn';
import type { Runtime } from '../../src/runtime/runtime';
import { ordinary } from '../kernels/values';
import { BACKENDS, bitsOf, oracle, simd, withRuntime } from '../support/backends';
import { fillRough } from '../support/gradients';

const { fround } = Math;

/** The averages after 20 steps of training, and what the formula says. */
function train(runtime: Runtime, decay: number | ((update: number) => number)) {
  const optimizer = new AdaL(runtime, { w: ordinary(8200, 1), b: ordinary(5, 2) });
  const average = new ExponentialMovingAverage(optimizer, { decay });
  const reference = { w: optimizer.params.w.slice(), b: optimizer.params.b.slice() };
  for (let t = 1; t <= 20; t++) {
    fillRough(optimizer, t);
    optimizer.step();
    average.update();
    const rest = fround(1 - (typeof decay === 'number' ? decay : decay(t)));
    for (const name of ['w', 'b'] as const) {
      const weights = optimizer.params[name];
      for (const [i, x] of reference[name].entries())
        reference[name][i] = x - fround(rest * fround(x - weights[i]));
    }
  }
  expect(average.updateCount).toBe(20);
  return {
    got: [average.params.w, average.params.b].map(bitsOf),
    expected: [reference.w, reference.b].map(bitsOf),
  };
}

describe.each(BACKENDS)('on $name', (backend) => {
  it.each([
    ['a constant decay', 0.9],
    ['a warm-up', (t: number) => Math.min(0.999, (1 + t) / (10 + t))],
  ])('%s gives the bits of the formula', async (_, decay) => {
    await withRuntime(backend, (runtime) => {
      const { got, expected } = train(runtime, decay);
      expect(got).toEqual(expected);
    });
  });
});

describe('averages', () => {
  it('begin as the weights, stay with constant ones, and follow moving ones', async () => {
    await withRuntime(oracle, (runtime) => {
      const optimizer = new SGD(
        runtime,
        { still: ordinary(100, 5), moving: new Float32Array(1) },
        { lr: 1 },
      );
      const average = new ExponentialMovingAverage(optimizer, { decay: 0.5 });
      const still = bitsOf(optimizer.params.still);
      for (let t = 0; t < 30; t++) {
        optimizer.params.moving[0] = 8;
        average.update();
        if (t === 0) expect(average.params.moving[0]).toBe(4);
        if (t === 2) expect(average.params.moving[0]).toBe(7);
      }
      expect(average.params.moving[0]).toBeCloseTo(8, 5);
      expect(bitsOf(average.params.still)).toEqual(still);
    });
  });

  it('take in parameters that come later, and outlive their optimizer', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: new Float32Array([1]) });
      const average = new ExponentialMovingAverage(optimizer, { decay: 0 });
      optimizer.addParamGroup({ params: { late: new Float32Array([5]) } });
      expect(Object.keys(average.params)).toEqual(['w']);
      average.update();
      expect([average.params.w[0], average.params.late[0]]).toEqual([1, 5]);
      optimizer.dispose();
      expect([average.params.w[0], average.params.late[0]]).toEqual([1, 5]);
      expect(() => average.update()).toThrow(DisposedError);
    });
  });

  it('resume bit for bit', async () => {
    await withRuntime(simd, (runtime) => {
      const decay = (t: number) => t / (t + 3);
      const run = (average: ExponentialMovingAverage, optimizer: SGD, from: number, to: number) => {
        for (let t = from; t <= to; t++) {
          fillRough(optimizer, t);
          optimizer.step();
          average.update();
        }
        return bitsOf(average.params.w);
      };
      const build = () => new SGD(runtime, { w: { shape: [4, 5] } });
      const [a, b] = [build(), build()];
      const first = new ExponentialMovingAverage(a, { decay });
      run(first, a, 1, 7);
      const second = new ExponentialMovingAverage(b, { decay });
      b.loadStateDict(a.stateDict());
      second.loadStateDict(structuredClone(first.stateDict()));
      expect(second.updateCount).toBe(7);
      expect(run(second, b, 8, 12)).toEqual(run(first, a, 8, 12));
    });
  });
});

/** A model with data in its input. */
async function createLoaded(runtime: Runtime) {
  const model = await createModel(runtime, {
    inputSize: 3,
    layers: [dense(8), relu(), dense(4)],
    batchSize: 2,
  });
  model.input.set([1, 2, -1, 0.5, 0, 3]);
  model.labels.set([0, 3]);
  return model;
}

describe('apply', () => {
  it('lets a model evaluate and predict with averages, and train with weights', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createLoaded(runtime);
      const initial = model.predictBatch(2);
      const optimizer = new AdaL(runtime, model.parameters);
      const average = new ExponentialMovingAverage(model.parameters, { decay: 1 - 2 ** -20 });
      for (let t = 0; t < 5; t++) {
        model.computeGradients(2);
        optimizer.step();
      }
      const trained = model.predictBatch(2);
      const loss = model.computeGradients(2);
      expect(trained).not.toEqual(initial);
      average.apply();
      expect(average.applied).toBe(true);
      expect(model.predictBatch(2)).toEqual(initial);
      expect(model.evaluateBatch(2).loss).not.toBe(loss);
      expect(model.computeGradients(2)).toBe(loss);
      average.restore();
      expect(model.predictBatch(2)).toEqual(trained);
      average.apply();
      average.dispose();
      expect(model.predictBatch(2)).toEqual(trained);
      expect(model.evaluateBatch(2).loss).toBe(loss);
    });
  });

  it('the last one applied counts, until it is restored', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createLoaded(runtime);
      const own = model.predictBatch(2);
      const [zeros, ones] = [0, 1].map((value) => {
        const average = new ExponentialMovingAverage(model.parameters, { decay: 0.9 });
        for (const values of Object.values(average.params)) values.fill(value);
        average.apply();
        return average;
      });
      const withOnes = model.predictBatch(2);
      expect(withOnes[0]).not.toBe(0);
      ones.restore();
      expect([...model.predictBatch(2)]).toEqual(Array(8).fill(0));
      ones.apply();
      zeros.restore();
      expect(model.predictBatch(2)).toEqual(withOnes);
      ones.restore();
      expect(model.predictBatch(2)).toEqual(own);
    });
  });
});

describe('memory and misuse', () => {
  it('takes four bytes a parameter and gives them back', async () => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, { w: { shape: [1024] } });
      const { usedBytes } = runtime.info;
      const average = new ExponentialMovingAverage(optimizer);
      expect(runtime.info.usedBytes - usedBytes).toBe(4096);
      average.dispose();
      average.dispose();
      expect(runtime.info.usedBytes).toBe(usedBytes);
      expect(() => average.params.w).toThrow(DisposedError);
      expect(() => average.update()).toThrow(DisposedError);
      expect(() => average.apply()).toThrow(DisposedError);
    });
  });

  it('leaves nothing allocated when memory does not suffice', async () => {
    const runtime = await createRuntime({ backend: 'simd', maxMemory: 2 ** 20 });
    const optimizer = new SGD(runtime, { a: { shape: [40_000] }, b: { shape: [60_000] } });
    const { usedBytes } = runtime.info;
    expect(() => new ExponentialMovingAverage(optimizer)).toThrow(OutOfMemoryError);
    expect(runtime.info.usedBytes).toBe(usedBytes);
    runtime.dispose();
  });

  it('notices a model that is gone', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createLoaded(runtime);
      const average = new ExponentialMovingAverage(model.parameters);
      model.dispose();
      expect(() => average.update()).toThrow(DisposedError);
      expect(() => new ExponentialMovingAverage(model.parameters)).toThrow(DisposedError);
      expect(average.updateCount).toBe(0);
    });
  });

  it('refuses what is out of range, and changes nothing then', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = new SGD(runtime, { w: new Float32Array([1, 2]) });
      for (const decay of [-0.1, 1, NaN, '0.9']) {
        expect(() => new ExponentialMovingAverage(optimizer, { decay } as never)).toThrow(
          /^"decay" expected a number in \[0, 1\)/,
        );
      }
      expect(() => new ExponentialMovingAverage(optimizer, { beta: 1 } as never)).toThrow(
        /^"options.beta"/,
      );
      expect(() => new ExponentialMovingAverage({} as never)).toThrow(
        /^"source" expected at least one parameter/,
      );
      expect(() => new ExponentialMovingAverage({ w: new Float32Array(1) } as never)).toThrow(
        /^"source.w" expected a Parameter/,
      );
      const average = new ExponentialMovingAverage(optimizer, { decay: (t) => t });
      expect(() => average.update()).toThrow(/^"decay\(1\)" expected a number in \[0, 1\), got 1/);
      expect(average.updateCount).toBe(0);
      const dict = average.stateDict();
      const { w } = dict.params;
      const wrong: [unknown, string][] = [
        [{ ...dict, version: 2 }, 'stateDict.version'],
        [{ ...dict, updates: -1 }, 'stateDict.updates'],
        [{ ...dict, params: {} }, 'stateDict.params.w'],
        [{ ...dict, params: { w: { ...w, shape: [2, 1] } } }, 'stateDict.params.w.shape'],
        [
          { ...dict, params: { w: { ...w, data: new Float32Array(3) } } },
          'stateDict.params.w.data',
        ],
      ];
      for (const [given, argument] of wrong) {
        expect(() => average.loadStateDict(given as never)).toThrow(
          expect.objectContaining({ argument }),
        );
      }
      expect(average.stateDict()).toEqual(dict);
    });
  });
});
