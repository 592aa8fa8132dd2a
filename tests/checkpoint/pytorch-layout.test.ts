/**
 * Parameters that PyTorch keeps channels first: a model of convolutions and a dense layer after
 * flatten is computed as PyTorch would, from PyTorch's arrays, and compared with the model that
 * read them.
 */
import { describe, expect, it } from 'vitest';
import {
  decodePyTorchAdam,
  decodeSafetensors,
  encodePyTorchAdam,
  encodeSafetensors,
  type PyTorchLayoutOptions,
  type SafetensorsInput,
} from '../../src/checkpoint';
import { Adam, ArgumentError, type Runtime } from '../../src/index';
import { conv2d, createModel, dense, flatten, meanSquaredError, predict } from '../../src/nn';
import { bitsOf, simd, withRuntime } from '../support/backends';
import { caught } from '../support/errors';
import { Xorshift } from '../support/xorshift';

const random = new Xorshift(5);
const uniform = (length: number) =>
  Float32Array.from({ length }, () => random.below(2001) / 1000 - 1);

/**
 * Sizes of the images, channels, kernels: all different, so that no order goes unnoticed; or all
 * alike.
 */
interface Sizes {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly kernel: number;
  readonly filters: number;
}
const UNLIKE: Sizes = { channels: 2, rows: 6, columns: 5, kernel: 3, filters: 4 };
/** Kernels of [3, 3, 3, 3]: their shape is the same in both orders. */
const ALIKE: Sizes = { channels: 3, rows: 5, columns: 5, kernel: 3, filters: 3 };
const OUTPUTS = 3;

const placesOf = ({ rows, columns, kernel }: Sizes) =>
  [rows - kernel + 1, columns - kernel + 1] as const;

/** As PyTorch's modules would compute it: everything channels first. */
function computeChannelsFirst(
  sizes: Sizes,
  image: Float32Array,
  tensors: Record<string, SafetensorsInput>,
): number[] {
  const { channels, rows, columns, kernel, filters } = sizes;
  const [height, width] = placesOf(sizes);
  const floats = (name: string) => tensors[name]!.data as Float32Array;
  const hidden: number[] = [];
  for (let f = 0; f < filters; f++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = floats('conv1.bias')[f]!;
        for (let c = 0; c < channels; c++) {
          for (let i = 0; i < kernel; i++) {
            for (let j = 0; j < kernel; j++) {
              const weight =
                floats('conv1.weight')[((f * channels + c) * kernel + i) * kernel + j]!;
              sum += weight * image[(c * rows + y + i) * columns + x + j]!;
            }
          }
        }
        hidden.push(sum);
      }
    }
  }
  return Array.from({ length: OUTPUTS }, (_, output) => {
    const weights = floats('dense1.weight').subarray(
      output * hidden.length,
      (output + 1) * hidden.length,
    );
    return hidden.reduce((sum, h, i) => sum + h * weights[i]!, floats('dense1.bias')[output]!);
  });
}

function channelsLast({ channels, rows, columns }: Sizes, image: Float32Array): Float32Array {
  const places = rows * columns;
  return Float32Array.from(
    { length: image.length },
    (_, i) => image[(i % channels) * places + Math.floor(i / channels)]!,
  );
}

function fileOf(sizes: Sizes): Record<string, SafetensorsInput> {
  const { channels, kernel, filters } = sizes;
  const [height, width] = placesOf(sizes);
  const tensors: Record<string, SafetensorsInput> = {};
  for (const [name, shape] of Object.entries({
    'conv1.weight': [filters, channels, kernel, kernel],
    'conv1.bias': [filters],
    'dense1.weight': [OUTPUTS, filters * height * width],
    'dense1.bias': [OUTPUTS],
  })) {
    const length = shape.reduce((product, size) => product * size, 1);
    tensors[name] = { shape, data: uniform(length) };
    tensors[`${name}.exp_avg`] = { shape, data: uniform(length) };
    tensors[`${name}.exp_avg_sq`] = { shape, data: uniform(length).map(Math.abs) };
    tensors[`${name}.step`] = { shape: [], data: Float32Array.of(7) };
  }
  return tensors;
}

