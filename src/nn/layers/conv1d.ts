/** 1-D convolution (cross-correlation) over sequences of steps × channels. */
import { checkInteger, checkNoMore, fail } from '../../validate';
import {
  CONVOLUTION_FIELDS,
  checkSequenceOptions,
  convolutionPlan,
  type SequenceConvolutionOptions,
  WINDOW_FIELDS,
} from './convolution';
import { checkKernelOptions, kernelParameters } from './initial';
import { checked, type LayerKind, MAX_UNITS } from './layer';
import { planSequenceWindow } from './window';

/** Options of `conv1d`. */
export interface Conv1dOptions extends SequenceConvolutionOptions {}

/**
 * The description of a 1-D convolution:
 * y[t][o] = b[o] + Σ W[o][k][c]·x[t·s + k·d - p][c], with stride s, dilation d and padding p.
 */
export interface Conv1dLayer extends Readonly<Conv1dOptions> {
  readonly kind: 'conv1d';
  /** Output channels, an integer in [1, 2^24]. */
  readonly filters: number;
}

/**
 * Describes a 1-D convolution: [steps, channels] → [steps', filters], groups = 1.
 *
 * Parameters: `weight` [filters, kernelSize, channels], uniform in ±√(6/(kernelSize·channels));
 * `bias` [filters], zero.
 *
 * @param filters output channels, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example
 * sequential([conv1d(16, { kernelSize: 3, padding: 'causal', dilation: 2 }), relu()])
 */
export function conv1d(filters: number, options: Conv1dOptions): Conv1dLayer;
export function conv1d(filters: number, options: Conv1dOptions, ...extra: unknown[]): Conv1dLayer {
  checkNoMore('conv1d(filters, options)', extra, 'an activation is a layer of its own, as relu()');
  if (options === undefined || typeof options === 'number')
    fail('options', 'an options object, as in conv1d(8, { kernelSize: 3 })', options);
  checkKernelOptions(options, WINDOW_FIELDS);
  return checked(kind, { kind: 'conv1d', filters, ...options });
}

const kind: LayerKind<Conv1dLayer> = {
  kind: 'conv1d',
  prefix: 'conv',
  fields: ['filters', ...CONVOLUTION_FIELDS],
  check(layer, nameOf) {
    checkInteger(nameOf('filters'), layer.filters, 1, MAX_UNITS);
    checkSequenceOptions(layer, nameOf);
  },
  plan(layer, input, path) {
    const { filters, kernelSize: size, stride = 1, padding = 0, dilation } = layer;
    const window = { size, stride, padding, dilation };
    const planned = planSequenceWindow(path, input, window, filters);
    const shape = [filters, size, input[1]];
    const weight = { shape, fanIn: planned.patch, fanOut: size * filters };
    return convolutionPlan(planned, filters, kernelParameters(layer, weight, filters));
  },
};

export default kind;
