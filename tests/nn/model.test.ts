/**
 * Models: shapes inferred, memory predicted and shared, state taken and given, errors that name the
 * layer.
 */
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { AdaL } from '../../src/index';
import {
  avgPool2d,
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  createModel,
  crossEntropy,
  dense,
  depthwiseConv2d,
  describeModel,
  dropout,
  embedding,
  flatten,
  globalAvgPool,
  globalMaxPool,
  huber,
  type Layer,
  layerNorm,
  leakyRelu,
  maxPool1d,
  maxPool2d,
  meanSquaredError,
  relu,
  separableConv2d,
  sequential,
  upSampling1d,
  upSampling2d,
} from '../../src/nn';
import { type BufferLife, placeBuffers } from '../../src/nn/memory-plan';
import { chainGraph } from '../../src/nn/model-graph';
import { planNetwork } from '../../src/nn/network-plan';
import { generator } from '../kernels/values';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { CASES, dataFor } from './cases';

const cnn = sequential([
  conv2d(16, { kernelSize: 3, padding: 'same' }),
  relu(),
  maxPool2d(2),
  conv2d(32, { kernelSize: 3, padding: 'same' }),
  relu(),
  maxPool2d(2),
  flatten(),
  dense(10),
]);

describe('memory', () => {
  it.each(Object.entries(CASES))(
    '%s: memory(batch) is what runtime.info then says',
    async (_, network) => {
      for (const training of [true, false]) {
        await withRuntime(simd, async (runtime) => {
          const probe = await createModel(runtime, { ...network, batchSize: 1, training });
          for (const batchSize of [1, 7, 32]) {
            const before = runtime.info.usedBytes;
            const model = await createModel(runtime, { ...network, batchSize, training });
            expect(runtime.info.usedBytes - before).toBe(probe.memory(batchSize).total);
            expect(model.memory()).toEqual(probe.memory(batchSize));
            model.dispose();
            expect(runtime.info.usedBytes).toBe(before);
          }
        });
      }
    },
  );

  it('inference takes no gradients, and a workspace that layers share', async () => {
    await withRuntime(simd, async (runtime) => {
      const options = { inputShape: [28, 28, 1], layers: cnn, batchSize: 32, seed: 5 };
      const trained = await createModel(runtime, options);
      const model = await createModel(runtime, { ...options, training: false });
      expect(model.memory().gradients).toBe(0);
      expect(model.parameters).toEqual({});
      expect(model.memory().workspace).toBeLessThan(0.6 * trained.memory().workspace);
      const next = generator(1);
      const batch = Float32Array.from({ length: 32 * 784 }, next);
      trained.input.set(batch);
      model.input.set(batch);
      expect(bitsOf(model.predictBatch(32))).toEqual(bitsOf(trained.predictBatch(32)));
      expect(() => model.computeGradients(1)).toThrow(
        '"training" expected a model created with training: true, got false',
      );
    });
  });

  it('arrays that live at the same time never overlap', () => {
    const next = generator(9);
    for (let round = 0; round < 200; round++) {
      const buffers: BufferLife[] = Array.from({ length: 1 + Math.floor(next() * 12) }, () => {
        const from = Math.floor(next() * 10);
        return { bytes: 1 + Math.floor(next() * 1000), from, to: from + Math.floor(next() * 4) };
      });
      const { offsets, totalBytes } = placeBuffers(buffers);
      buffers.forEach((a, i) => {
        expect(offsets[i]! % 64).toBe(0);
        expect(offsets[i]! + a.bytes).toBeLessThanOrEqual(totalBytes);
        buffers.forEach((b, j) => {
          if (i === j || a.to < b.from || b.to < a.from) return;
          expect(offsets[i]! + a.bytes <= offsets[j]! || offsets[j]! + b.bytes <= offsets[i]!).toBe(
            true,
          );
        });
      });
    }
  });

  it('element-wise layers work in place where nobody reads what they overwrite', () => {
    const plan = (layers: readonly Layer[], training: boolean) =>
      planNetwork({
        graph: chainGraph([8], layers),
        losses: [{ loss: crossEntropy(), weight: 1 }],
        batchSize: 4,
        training,
      }).stages.map(({ inputs, y }) => inputs[0] === y);
    expect(plan([dense(8), relu(), dropout(0.5), dense(3)], true)).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(plan([dense(8), relu(), dropout(0.5), dense(3)], false)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(plan([dense(8), batchNorm(), relu(), dense(3)], true)).toEqual([
      false,
      false,
      true,
      false,
    ]);
    // The input is the caller's.
    expect(plan([flatten(), relu(), dense(3)], false)).toEqual([true, false, false]);
  });
});

describe('a model', () => {
  it('names parameters by kind and place, and counts them', async () => {
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, { inputShape: [28, 28, 1], layers: cnn });
      const shapes = Object.entries(model.parameters).map(([name, { value }]) => [
        name,
        value.shape,
      ]);
      expect(shapes).toEqual([
        ['conv1.weight', [16, 3, 3, 1]],
        ['conv1.bias', [16]],
        ['conv2.weight', [32, 3, 3, 16]],
        ['conv2.bias', [32]],
        ['dense1.weight', [10, 1568]],
        ['dense1.bias', [10]],
      ]);
      expect(model.parameterCount).toBe(20_490);
      expect(describeModel({ inputShape: [28, 28, 1], layers: cnn }).parameterCount).toBe(20_490);
    });
  });

  it('returns its state and loads it, with running statistics and dropout’s place', async () => {
    const network = CASES['conv, batch norm, overlapping max pool, global average']!;
    await withRuntime(simd, async (runtime) => {
      const [one, two] = [
        await createModel(runtime, { ...network, seed: 1 }),
        await createModel(runtime, { ...network, seed: 1 }),
      ];
      const { input, labels } = dataFor(network, one.outputSize, generator(2));
      for (const model of [one, two]) {
        model.input.set(input);
        model.labels.set(labels);
      }
      one.computeGradients(4);
      one.parameters['dense1.bias']!.value.data.fill(0.5);
      const state = structuredClone(one.stateDict());
      expect(state.trainingPasses).toBe(1);
      two.loadStateDict(state);
      expect(two.computeGradients(4)).toBe(one.computeGradients(4));
      expect(two.stateDict()).toEqual(one.stateDict());
      const before = two.stateDict();
      const short = {
        ...state,
        arrays: { ...state.arrays, 'conv1.bias': { shape: [5], data: new Float32Array(4) } },
      };
      expect(() => two.loadStateDict(short)).toThrow(
        '"state.arrays.conv1.bias.data" expected a Float32Array of 5 elements',
      );
      expect(two.stateDict()).toEqual(before);
    });
  });

  it('learns under any optimizer from its parameters as they are', async () => {
    const network = CASES['tanh, mean squared error']!;
    await withRuntime(simd, async (runtime) => {
      const model = await createModel(runtime, network);
      const optimizer = new AdaL(runtime, model.parameters, { lr: 0.02, eps: 0, decay: 'none' });
      const { input, targets } = dataFor(network, 2, generator(4));
      model.input.set(input);
      model.targets.set(targets);
      const first = model.computeGradients(4);
      for (let step = 0; step < 200; step++) {
        model.computeGradients(4);
        optimizer.step();
      }
      expect(model.evaluateBatch(4).loss).toBeLessThan(0.05 * first);
    });
  });
});

