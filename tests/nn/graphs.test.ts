/**
 * Graphs: gradients against finite differences of the float64 reference, equal bits on every
 * backend, the builder, and the words for graphs that cannot be.
 */
import { describe, expect, it } from 'vitest';
import { type CheckpointStore, memoryStore } from '../../src/checkpoint';
import {
  add,
  apply,
  average,
  batchNorm,
  binaryCrossEntropy,
  concat,
  conv2d,
  createModel,
  crossEntropy,
  dense,
  dropout,
  embedding,
  evaluate,
  extractFeatures,
  fit,
  flatten,
  type Graph,
  globalAvgPool,
  graph,
  huber,
  input,
  layerNorm,
  type ModelOptions,
  maxPool2d,
  meanSquaredError,
  multiHeadAttention,
  multiply,
  named,
  predict,
  predictOutputs,
  relu,
  sequential,
  sigmoid,
  tanh,
  trainInWorker,
  updateStatistics,
} from '../../src/nn';
import { AdamW } from '../../src/optimizers/adamw';
import type { Runtime } from '../../src/runtime/runtime';
import { generator } from '../kernels/values';
import { BACKENDS, type BackendCase, bitsOf, simd, withRuntime } from '../support/backends';
import { Network64 } from '../support/network64';

const STEP = 2 ** -17;

/** Every way in which values may branch and join. */
const CASES: Readonly<Record<string, () => ModelOptions>> = {
  'a residual block': () => {
    const x = input('x', 6);
    const inner = x.apply(dense(6)).apply(relu()).apply(dense(6));
    return { ...graph([apply(add(), [x, inner], 'sum').apply(relu()).apply(dense(3))]) };
  },
  'a residual over activations in place': () => {
    const x = input('x', 5).apply(dense(7));
    const y = x.apply(relu());
    return { ...graph([apply(add(), [y, x, y.apply(tanh())]).apply(dense(3))]) };
  },
  'images: a residual, pooling, views of one value': () => {
    const image = input('image', [6, 5, 2]);
    const x = image.apply(conv2d(3, { kernelSize: 3, padding: 'same' }));
    const y = x.apply(batchNorm()).apply(relu());
    const z = y.apply(conv2d(3, { kernelSize: 3, padding: 'same' }));
    const sum = apply(add(), [z, x]).apply(relu());
    const both = apply(concat(), [
      sum.apply(maxPool2d(2)).apply(flatten()),
      sum.apply(globalAvgPool()),
      sum.apply(flatten()),
    ]);
    return { ...graph([both.apply(dense(3))]) };
  },
  'a gate, a mean, a square': () => {
    const x = input('x', 5);
    const h = x.apply(dense(4));
    const gated = apply(multiply(), [h, x.apply(dense(4)).apply(sigmoid())]);
    const squared = apply(multiply(), [gated, gated]);
    const cubed = apply(multiply(), [h, h, gated]);
    return { ...graph([apply(average(), [squared, cubed, h]).apply(dense(2))]) };
  },
  'two inputs and two outputs, with weights': () => {
    const image = input('image', [4, 4, 1]);
    const numbers = input('numbers', 3);
    const both = apply(concat(), [
      image.apply(flatten()).apply(dense(5)).apply(relu()),
      numbers.apply(layerNorm()),
    ]);
    const shared = both.apply(dense(6)).apply(tanh());
    return {
      ...graph({ kind: shared.apply(dense(3), 'kindHead'), size: shared.apply(dense(2)) }),
      loss: { kind: crossEntropy({ classWeights: [1, 2, 0.5] }), size: huber() },
      lossWeights: { kind: 0.3 },
    };
  },
  'a shared tower': () => {
    const tower = [dense(5), batchNorm(), tanh(), dense(4)];
    const [a, b] = [input('a', 4), input('b', 4)].map((value) =>
      tower.reduce((x, layer) => x.apply(layer), value),
    ) as [ReturnType<typeof input>, ReturnType<typeof input>];
    return {
      ...graph([apply(multiply(), [a, b]).apply(dense(1))]),
      loss: binaryCrossEntropy(),
    };
  },
  'an output within, and dropout': () => {
    const x = input('x', 4);
    const h = x.apply(dense(6), 'hidden').apply(relu(), 'features');
    const out = h.apply(dropout(0.4)).apply(dense(3), 'logits');
    return {
      ...graph([out, h]),
      loss: { logits: crossEntropy(), features: meanSquaredError() },
      lossWeights: { features: 2 },
    };
  },
  'attention: self, with the same value twice, with three': () => {
    const [query, value] = [input('query', [5, 6]), input('value', [7, 4])];
    const x = query.apply(multiHeadAttention({ heads: 2 }));
    const two = apply(multiHeadAttention({ heads: 1, keyDim: 3, causal: true }), [x, value]);
    const shared = multiHeadAttention({ heads: 3, keyDim: 2, valueDim: 1, dropout: 0.25 });
    const same = apply(shared, [two, two, query]);
    const sum = apply(add(), [x, same, apply(shared, [query, x, x])]);
    return { ...graph([sum.apply(flatten()).apply(dense(3))]) };
  },
  'attention with padding masks': () => {
    const [query, value] = [input('query', [5, 4]), input('value', [7, 3])];
    const masked = { keyDim: 3, paddingMask: true };
    const cross = apply(multiHeadAttention({ heads: 2, ...masked }), [
      query,
      value,
      input('mask', 7),
    ]);
    const length = input('length', 1);
    const self = apply(multiHeadAttention({ heads: 1, causal: true, ...masked }), [cross, length]);
    return { ...graph([self.apply(flatten()).apply(dense(3))]) };
  },
  'indices beside values': () => {
    const words = input('words', 3);
    const x = words.apply(embedding(7, 4));
    const y = apply(add(), [x.apply(dense(4)), x]).apply(flatten());
    return { ...graph([apply(concat(), [y, input('more', 2)]).apply(dense(3))]) };
  },
};