async function create(runtime: Runtime, { channels, rows, columns, kernel, filters }: Sizes) {
  const layers = [conv2d(filters, { kernelSize: kernel }), flatten(), dense(OUTPUTS)];
  const model = await createModel(runtime, {
    inputShape: [rows, columns, channels],
    layers,
    loss: meanSquaredError(),
    seed: 1,
  });
  return { model, optimizer: new Adam(runtime, model.parameters) };
}

const optionsFor = (sizes: Sizes): PyTorchLayoutOptions => {
  return {
    convolutions: 'all',
    flattened: { 'dense1.weight': [sizes.filters, ...placesOf(sizes)] },
  };
};

describe.each([
  ['kernels whose sizes differ', UNLIKE],
  ['kernels of [3, 3, 3, 3]', ALIKE],
])('a model with %s', (_, sizes) => {
  it('computes what PyTorch computes', async () => {
    await withRuntime(simd, async (runtime) => {
      const { model, optimizer } = await create(runtime, sizes);
      const tensors = fileOf(sizes);
      optimizer.loadStateDict(
        decodePyTorchAdam(encodeSafetensors(tensors), optimizer.stateDict(), optionsFor(sizes)),
      );
      const image = uniform(sizes.channels * sizes.rows * sizes.columns);
      const got = predict(model, channelsLast(sizes, image));
      for (const [i, want] of computeChannelsFirst(sizes, image, tensors).entries())
        expect(got[i]).toBeCloseTo(want, 4);
    });
  });

  it('comes back to PyTorch as it was, moments too', async () => {
    await withRuntime(simd, async (runtime) => {
      const { optimizer } = await create(runtime, sizes);
      const tensors = fileOf(sizes);
      const dict = decodePyTorchAdam(
        encodeSafetensors(tensors),
        optimizer.stateDict(),
        optionsFor(sizes),
      );
      const back = decodeSafetensors(encodePyTorchAdam(dict, optionsFor(sizes))).tensors;
      expect(Object.keys(back).sort()).toEqual(Object.keys(tensors).sort());
      for (const [name, { shape, data }] of Object.entries(tensors)) {
        expect(back[name]!.shape).toEqual(shape);
        expect(bitsOf(back[name]!.data as Float32Array)).toEqual(bitsOf(data as Float32Array));
      }
    });
  });

  it('is refused without a word about its layout', async () => {
    await withRuntime(simd, async (runtime) => {
      const dict = (await create(runtime, sizes)).optimizer.stateDict();
      const bytes = encodeSafetensors(fileOf(sizes));
      for (const convert of [
        (options?: object) => decodePyTorchAdam(bytes, dict, options),
        (options?: object) => encodePyTorchAdam(dict, options),
      ]) {
        const error = caught(() => convert()) as Error;
        expect(error).toBeInstanceOf(ArgumentError);
        expect(error).toMatchObject({ argument: 'options.convolutions' });
        expect(error.message).toContain('[filters, channels, rows, columns]');
        expect(error.message).toContain('"conv1.weight"');
        expect(caught(() => convert({ convolutions: 'all' }))).toMatchObject({
          argument: 'options.flattened',
        });
      }
    });
  });
});

