/**
 * Transposed 2-D convolution: the gradient of a convolution by its input, as a layer of its own.
 * Its gradients are that convolution and its gradient by the weight, with the roles exchanged.
 */
import { ArgumentError } from '../../errors';
import { CONV_SUMS, convScratchBytes, spannedPixels } from '../../memory-layout/nn-layout';
import { checkInteger, checkNoMore, describe, fail } from '../../validate';
import {
  checkImageOptions,
  type ImageConvolutionOptions,
  WINDOW_FIELDS,
  windowOf,
} from './convolution';
import { checkKernelOptions, KERNEL_FIELDS, kernelParameters } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';
import { type Pair, pairOf, planWindow } from './window';

/** Options of `conv2dTranspose`. */
export interface Conv2dTransposeOptions extends Omit<ImageConvolutionOptions, 'padding'> {
  /**
   * Pixels that are cut off on each side of the output. 'same' cuts as TensorFlow does, so that the
   * output is input·stride.
   * @default 0
   */
  padding?: Pair | 'same';
  /**
   * Rows and columns that the output has at its end besides, below the stride each. Only with
   * numeric padding.
   * @default 0
   */
  outputPadding?: Pair;
}

/**
 * The description of a transposed 2-D convolution: every pixel of x adds
 * W[c][ky][kx][o]·x[iy][ix][c] to y[iy·s + ky·d - p][ix·s + kx·d - p][o], with stride s, dilation d
 * and padding p; y begins as b.
 */
export interface Conv2dTransposeLayer extends Readonly<Conv2dTransposeOptions> {
  readonly kind: 'conv2dTranspose';
  /** Output channels, an integer in [1, 2^24]. */
  readonly filters: number;
}

const OWN_FIELDS = [...WINDOW_FIELDS, 'outputPadding'] as const;

/**
 * Describes a transposed 2-D convolution ("deconvolution"): [height, width, channels] → [(height -
 * 1)·stride + dilation·(kernel height - 1) + 1 - 2·padding + outputPadding, …, filters].
 *
 * Parameters: `weight` [channels, kernel height, kernel width, filters], uniform in ±√(6/(kernel
 * height·kernel width·channels)); `bias` [filters], zero.
 *
 * @param filters output channels, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example sequential([conv2dTranspose(8, { kernelSize: 3, stride: 2, padding: 'same' }), relu()])
 */
export function conv2dTranspose(
  filters: number,
  options: Conv2dTransposeOptions,
): Conv2dTransposeLayer;
export function conv2dTranspose(
  filters: number,
  options: Conv2dTransposeOptions,
  ...extra: unknown[]
): Conv2dTransposeLayer {
  checkNoMore(
    'conv2dTranspose(filters, options)',
    extra,
    'an activation is a layer of its own, as relu()',
  );
  if (options === undefined || typeof options === 'number')
    fail('options', 'an options object, as in conv2dTranspose(8, { kernelSize: 3 })', options);
  checkKernelOptions(options, OWN_FIELDS);
  return checked(kind, { kind: 'conv2dTranspose', filters, ...options });
}

const kind: LayerKind<Conv2dTransposeLayer> = {
  kind: 'conv2dTranspose',
  prefix: 'convTranspose',
  fields: ['filters', ...OWN_FIELDS, ...KERNEL_FIELDS],
  check(layer, nameOf) {
    const { filters, stride = 1, padding, outputPadding = 0 } = layer;
    checkInteger(nameOf('filters'), filters, 1, MAX_UNITS);
    checkImageOptions(layer, nameOf);
    if (!Array.isArray(outputPadding)) {
      checkInteger(nameOf('outputPadding'), outputPadding, 0, Math.min(...pairOf(stride)) - 1);
    } else {
      if (outputPadding.length !== 2)
        fail(nameOf('outputPadding'), 'one integer, or two: [vertical, horizontal]', outputPadding);
      for (const [axis, rest] of outputPadding.entries())
        checkInteger(nameOf(`outputPadding[${axis}]`), rest, 0, pairOf(stride)[axis] - 1);
    }
    if (padding === 'same' && pairOf(outputPadding as Pair).some((rest) => rest !== 0))
      fail(nameOf('outputPadding'), "0 with padding: 'same'", outputPadding);
  },
  plan(layer, input, path) {
    if (input.length !== 3)
      throw new ArgumentError(path, 'an image [height, width, channels]', describe(input));
    const { filters, outputPadding = 0 } = layer;
    const [, , channels] = input;
    const window = windowOf(layer);
    const { size, stride, padding, dilation = [1, 1] } = window;
    const [height, width] = [0, 1].map((axis) => {
      if (padding === 'same') return input[axis] * stride[axis];
      const span = spannedPixels(size[axis], dilation[axis]);
      const all = (input[axis] - 1) * stride[axis] + span + pairOf(outputPadding)[axis];
      if (all <= 2 * padding[axis])
        throw new ArgumentError(
          path,
          'an image that its padding does not cut away',
          describe(input),
        );
      return all - 2 * padding[axis];
    });
    const output = [height, width, filters];
    // The convolution whose gradient this is: from the output to the input.
    const { record, padded, positions, patch } = planWindow(path, output, window, channels);
    const pixels = height * width;
    return {
      ...PLAIN,
      output,
      record,
      parameters: kernelParameters(
        layer,
        {
          shape: [channels, ...size, filters],
          fanIn: size[0] * size[1] * channels,
          fanOut: size[0] * size[1] * filters,
        },
        filters,
      ),
      backwardReads: { input: true, output: false },
      scratchBytes: (_, threads) =>
        convScratchBytes(padded, positions, patch, channels, threads > 1 ? CONV_SUMS : 1),
      forward({ x, y, weights, record: at, scratch }, { kernels, count }) {
        kernels.conv2dInputGrad(y, x, weights[0], at, count, scratch);
        if (weights[1]) kernels.biasAdd(y, weights[1], count * pixels, filters);
      },
      backward({ x, dx, dy, weights, gradients, record: at, scratch }, { kernels, count }) {
        if (gradients[0]) kernels.conv2dWeightGrad(gradients[0], x, dy, at, count, scratch);
        if (gradients[1]) kernels.biasGrad(gradients[1], dy, count * pixels, filters);
        if (dx) kernels.conv2d(dx, dy, weights[0], at, count, scratch);
      },
    };
  },
};

export default kind;