/** Inputs without a gradient. */
const WHOLE = ['words', 'mask', 'length'];

/** Fills inputs and targets with the same values, whatever arrays they are. */
function fill(
  inputs: Readonly<Record<string, Float32Array | Float64Array>>,
  targets: Readonly<Record<string, Float32Array | Float64Array | Int32Array>>,
  classes: Readonly<Record<string, number>>,
): void {
  const random = generator(5);
  for (const [name, values] of Object.entries(inputs)) {
    const whole = WHOLE.includes(name);
    for (let i = 0; i < values.length; i++) {
      const value = random();
      values[i] = name === 'mask' ? Number(value < 0.3) : whole ? 3.5 * (value + 1) : value;
      values[i] = whole ? Math.floor(values[i]!) % (name === 'length' ? 6 : 7) : Math.fround(value);
    }
  }
  for (const [name, values] of Object.entries(targets)) {
    for (let i = 0; i < values.length; i++) {
      const value = (random() + 1) / 2;
      values[i] =
        values instanceof Int32Array ? Math.floor(value * classes[name]!) : Math.fround(value);
    }
  }
}

const optionsOf = (build: () => ModelOptions): ModelOptions => ({
  batchSize: 5,
  seed: 7,
  ...build(),
});
const classesOf = ({ plan }: Network64) =>
  Object.fromEntries(plan.outputs.map(({ name, size }) => [name, size]));

