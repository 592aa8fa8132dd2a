/**
 * 2-D convolution (cross-correlation, as in every framework) over images of height × width ×
 * channels.
 */
import { checkInteger, checkNoMore, fail } from '../../validate';
import {
  CONVOLUTION_FIELDS,
  checkImageOptions,
  convolutionPlan,
  type ImageConvolutionOptions,
  WINDOW_FIELDS,
  windowOf,
} from './convolution';
import { checkKernelOptions, kernelParameters } from './initial';
import { checked, type LayerKind, MAX_UNITS } from './layer';
import { planWindow } from './window';

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
export interface Conv2dOptions extends ImageConvolutionOptions {}

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
  checkKernelOptions(options, WINDOW_FIELDS);
  return checked(kind, { kind: 'conv2d', filters, ...options });
}

const kind: LayerKind<Conv2dLayer> = {
  kind: 'conv2d',
  prefix: 'conv',
  fields: ['filters', ...CONVOLUTION_FIELDS],
  check(layer, nameOf) {
    checkInteger(nameOf('filters'), layer.filters, 1, MAX_UNITS);
    checkImageOptions(layer, nameOf);
  },
  plan(layer, input, path) {
    const { filters } = layer;
    const window = windowOf(layer);
    const planned = planWindow(path, input, window, filters);
    const [height, width] = window.size;
    const shape = [filters, height, width, input[2]];
    const weight = { shape, fanIn: planned.patch, fanOut: height * width * filters };
    return convolutionPlan(planned, filters, kernelParameters(layer, weight, filters));
  },
};

export default kind;
