/**
 * 2-D convolution (cross-correlation, as in every framework) over images of height × width ×
 * channels.
 */
import { CONV_SUMS, convScratchBytes } from '../../memory-layout/nn-layout';
import { checkInteger, checkNoMore, checkOptions, fail } from '../../validate';
import { heUniform } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';
import { checkPair, type Pair, pairOf, planWindow } from './window';

/**
 * The description of a 2-D convolution:
 * y[oy][ox][o] = b[o] + Σ W[o][ky][kx][c]·x[oy·s + ky·d - p][ox·s + kx·d - p][c], with stride s,
 * dilation d and padding p.
 */
export interface Conv2dLayer extends Readonly<Conv2dOptions> {
  readonly kind: 'conv2d';
  /** Output channels, an integer in [1, 2^24]. */
  readonly filters: number;
}

/** Options of `conv2d`. */
export interface Conv2dOptions {
  /** Height and width of the kernel, in pixels. */
  kernelSize: Pair;
  /** Pixels from one window to the next. @default 1 */
  stride?: Pair;
  /**
   * Zeros around the image, in pixels on each side. 'same' pads as TensorFlow does, so that the
   * output is ⌈input/stride⌉; an odd zero goes after the image.
   * @default 0
   */
  padding?: Pair | 'same';
  /** Pixels from one row or column of the kernel to the next. @default 1 */
  dilation?: Pair;
}

/**
 * Describes a 2-D convolution: [height, width, channels] → [height', width', filters], groups = 1.
 *
 * Parameters: `weight` [filters, kernel height, kernel width, channels], uniform in ±√(6/(kernel
 * height·kernel width·channels)); `bias` [filters], zero. Images are NHWC: the channels of a pixel
 * are adjacent, so that patches are copied in whole runs and each product is a dense matrix
 * product.
 *
 * @param filters output channels, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example sequential([conv2d(16, { kernelSize: 3, padding: 'same' }), relu(), maxPool2d(2)])
 */
export function conv2d(filters: number, options: Conv2dOptions): Conv2dLayer;
export function conv2d(filters: number, options: Conv2dOptions, ...extra: unknown[]): Conv2dLayer {
  checkNoMore(
    'conv2d(filters, options)',
    extra,
    'an activation is a layer of its own, such as relu()',
  );
  if (options === undefined || typeof options === 'number') {
    fail('options', 'an options object, as in conv2d(8, { kernelSize: 3 })', options);
  }
  checkOptions('options', options, ['kernelSize', 'stride', 'padding', 'dilation']);
  return checked(kind, { kind: 'conv2d', filters, ...options });
}

const kind: LayerKind<Conv2dLayer> = {
  kind: 'conv2d',
  prefix: 'conv',
  fields: ['filters', 'kernelSize', 'stride', 'padding', 'dilation'],
  check({ filters, kernelSize, stride = 1, padding = 0, dilation = 1 }, nameOf) {
    checkInteger(nameOf('filters'), filters, 1, MAX_UNITS);
    checkPair(nameOf('kernelSize'), kernelSize, 1);
    checkPair(nameOf('stride'), stride, 1);
    if (padding !== 'same') checkPair(nameOf('padding'), padding, 0);
    checkPair(nameOf('dilation'), dilation, 1);
  },
  plan({ filters, kernelSize, stride = 1, padding = 0, dilation = 1 }, input, path) {
    const size = pairOf(kernelSize);
    const window = {
      size,
      stride: pairOf(stride),
      padding: padding === 'same' ? padding : pairOf(padding),
      dilation: pairOf(dilation),
    };
    const { output, record, positions, padded } = planWindow(path, input, window, filters);
    const patch = size[0] * size[1] * input[2];
    return {
      ...PLAIN,
      output,
      record,
      parameters: [
        { name: 'weight', shape: [filters, ...size, input[2]], initialise: heUniform(patch) },
        { name: 'bias', shape: [filters] },
      ],
      backwardReads: { input: true, output: false },
      scratchBytes: (_, threads) =>
        convScratchBytes(padded, positions, patch, filters, threads > 1 ? CONV_SUMS : 1),
      forward({ x, y, weights, record: at, scratch }, { kernels, count }) {
        kernels.conv2d(y, x, weights[0], at, count, scratch);
        kernels.biasAdd(y, weights[1], count * positions, filters);
      },
      backward({ x, dx, dy, weights, gradients, record: at, scratch }, { kernels, count }) {
        if (gradients[0]) kernels.conv2dWeightGrad(gradients[0], dy, x, at, count, scratch);
        if (gradients[1]) kernels.biasGrad(gradients[1], dy, count * positions, filters);
        if (dx) kernels.conv2dInputGrad(dx, dy, weights[0], at, count, scratch);
      },
    };
  },
};

export default kind;