describe.each(Object.entries(CASES))('%s', (_, build) => {
  const options = optionsOf(build);
  const { inputs } = options as Graph;
  const inputGradients = !WHOLE.some((each) => each in inputs);

  it('has the gradients of its loss: finite differences in float64', () => {
    const reference = new Network64({ ...options, inputGradients }, 7);
    fill(reference.inputs, reference.outputTargets, classesOf(reference));
    reference.computeGradients();
    const checked = { ...reference.gradients, ...reference.inputGradients };
    const values = { ...reference.weights, ...reference.inputs };
    const copies = Object.entries(checked).map(([key, values]) => [key, values.slice()] as const);
    for (const [key, analytic] of copies) {
      for (let i = 0; i < analytic.length; i += Math.max(1, Math.floor(analytic.length / 25))) {
        const at = values[key]!;
        const value = at[i]!;
        at[i] = value + STEP;
        const up = reference.evaluate(true);
        at[i] = value - STEP;
        const down = reference.evaluate(true);
        at[i] = value;
        const slope = (up - down) / (2 * STEP);
        expect(Math.abs(analytic[i]! - slope), `${key}[${i}]`).toBeLessThan(
          1e-8 + 1e-6 * Math.abs(slope),
        );
      }
      expect(Math.max(...analytic.map(Math.abs)), key).toBeGreaterThan(0);
    }
    expect(Object.keys(reference.inputGradients)).toEqual(
      inputGradients ? Object.keys(reference.inputs) : [],
    );
  });

  async function run(backend: BackendCase) {
    return withRuntime(backend, async (runtime: Runtime) => {
      const before = runtime.info.usedBytes;
      const model = await createModel(runtime, { ...options, inputGradients });
      expect(runtime.info.usedBytes - before).toBe(model.memory().total);
      const classes = Object.fromEntries(
        Object.entries(model.outputShapes).map(([key, shape]) => [key, shape[0]!]),
      );
      fill(model.inputs, model.outputTargets, classes);
      const losses = [model.computeGradients(5), model.computeGradients(4)];
      const gradients = Object.values(model.parameters).map(({ grad }) => bitsOf(grad.data));
      const byInputs = inputGradients
        ? Object.values(model.inputGradients).map((each) => bitsOf(each.subarray(0, 4)))
        : [];
      const { loss, correct } = model.evaluateBatch(5);
      const outputs = Object.values(model.outputs).map((each) => bitsOf(each));
      const weights = Object.values(model.weights).map(({ data }) => bitsOf(data));
      return { losses, gradients, byInputs, loss, correct, outputs, weights };
    });
  }

  it('has the same bits on every backend', async () => {
    const reference = await run(BACKENDS[0]!);
    expect(reference.losses.every(Number.isFinite)).toBe(true);
    for (const backend of BACKENDS.slice(1))
      expect(await run(backend), backend.name).toEqual(reference);
  });
});