describe('layout options', () => {
  it.each<[string, object, string]>([
    ['another word', { convolutions: 'some' }, 'options.convolutions'],
    ['a name of no kernel', { convolutions: ['conv1.bias'] }, 'options.convolutions[0]'],
    ['an unknown option', { layout: 'pytorch' }, 'options.layout'],
    [
      'sizes that do not fit',
      { convolutions: 'all', flattened: { 'dense1.weight': [4, 4, 4] } },
      'options.flattened.dense1.weight',
    ],
    [
      'no sizes',
      { convolutions: 'all', flattened: { 'dense1.weight': 48 } },
      'options.flattened.dense1.weight',
    ],
    [
      'half a size',
      { convolutions: 'all', flattened: { 'dense1.weight': [0.5, 24, 4] } },
      'options.flattened.dense1.weight',
    ],
    [
      'a kernel that is flattened',
      { convolutions: 'all', flattened: { 'conv1.weight': [4, 3, 3] } },
      'options.flattened.conv1.weight',
    ],
    ['a list', { convolutions: 'all', flattened: [] }, 'options.flattened'],
  ])('that are %s are refused', async (_, options, argument) => {
    await withRuntime(simd, async (runtime) => {
      const dict = (await create(runtime, UNLIKE)).optimizer.stateDict();
      expect(caught(() => encodePyTorchAdam(dict, options))).toMatchObject({ argument });
    });
  });

  it('leave other parameters of four dimensions as they are', async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = new Adam(runtime, {
        a: { shape: [2, 2, 2, 2], data: uniform(16) },
        b: { shape: [2, 2, 2, 2] },
      });
      const dict = optimizer.stateDict();
      for (const [options, same] of [
        [{ convolutions: 'none' }, true],
        [{ convolutions: ['b'] }, true],
        [{ convolutions: ['a'] }, false],
      ] as [PyTorchLayoutOptions, boolean][]) {
        const { a } = decodeSafetensors(encodePyTorchAdam(dict, options)).tensors;
        expect(bitsOf(a!.data as Float32Array)).not.toHaveLength(0);
        expect(String(a!.data) === String(dict.params.a!.data)).toBe(same);
      }
    });
  });

  it('tell kernels over time and depthwise kernels apart from those of images', async () => {
    await withRuntime(simd, async (runtime) => {
      const count = (shape: number[]) => shape.reduce((product, size) => product * size, 1);
      const numbered = (shape: number[]) => ({
        shape,
        data: Float32Array.from(uniform(count(shape))),
      });
      const params = { time: numbered([2, 3, 4]), depthwise: numbered([2, 3, 4, 5]) };
      const dict = new Adam(runtime, params).stateDict();
      const options = { convolutions: 'all', depthwise: ['depthwise'] } as const;
      const file = encodePyTorchAdam(dict, options);
      const { time, depthwise } = decodeSafetensors(file).tensors;
      expect([time!.shape, depthwise!.shape]).toEqual([
        [2, 4, 3],
        [20, 1, 2, 3],
      ]);
      // Step 2 of channel 3 of filter 1; row 1, column 2 of output 4 of channel 3.
      expect(time!.data[(1 * 4 + 3) * 3 + 2]).toBe(params.time.data[(1 * 3 + 2) * 4 + 3]);
      expect(depthwise!.data[(3 * 5 + 4) * 6 + 1 * 3 + 2]).toBe(
        params.depthwise.data[((1 * 3 + 2) * 4 + 3) * 5 + 4],
      );
      const back = decodePyTorchAdam(file, dict, options);
      expect(back.params).toEqual(dict.params);
      for (const [wrong, argument] of [
        [{ convolutions: 'all' }, 'options.depthwise'],
        [{ convolutions: 'all', depthwise: ['time'] }, 'options.depthwise[0]'],
        [{ depthwise: ['depthwise'] }, 'options.convolutions'],
      ] as const)
        expect(caught(() => encodePyTorchAdam(dict, wrong))).toMatchObject({ argument });
    });
  });

  it.each<[string, string, number]>([
    ['a NaN weight', 'conv1.weight', Number.NaN],
    ['an infinite moment', 'conv1.weight.exp_avg', Infinity],
    ['a negative second moment', 'conv1.weight.exp_avg_sq', -1],
  ])('or not, %s is refused', async (_, name, value) => {
    await withRuntime(simd, async (runtime) => {
      const dict = (await create(runtime, UNLIKE)).optimizer.stateDict();
      const tensors = fileOf(UNLIKE);
      (tensors[name]!.data as Float32Array)[5] = value;
      const error = caught(() =>
        decodePyTorchAdam(encodeSafetensors(tensors), dict, optionsFor(UNLIKE)),
      );
      expect(error).toMatchObject({ reason: 'state' });
      expect((error as Error).message).toContain(`tensor "${name}" expected finite numbers`);
    });
  });
});
