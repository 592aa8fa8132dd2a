/** Depthwise 2-D convolution: every channel has kernels of its own. */
import { checkInteger, checkNoMore, fail } from '../../validate';
import {
  checkImageOptions,
  depthwiseScratch,
  type ImageConvolutionOptions,
  WINDOW_FIELDS,
  windowOf,
} from './convolution';
import { checkKernelOptions, KERNEL_FIELDS, kernelParameters } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';
import { planWindow } from './window';

/** Options of `depthwiseConv2d`. */
export interface DepthwiseConv2dOptions extends ImageConvolutionOptions {
  /** Output channels per input channel, an integer in [1, 2^24]. @default 1 */
  depthMultiplier?: number;
}

/**
 * The description of a depthwise 2-D convolution: y[oy][ox][c·m + k] = b[c·m + k] +
 * Σ W[ky][kx][c][k]·x[oy·s + ky·d - p][ox·s + kx·d - p][c], with m = depthMultiplier, stride s,
 * dilation d and padding p.
 */
export interface DepthwiseConv2dLayer extends Readonly<DepthwiseConv2dOptions> {
  readonly kind: 'depthwiseConv2d';
}

const OWN_FIELDS = [...WINDOW_FIELDS, 'depthMultiplier'] as const;

/**
 * Describes a depthwise 2-D convolution: [height, width, channels] → [height', width',
 * channels·depthMultiplier].
 *
 * Parameters: `weight` [kernel height, kernel width, channels, depthMultiplier], uniform in
 * ±√(6/(kernel height·kernel width)); `bias` [channels·depthMultiplier], zero.
 *
 * @throws ArgumentError for options out of range
 * @example sequential([depthwiseConv2d({ kernelSize: 3, padding: 'same' }), batchNorm(), relu()])
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions): DepthwiseConv2dLayer;
export function depthwiseConv2d(
  options: DepthwiseConv2dOptions,
  ...extra: unknown[]
): DepthwiseConv2dLayer {
  checkNoMore('depthwiseConv2d(options)', extra, 'it has as many channels as its input');
  if (options === undefined || typeof options === 'number')
    fail('options', 'an options object, as in depthwiseConv2d({ kernelSize: 3 })', options);
  checkKernelOptions(options, OWN_FIELDS);
  return checked(kind, { kind: 'depthwiseConv2d', ...options });
}

const kind: LayerKind<DepthwiseConv2dLayer> = {
  kind: 'depthwiseConv2d',
  prefix: 'depthwiseConv',
  fields: [...OWN_FIELDS, ...KERNEL_FIELDS],
  check(layer, nameOf) {
    checkImageOptions(layer, nameOf);
    checkInteger(nameOf('depthMultiplier'), layer.depthMultiplier ?? 1, 1, MAX_UNITS);
  },
  plan(layer, input, path) {
    const window = windowOf(layer);
    const { depthMultiplier = 1 } = layer;
    const outputs = input[2] * depthMultiplier;
    const { output, record, positions } = planWindow(path, input, window, outputs);
    return {
      ...PLAIN,
      output,
      record,
      parameters: kernelParameters(
        layer,
        {
          shape: [...window.size, input[2], depthMultiplier],
          fanIn: window.size[0] * window.size[1],
          fanOut: window.size[0] * window.size[1] * depthMultiplier,
        },
        outputs,
      ),
      backwardReads: { input: true, output: false },
      scratchBytes: () => depthwiseScratch(input, output),
      forward({ x, y, weights, record: at, scratch }, { kernels, count }) {
        kernels.depthwiseConv2d(y, x, weights[0], at, count, scratch);
        if (weights[1]) kernels.biasAdd(y, weights[1], count * positions, outputs);
      },
      backward({ x, dx, dy, weights, gradients, record: at, scratch }, { kernels, count }) {
        if (gradients[0])
          kernels.depthwiseConv2dWeightGrad(gradients[0], dy, x, at, count, scratch);
        if (gradients[1]) kernels.biasGrad(gradients[1], dy, count * positions, outputs);
        if (dx) kernels.depthwiseConv2dInputGrad(dx, dy, weights[0], at, count, scratch);
      },
    };
  },
};

export default kind;