describe('what does not fit is named', () => {
  const model = (options: Record<string, unknown>) =>
    withRuntime(simd, (runtime) => createModel(runtime, options as never));
  const conv = conv2d(4, { kernelSize: 3 });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'an image wanted',
      { inputSize: 64, layers: [dense(4), relu(), conv] },
      '"layers[2] (conv2d)" expected an image [height, width, channels], got [4]',
    ],
    [
      'an image too small',
      { inputShape: [2, 5, 1], layers: [conv, flatten(), dense(2)] },
      '"layers[0] (conv2d)" expected an image of at least 3 × 3 pixels, padding included, ' +
        'got [2, 5, 1]',
    ],
    [
      'an image too small for a dilated kernel',
      {
        inputShape: [6, 4, 1],
        layers: [conv2d(4, { kernelSize: 3, dilation: 2 }), flatten(), dense(2)],
      },
      '"layers[0] (conv2d)" expected an image of at least 5 × 5 pixels, padding included, ' +
        'got [6, 4, 1]',
    ],
    [
      'a sequence wanted',
      { inputShape: [6, 4, 1], layers: [conv1d(4, { kernelSize: 3 }), flatten(), dense(2)] },
      '"layers[0] (conv1d)" expected a sequence [steps, channels], got [6, 4, 1]',
    ],
    [
      'a sequence too short',
      { inputShape: [6, 4], layers: [maxPool1d(7), flatten(), dense(2)] },
      '"layers[0] (maxPool1d)" expected a sequence of at least 7 steps, padding included, ' +
        'got [6, 4]',
    ],
    [
      'an image that padding cuts away',
      {
        inputShape: [1, 4, 1],
        layers: [conv2dTranspose(4, { kernelSize: 2, padding: 1 }), flatten(), dense(2)],
      },
      '"layers[0] (conv2dTranspose)" expected an image that its padding does not cut away, ' +
        'got [1, 4, 1]',
    ],
    [
      'an embedding amid',
      { inputSize: 4, layers: [dense(3), embedding(5, 2)] },
      '"layers[1] (embedding)" expected an embedding as the first layer only, got place 1',
    ],
    [
      'one class at every position',
      { inputShape: [4, 3], layers: [dense(1)] },
      '"layers[0] (dense)" expected at least 2 outputs, one per class ' +
        '(binaryCrossEntropy() decides with one output), got 1',
    ],
    [
      'no such layer',
      { inputSize: 4, layers: [{ kind: 'attention' }] },
      '"layers[0]" expected a layer (',
    ],
    [
      'a field out of range',
      { inputSize: 4, layers: [{ kind: 'dropout', rate: 1 }] },
      '"layers[0].rate" expected a number in [0, 1), got 1',
    ],
    [
      'a field too many',
      { inputSize: 4, layers: [{ kind: 'relu', slope: 1 }] },
      '"layers[0].slope" expected one of kind, name, got an unknown option',
    ],
    ['no layers', { inputSize: 4, layers: [] }, '"layers" expected at least one layer'],
    [
      'no input',
      { layers: [dense(3)] },
      '"inputSize" expected an integer in [1, 16777216], got undefined',
    ],
    [
      'two inputs',
      { inputSize: 3, inputShape: [3], layers: [dense(3)] },
      '"inputSize" expected nothing beside inputShape, got 3',
    ],
    [
      'a shape of four',
      { inputShape: [1, 2, 3, 4], layers: [dense(3)] },
      '"inputShape" expected [features], [steps, features] or [height, width, channels]',
    ],
    [
      'a loss unknown',
      { inputSize: 3, layers: [dense(3)], loss: { kind: 'hinge' } },
      '"loss" expected a loss (crossEntropy, categoricalCrossEntropy, ',
    ],
    [
      'weights too few',
      { inputSize: 3, layers: [dense(3)], loss: crossEntropy({ classWeights: [1, 2] }) },
      '"loss.classWeights" expected 3 weights, one per class, got 2',
    ],
    [
      'one class',
      { inputSize: 3, layers: [dense(4), dense(1)] },
      '"layers[1] (dense)" expected at least 2 outputs, one per class ' +
        '(binaryCrossEntropy() decides with one output), got 1',
    ],
    [
      'training unclear',
      { inputSize: 3, layers: [dense(3)], training: 1 },
      '"training" expected true or false, got 1',
    ],
  ])('%s', async (_, options, message) => {
    const error = await model(options).catch((reason) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain(message);
  });

  it.each<[Layer, string]>([
    [maxPool2d(2), '(maxPool2d)" expected an image [height, width, channels], got [4]'],
    [avgPool2d(2), '(avgPool2d)" expected an image [height, width, channels], got [4]'],
    [upSampling2d(2), '(upSampling2d)" expected an image [height, width, channels], got [4]'],
    [upSampling1d(2), '(upSampling1d)" expected a sequence [steps, channels], got [4]'],
    [
      globalMaxPool(),
      '(globalMaxPool)" expected an image [height, width, channels] or ' +
        'a sequence [steps, channels], got [4]',
    ],
    [
      globalAvgPool(),
      '(globalAvgPool)" expected an image [height, width, channels] or ' +
        'a sequence [steps, channels], got [4]',
    ],
  ])('$kind where there is no image, at its place', async (layer, message) => {
    const error = await model({ inputSize: 8, layers: [dense(4), relu(), layer, dense(2)] }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain(`"layers[2] ${message}`);
  });

  it('at once, by the functions that describe layers', () => {
    expect(() => dense(0)).toThrow('"units" expected an integer in [1, 16777216], got 0');
    expect(() => conv2d(4, { kernelSize: [3, 0] })).toThrow(
      '"kernelSize[1]" expected an integer in [1, 32768], got 0',
    );
    expect(() => conv2d(4, { kernelSize: 3, padding: -1 })).toThrow(
      '"padding" expected an integer in [0, 32768], got -1',
    );
    expect(() => maxPool2d(2, { stride: 0 })).toThrow(
      '"stride" expected an integer in [1, 32768], got 0',
    );
    expect(() => maxPool2d(2, { padding: 2 })).toThrow(
      '"padding" expected an integer in [0, 1], got 2',
    );
    expect(() => avgPool2d([2, 3], { padding: [1, 3] })).toThrow(
      '"padding[1]" expected an integer in [0, 2], got 3',
    );
    expect(() => maxPool1d(2, { padding: 'causal' as never })).toThrow(
      '"padding" expected an integer in [0, 1], got "causal"',
    );
    expect(() => conv1d(4, { kernelSize: [3, 3] as never })).toThrow(
      '"kernelSize" expected an integer in [1, 32768], got [3, 3]',
    );
    expect(() => conv2d(4, { kernelSize: 3, dilation: 0 })).toThrow(
      '"dilation" expected an integer in [1, 32768], got 0',
    );
    expect(() => conv1d(4, { kernelSize: 3, useBias: 0 as never })).toThrow(
      '"useBias" expected true or false, got 0',
    );
    expect(() => depthwiseConv2d({ kernelSize: 3, depthMultiplier: 0 })).toThrow(
      '"depthMultiplier" expected an integer in [1, 16777216], got 0',
    );
    expect(() => separableConv2d(4, { kernelSize: 3, groups: 2 } as never)).toThrow(
      '"options.groups" expected one of name, useBias',
    );
    expect(() => conv2dTranspose(4, { kernelSize: 3, stride: 2, outputPadding: 2 })).toThrow(
      '"outputPadding" expected an integer in [0, 1], got 2',
    );
    expect(() =>
      conv2dTranspose(4, { kernelSize: 3, stride: 2, padding: 'same', outputPadding: [0, 1] }),
    ).toThrow(`"outputPadding" expected 0 with padding: 'same', got [0, 1]`);
    expect(() => upSampling2d(2, { interpolation: 'cubic' as never })).toThrow(
      `"interpolation" expected 'nearest' or 'bilinear', got "cubic"`,
    );
    expect(() => upSampling2d(0)).toThrow('"size" expected an integer in [1, 32768], got 0');
    expect(() => batchNorm({ momentum: 0 })).toThrow(
      '"momentum" expected a number in (0, 1], got 0',
    );
    expect(() => embedding(0, 4)).toThrow('"rows" expected an integer in [1, 16777216], got 0');
    expect(() => embedding(4, 0.5)).toThrow('"dim" expected an integer in [1, 16777216], got 0.5');
    expect(() => avgPool2d([2, -2])).toThrow('"size[1]" expected an integer in [1, 32768], got -2');
    expect(() => layerNorm({ eps: -1 })).toThrow('"eps" expected a number in (0, ∞), got -1');
    expect(() => layerNorm({ axis: 1 } as never)).toThrow(
      '"options.axis" expected one of eps, name, got an unknown option',
    );
    expect(() => dropout(Number.NaN)).toThrow('"rate" expected a number in [0, 1), got NaN');
    expect(() => leakyRelu(-1)).toThrow('"slope" expected a number in [0, 1], got -1');
    expect(() => huber({ delta: 0 })).toThrow('"delta" expected a number in [2^-126, ∞), got 0');
    expect(() => crossEntropy({ classWeights: [1, -1] })).toThrow(
      '"classWeights[1]" expected a number in (0, 1e9], got -1',
    );
    expect(() => crossEntropy({ classWeights: [1, 1e-50] })).toThrow(
      '"classWeights[1]" expected a weight of at least 2^-149',
    );
    expect(() => crossEntropy({ reduction: 'sum' as never })).toThrow(
      `"reduction" expected 'mean' or 'weighted-mean', got "sum"`,
    );
    expect(() => sequential([dense(3), [relu(), { kind: 'oops' } as never]])).toThrow(
      '"layers[2]" expected a layer',
    );
  });

  it('labels and targets are told apart', async () => {
    await withRuntime(simd, async (runtime) => {
      const classes = await createModel(runtime, { inputSize: 3, layers: [dense(3)] });
      const values = await createModel(runtime, {
        inputSize: 3,
        layers: [dense(3)],
        loss: meanSquaredError(),
      });
      expect(() => classes.targets).toThrow(
        '"loss" expected a loss on values (others have labels), got crossEntropy',
      );
      expect(() => values.labels).toThrow(
        '"loss" expected a loss on classes (others have targets), got meanSquaredError',
      );
    });
  });
});