describe('structure', () => {
  const images = () => {
    const image = input('image', [4, 4, 1]);
    const features = image.apply(flatten()).apply(dense(5), 'hidden').apply(relu());
    return graph({ digit: features.apply(dense(3)), odd: features.apply(dense(1), 'oddHead') });
  };

  it('the builder writes plain data', () => {
    expect(JSON.parse(JSON.stringify(images()))).toEqual({
      inputs: { image: [4, 4, 1] },
      nodes: [
        { name: 'flatten1', layer: { kind: 'flatten' }, inputs: ['image'] },
        { name: 'hidden', layer: { kind: 'dense', units: 5 }, inputs: ['flatten1'] },
        { name: 'relu1', layer: { kind: 'relu' }, inputs: ['hidden'] },
        { name: 'dense1', layer: { kind: 'dense', units: 3 }, inputs: ['relu1'] },
        { name: 'oddHead', layer: { kind: 'dense', units: 1 }, inputs: ['relu1'] },
      ],
      outputs: { digit: 'dense1', odd: 'oddHead' },
    });
  });

  it('a layer object that is applied again shares its weights', async () => {
    const tower = named('tower', dense(3));
    const [a, b] = [input('a', 2), input('b', 2)];
    const data = graph([apply(concat(), [a.apply(tower), b.apply(tower)])]);
    expect(data.nodes.map(({ name, layer }) => [name, layer])).toEqual([
      ['tower', { kind: 'dense', units: 3 }],
      ['tower2', 'tower'],
      ['concat1', { kind: 'concat' }],
    ]);
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { ...data, loss: null });
      expect(Object.keys(model.parameters)).toEqual(['tower.weight', 'tower.bias']);
      expect(model.parameterCount).toBe(9);
      model.inputs.a!.set([1, 2]);
      model.inputs.b!.set([1, 2]);
      model.forward({ count: 1 });
      const { concat1 } = model.outputs;
      expect(concat1!.slice(0, 3)).toEqual(concat1!.slice(3, 6));
    });
  });

  it('a chain and the same graph have the same bits', async () => {
    await withRuntime(simd, async (runtime) => {
      const layers = sequential([dense(7), batchNorm(), relu(), dropout(0.3), dense(3)]);
      const chain = await createModel(runtime, { inputSize: 4, layers, batchSize: 6, seed: 3 });
      const nodes = layers.map((layer, index) => ({
        name: chain.layerNames[index]!,
        layer,
        inputs: [index === 0 ? 'x' : chain.layerNames[index - 1]!],
      }));
      // In any order.
      const shuffled: Graph = {
        inputs: { x: 4 },
        nodes: [...nodes].reverse(),
        outputs: ['dense2'],
      };
      const same = await createModel(runtime, { ...shuffled, batchSize: 6, seed: 3 });
      expect(same.layerNames).toEqual(chain.layerNames);
      expect(same.memory()).toEqual(chain.memory());
      const random = generator(1);
      for (let step = 0; step < 3; step++) {
        for (let i = 0; i < 24; i++) chain.input[i] = random();
        same.input.set(chain.input);
        for (const model of [chain, same]) model.labels.set([0, 1, 2, 0, 1, 2]);
        expect(same.computeGradients(6)).toBe(chain.computeGradients(6));
        for (const [name, { grad }] of Object.entries(chain.parameters))
          expect(bitsOf(same.parameters[name]!.grad.data), name).toEqual(bitsOf(grad.data));
      }
    });
  });

  it('a model that only predicts holds nothing for training', async () => {
    await withRuntime(simd, async (runtime) => {
      const options = { ...images(), loss: null, batchSize: 8 };
      const forward = await createModel(runtime, { ...options, training: false });
      const trained = await createModel(runtime, options);
      expect(forward.memory().gradients).toBe(0);
      expect(forward.memory().workspace).toBeLessThan(trained.memory().workspace);
      forward.loadStateDict(trained.stateDict());
      const pixels = Float32Array.from({ length: 3 * 16 }, (_, i) => Math.sin(i));
      expect(predictOutputs(forward, pixels)).toEqual(predictOutputs(trained, { image: pixels }));
    });
  });

  it.each<[string, object, string]>([
    ['no nodes', { inputs: { x: 2 }, nodes: [], outputs: ['a'] }, '"nodes" expected at least one'],
    [
      'a chain beside a graph',
      { inputs: { x: 2 }, nodes: [], outputs: [], layers: [dense(2)] },
      '"layers" expected nothing beside inputs and nodes',
    ],
    [
      'an unknown input',
      { nodes: [{ name: 'a', layer: dense(2), inputs: ['y'] }] },
      '"nodes.a.inputs[0]" expected the name of an input or node, got "y"',
    ],
    [
      'a cycle',
      {
        nodes: [
          { name: 'a', layer: add(), inputs: ['x', 'b'] },
          { name: 'b', layer: relu(), inputs: ['a'] },
        ],
      },
      '"nodes" expected values that do not depend on themselves, got a, b',
    ],
    [
      'two of one name',
      {
        nodes: [
          { name: 'a', layer: relu(), inputs: ['x'] },
          { name: 'a', layer: relu(), inputs: ['x'] },
        ],
      },
      '"nodes[1].name" expected a name that no other node or input has, got "a"',
    ],
    [
      'a dead end',
      {
        nodes: [
          { name: 'a', layer: dense(2), inputs: ['x'] },
          { name: 'end', layer: relu(), inputs: ['x'] },
        ],
      },
      '"nodes.end (relu)" expected to lead to an output',
    ],
    [
      'shapes that differ',
      {
        nodes: [
          { name: 'h', layer: dense(3), inputs: ['x'] },
          { name: 'a', layer: add(), inputs: ['x', 'h'] },
        ],
      },
      '"nodes.a (add)" expected inputs of one shape, [2], got [3]',
    ],
    [
      'two inputs of a layer with one',
      { nodes: [{ name: 'a', layer: dense(2), inputs: ['x', 'x'] }] },
      '"nodes.a (dense)" expected one input, got 2',
    ],
    [
      'one input of a sum',
      { nodes: [{ name: 'a', layer: add(), inputs: ['x'] }] },
      '"nodes.a (add)" expected at least two inputs',
    ],
    [
      'weights of another shape',
      {
        nodes: [
          { name: 'h', layer: dense(3), inputs: ['x'] },
          { name: 'a', layer: 'h', inputs: ['h'] },
        ],
      },
      '"nodes.a (dense)" expected an input that fits the weights of h',
    ],
    [
      'a layer of no node',
      { nodes: [{ name: 'a', layer: 'x', inputs: ['x'] }] },
      '"nodes.a.layer" expected a layer, or the name of a node that has a layer, got "x"',
    ],
    [
      'a layer with an option too many',
      { nodes: [{ name: 'a', layer: { ...dense(2), activation: 'relu' }, inputs: ['x'] }] },
      '"nodes.a.layer.activation" expected',
    ],
    [
      'one loss for two outputs',
      {
        nodes: [
          { name: 'a', layer: dense(2), inputs: ['x'] },
          { name: 'b', layer: dense(2), inputs: ['a'] },
        ],
        outputs: ['a', 'b'],
        loss: huber(),
      },
      '"loss" expected losses by output: { a, b }',
    ],
    [
      'a loss of no output',
      { loss: { b: huber() }, nodes: [{ name: 'a', layer: dense(2), inputs: ['x'] }] },
      '"loss.b"',
    ],
    [
      'a weight of no loss',
      {
        loss: null,
        lossWeights: { a: 2 },
        nodes: [{ name: 'a', layer: dense(2), inputs: ['x'] }],
      },
      '"lossWeights.a" expected nothing, since the output has no loss',
    ],
  ])('%s is refused', async (_, wrong, message) => {
    await withRuntime(simd, async (runtime) => {
      const options = { inputs: { x: 2 }, outputs: ['a'], ...wrong } as ModelOptions;
      await expect(createModel(runtime, options)).rejects.toThrow(message);
    });
  });

  it('a layer that merges is refused in a chain', async () => {
    await withRuntime(simd, async (runtime) => {
      await expect(createModel(runtime, { inputSize: 2, layers: [add()] })).rejects.toThrow(
        '"layers[0] (add)" expected at least two inputs, as a node of a graph, got 1',
      );
    });
  });
});

