/** Separable 2-D convolution: a depthwise one, then a dense layer over each pixel's channels. */
import { denseScratchBytes } from '../../memory-layout/nn-layout';
import { checkInteger, checkNoMore, fail } from '../../validate';
import {
  checkImageOptions,
  depthwiseScratch,
  type ImageConvolutionOptions,
  WINDOW_FIELDS,
  windowOf,
} from './convolution';
import { checkKernelOptions, initializerFor, KERNEL_FIELDS, kernelParameters } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN } from './layer';
import { planWindow } from './window';

/** Options of `separableConv2d`. */
export interface SeparableConv2dOptions extends ImageConvolutionOptions {
  /** Channels between both convolutions per input channel: an integer in [1, 2^24]. @default 1 */
  depthMultiplier?: number;
}

/**
 * The description of a separable 2-D convolution: y = P·z + b at every pixel, where z is the
 * depthwise convolution of x by D, without a bias.
 */
export interface SeparableConv2dLayer extends Readonly<SeparableConv2dOptions> {
  readonly kind: 'separableConv2d';
  /** Output channels, an integer in [1, 2^24]. */
  readonly filters: number;
}

const OWN_FIELDS = [...WINDOW_FIELDS, 'depthMultiplier'] as const;

/**
 * Describes a separable 2-D convolution: [height, width, channels] → [height', width', filters]. It
 * is a depthwise convolution without a bias, then a convolution of kernel size 1.
 *
 * Parameters: `depthwiseWeight` [kernel height, kernel width, channels, depthMultiplier], uniform
 * in ±√(6/(kernel height·kernel width)); `pointwiseWeight` [filters, 1, 1,
 * channels·depthMultiplier], uniform in ±√(6/(channels·depthMultiplier)); `bias` [filters], zero.
 *
 * @param filters output channels, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example sequential([separableConv2d(32, { kernelSize: 3, padding: 'same' }), relu()])
 */
export function separableConv2d(
  filters: number,
  options: SeparableConv2dOptions,
): SeparableConv2dLayer;
export function separableConv2d(
  filters: number,
  options: SeparableConv2dOptions,
  ...extra: unknown[]
): SeparableConv2dLayer {
  checkNoMore(
    'separableConv2d(filters, options)',
    extra,
    'an activation is a layer of its own, as relu()',
  );
  if (options === undefined || typeof options === 'number')
    fail('options', 'an options object, as in separableConv2d(8, { kernelSize: 3 })', options);
  checkKernelOptions(options, OWN_FIELDS);
  return checked(kind, { kind: 'separableConv2d', filters, ...options });
}

const kind: LayerKind<SeparableConv2dLayer> = {
  kind: 'separableConv2d',
  prefix: 'separableConv',
  fields: ['filters', ...OWN_FIELDS, ...KERNEL_FIELDS],
  check(layer, nameOf) {
    checkInteger(nameOf('filters'), layer.filters, 1, MAX_UNITS);
    checkImageOptions(layer, nameOf);
    checkInteger(nameOf('depthMultiplier'), layer.depthMultiplier ?? 1, 1, MAX_UNITS);
  },
  plan(layer, input, path) {
    const window = windowOf(layer);
    const { filters, depthMultiplier = 1 } = layer;
    const between = input[2] * depthMultiplier;
    const { output, record, positions } = planWindow(path, input, window, between);
    const { kernelInitializer = 'heUniform' } = layer;
    const pixels = window.size[0] * window.size[1];
    const shape = [...window.size, input[2], depthMultiplier];
    const fans = { shape, fanIn: pixels, fanOut: pixels * depthMultiplier };
    const projection = { shape: [filters, 1, 1, between], fanIn: between, fanOut: filters };
    const [pointwise, ...bias] = kernelParameters(layer, projection, filters);
    return {
      ...PLAIN,
      output: [output[0], output[1], filters],
      record,
      parameters: [
        { name: 'depthwiseWeight', shape, initialise: initializerFor(kernelInitializer, fans) },
        { ...pointwise, name: 'pointwiseWeight' },
        ...bias,
      ],
      backwardReads: { input: true, output: false },
      keptFloats: (batchSize) => batchSize * positions * between,
      scratchBytes: (batchSize) =>
        Math.max(
          depthwiseScratch(input, output),
          denseScratchBytes(batchSize * positions, filters, between),
        ),
      forward({ x, y, weights, kept, record: at, scratch }, { kernels, count }) {
        const rows = count * positions;
        kernels.depthwiseConv2d(kept, x, weights[0], at, count, scratch);
        kernels.gemmNT(y, kept, weights[1], rows, filters, between, scratch);
        if (weights[2]) kernels.biasAdd(y, weights[2], rows, filters);
      },
      backward({ x, dx, dy, weights, gradients, kept, record: at, scratch }, { kernels, count }) {
        const rows = count * positions;
        if (gradients[1]) kernels.gemmTN(gradients[1], dy, kept, filters, between, rows, scratch);
        if (gradients[2]) kernels.biasGrad(gradients[2], dy, rows, filters);
        if (!gradients[0] && !dx) return;
        // Only the gradient of the pointwise weight reads what forward kept.
        kernels.gemmNN(kept, dy, weights[1], rows, between, filters, scratch);
        if (gradients[0])
          kernels.depthwiseConv2dWeightGrad(gradients[0], kept, x, at, count, scratch);
        if (dx) kernels.depthwiseConv2dInputGrad(dx, kept, weights[0], at, count, scratch);
      },
    };
  },
};

export default kind;