describe('training', () => {
  /** Two inputs and two outputs, whose targets follow from the inputs. */
  function problem(count: number) {
    const random = generator(9);
    const [a, b] = [new Float32Array(2 * count), new Float32Array(count)];
    const labels = new Int32Array(count);
    const sums = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      [a[2 * i], a[2 * i + 1], b[i]] = [random(), random(), random()];
      labels[i] = a[2 * i]! * b[i]! > 0 ? 1 : 0;
      sums[i] = a[2 * i + 1]! - b[i]!;
    }
    return { features: { a, b }, labels: { sign: labels }, targets: { sum: sums } };
  }

  function model(runtime: Runtime) {
    const [a, b] = [input('a', 2), input('b', 1)];
    const both = apply(concat(), [a, b]).apply(dense(16)).apply(tanh());
    const deep = apply(add(), [both, both.apply(dense(16)).apply(tanh())]);
    return createModel(runtime, {
      ...graph({ sign: deep.apply(dense(2), 'signHead'), sum: deep.apply(dense(1), 'sumHead') }),
      loss: { sign: crossEntropy(), sum: meanSquaredError() },
      batchSize: 20,
      seed: 2,
    });
  }

  it('fit learns all outputs; evaluate and predictOutputs tell them apart', async () => {
    await withRuntime(simd, async (runtime) => {
      const net = await model(runtime);
      const optimizer = new AdamW(runtime, net.parameters, { lr: 1e-2 });
      const data = problem(310);
      const before = evaluate(net, data);
      const { epochs } = await fit(net, data, { optimizer, epochs: 30, validation: data });
      const after = evaluate(net, data);
      expect(after).toEqual(epochs[29]!.validation);
      expect(after.outputs!.sign!.accuracy).toBeGreaterThan(0.95);
      expect(after.outputs!.sum!.loss).toBeLessThan(0.01);
      expect(after.outputs!.sum!.accuracy).toBe(null);
      expect(after.loss).toBe(after.outputs!.sign!.loss + after.outputs!.sum!.loss);
      expect(before.loss).toBeGreaterThan(after.loss);
      const { sign, sum } = predictOutputs(net, data.features);
      expect([sign!.length, sum!.length]).toEqual([620, 310]);
      expect(() => predict(net, data.features)).toThrow('"model" expected a model with one output');
      const { dims } = extractFeatures(net, data, { layer: 'add1' }).features;
      expect(dims).toEqual([310, 16]);
    });
  });

  it('a stream of chunks has the bits of samples in memory in the same order', async () => {
    await withRuntime(simd, async (runtime) => {
      const data = problem(50);
      const chunks = function* () {
        for (const [from, to] of [
          [0, 7],
          [7, 33],
          [33, 50],
        ] as const) {
          yield {
            features: {
              a: data.features.a.slice(2 * from, 2 * to),
              b: data.features.b.slice(from, to),
            },
            labels: { sign: data.labels.sign.slice(from, to) },
            targets: { sum: data.targets.sum.slice(from, to) },
          };
        }
      };
      const nets = [await model(runtime), await model(runtime)] as const;
      const losses: number[] = [];
      const optimizers = nets.map((net) => new AdamW(runtime, net.parameters, { lr: 1e-2 }));
      await fit(nets[0], chunks, { optimizer: optimizers[0]!, epochs: 1 });
      for (let from = 0; from < 50; from += 20) {
        const size = Math.min(20, 50 - from);
        nets[1].inputs.a!.set(data.features.a.subarray(2 * from, 2 * (from + size)));
        nets[1].inputs.b!.set(data.features.b.subarray(from, from + size));
        nets[1].outputTargets.sign!.set(data.labels.sign.subarray(from, from + size));
        nets[1].outputTargets.sum!.set(data.targets.sum.subarray(from, from + size));
        losses.push(nets[1].computeGradients(size));
        optimizers[1]!.step();
      }
      expect(losses.every(Number.isFinite)).toBe(true);
      for (const [name, { data: values }] of Object.entries(nets[0].weights))
        expect(bitsOf(nets[1].weights[name]!.data), name).toEqual(bitsOf(values));
    });
  });

  const definition = (): ModelOptions => {
    const [x, y] = [input('a', 2), input('b', 1)];
    const both = apply(concat(), [x, y]).apply(dense(16)).apply(batchNorm()).apply(tanh());
    const deep = apply(add(), [both, both.apply(dense(16)).apply(dropout(0.1))]);
    return {
      ...graph({ sign: deep.apply(dense(2), 'signHead'), sum: deep.apply(dense(1), 'sumHead') }),
      loss: { sign: crossEntropy(), sum: meanSquaredError() },
      lossWeights: { sum: 0.5 },
      batchSize: 20,
      seed: 2,
    };
  };

  it('an interrupted run resumes with the same bits', async () => {
    await withRuntime(simd, async (runtime) => {
      const data = problem(90);
      const run = async (store: CheckpointStore, signal?: AbortSignal) => {
        const net = await createModel(runtime, definition());
        const optimizer = new AdamW(runtime, net.parameters, { lr: 1e-2 });
        const result = await fit(net, data, {
          optimizer,
          epochs: 6,
          validation: data,
          checkpoint: { store, every: 2 },
          signal,
          budgetMs: 0,
          onProgress: ({ step }) => {
            if (step === 13) controller.abort();
          },
        });
        return { weights: Object.values(net.weights).map(({ data }) => bitsOf(data)), result };
      };
      const controller = new AbortController();
      const store = memoryStore();
      expect((await run(store, controller.signal)).result.reason).toBe('aborted');
      const resumed = await run(store);
      const whole = await run(memoryStore());
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.result.epochs).toEqual(whole.result.epochs);
      expect(whole.result.epochs[5]!.validation!.outputs!.sum!.accuracy).toBe(null);
    });
  });

  it('a worker trains it to the same bits', async () => {
    await withRuntime(simd, async (runtime) => {
      const net = await createModel(runtime, definition());
      const optimizer = new AdamW(runtime, net.parameters, { lr: 1e-2 });
      await fit(net, problem(90), { optimizer, epochs: 3 });
      const workerUrl = new URL('../../dist/train-worker.js', import.meta.url);
      const { model: trained, result } = await trainInWorker(
        { model: definition(), optimizer: { name: 'adamw', lr: 1e-2 }, epochs: 3 },
        () => problem(90),
        { workerUrl, validation: () => problem(90) },
      );
      for (const [name, { data }] of Object.entries(net.weights))
        expect(bitsOf(trained.arrays[name]!.data), name).toEqual(bitsOf(data));
      expect(result.epochs[2]!.validation!.outputs!.sign!.accuracy).toBeGreaterThan(0.5);
    });
  });

  it.each<[string, (data: ReturnType<typeof problem>) => object, string]>([
    ['no record', ({ features }) => ({ features: features.a }), '"data.features" expected arrays'],
    [
      'an input missing',
      ({ features }) => ({ features: { a: features.a } }),
      '"data.features.b" expected a Float32Array',
    ],
    [
      'an input too many',
      ({ features }) => ({ features: { ...features, c: features.a } }),
      '"data.features.c" expected',
    ],
    [
      'inputs of different lengths',
      ({ features }) => ({ features: { ...features, b: features.b.slice(1) } }),
      '"data.features.b" expected a Float32Array of 30 × 1 elements, got Float32Array(29)',
    ],
    [
      'labels missing',
      () => ({ labels: {} }),
      '"data.labels.sign" expected an Int32Array of 30 elements',
    ],
    [
      'a target that is not finite',
      () => ({ targets: { sum: new Float32Array(30).fill(Number.NaN) } }),
      '"data.targets.sum[0]" expected a finite number, got NaN',
    ],
  ])('samples with %s are refused', async (_, change, message) => {
    await withRuntime(simd, async (runtime) => {
      const net = await model(runtime);
      const optimizer = new AdamW(runtime, net.parameters);
      const data = problem(30);
      const wrong = { ...data, ...change(data) } as never;
      await expect(fit(net, wrong, { optimizer, epochs: 1 })).rejects.toThrow(message);
    });
  });

  it('freezes nodes by name, and the layers below them work as in evaluation', async () => {
    await withRuntime(simd, async (runtime) => {
      const x = input('x', 3);
      const base = x.apply(dense(4), 'base').apply(batchNorm(), 'norm').apply(relu());
      const side = x.apply(dense(4), 'side').apply(batchNorm(), 'sideNorm');
      const data = graph([apply(add(), [base, side]).apply(dense(2), 'head')]);
      const net = await createModel(runtime, { ...data, freeze: ['base', 'norm'], batchSize: 4 });
      expect(Object.keys(net.parameters)).toEqual([
        'side.weight',
        'side.bias',
        'sideNorm.gamma',
        'sideNorm.beta',
        'head.weight',
        'head.bias',
      ]);
      net.input.set(Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)));
      net.labels.set([0, 1, 0, 1]);
      net.computeGradients(4);
      net.commitStatistics();
      expect([...net.weights['norm.mean']!.data]).toEqual([0, 0, 0, 0]);
      expect(net.weights['sideNorm.mean']!.data.some((value) => value !== 0)).toBe(true);
    });
  });
});

describe('a batch norm that is applied twice', () => {
  const [x, y] = [
    [1, 3, 5, 7],
    [10, 20, 30, 40],
  ].map((values) => Float32Array.from(values)) as [Float32Array, Float32Array];
  const build = () => {
    const norm = batchNorm();
    const outputs = { a: input('x', 1).apply(norm), b: input('y', 1).apply(norm) };
    return { ...graph(outputs), loss: null };
  };

  it.each([2, 4])('updateStatistics weighs both, in batches of %i', async (batchSize) => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { ...build(), batchSize });
      await updateStatistics(model, { features: { x, y } });
      const [mean] = model.weights['batchNorm1.mean']!.data;
      expect(mean).toBeCloseTo((4 + 25) / 2, 5);
    });
  });

  it('writes to no other memory where one use is below all training', async () => {
    await withRuntime(simd, async (runtime) => {
      const norm = named('norm', batchNorm());
      const below = input('x', 2)
        .apply(named('base', dense(3)))
        .apply(norm);
      const above = input('y', 2)
        .apply(named('head', dense(3)))
        .apply(norm);
      const model = await createModel(runtime, {
        ...graph([apply(add(), [below, above], 'sum')]),
        loss: meanSquaredError(),
        batchSize: 4,
        freeze: ['base', 'norm'],
      });
      const start = runtime.memory.f32.slice(0, 16);
      for (const values of Object.values(model.inputs))
        values.set(values.map((_, i) => Math.sin(i)));
      model.computeGradients(4);
      model.commitStatistics();
      expect(runtime.memory.f32.slice(0, 16)).toEqual(start);
      expect(model.weights['norm.mean']!.data.some((value) => value !== 0)).toBe(true);
    });
  });
});

it('weights of samples by another name are refused', async () => {
  await withRuntime(simd, async (runtime) => {
    const model = await createModel(runtime, { inputSize: 2, layers: [dense(2)] });
    const data = { features: new Float32Array(4), labels: new Int32Array(2) };
    const weights = new Float32Array(2);
    for (const name of ['sampleweights', 'sample_weight', 'sampleWeight', 'weights'])
      expect(() => evaluate(model, { ...data, [name]: weights } as never)).toThrow(
        `"samples.${name}" expected weights of samples to be named sampleWeights`,
      );
  });
});
