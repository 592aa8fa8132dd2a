/** Upsampling of images by repetition of pixels, or by interpolation. */
import { ArgumentError } from '../../errors';
import { checkChoice, checkNoMore, checkOptions, describe } from '../../validate';
import { checked, type LayerKind } from './layer';
import { upSamplingPlan } from './upsampling';
import { checkPair, type Pair, pairOf, planWindow } from './window';

/** Options of `upSampling2d`. */
export interface UpSampling2dOptions {
  /** Whether pixels are repeated or interpolated linearly along both axes. @default 'nearest' */
  interpolation?: 'nearest' | 'bilinear';
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * The description of upsampling: 'nearest': y[oy][ox] = x[⌊oy/size⌋][⌊ox/size⌋]. 'bilinear': x at
 * the place ((oy + ½)/size - ½, (ox + ½)/size - ½), between its pixels or those at its edges.
 */
export interface UpSampling2dLayer extends Readonly<UpSampling2dOptions> {
  readonly kind: 'upSampling2d';
  /** Rows and columns that each pixel becomes. */
  readonly size: Pair;
}

/**
 * Describes upsampling: [height, width, channels] → [height·size, width·size, channels].
 *
 * @param size rows and columns that each pixel becomes. @default 2
 * @param options.interpolation 'nearest' repeats pixels; 'bilinear' interpolates between their
 * middles, as PyTorch (align_corners=False) and Keras do. @default 'nearest'
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([upSampling2d(2), conv2d(8, { kernelSize: 3, padding: 'same' }), relu()])
 */
export function upSampling2d(size?: Pair, options?: UpSampling2dOptions): UpSampling2dLayer;
export function upSampling2d(
  size: Pair = 2,
  options: UpSampling2dOptions = {},
  ...extra: unknown[]
): UpSampling2dLayer {
  checkNoMore('upSampling2d(size, options)', extra, 'sizes of both axes are one argument: [2, 3]');
  checkOptions('options', options, ['interpolation', 'name']);
  return checked(kind, { kind: 'upSampling2d', size, ...options });
}

const kind: LayerKind<UpSampling2dLayer> = {
  kind: 'upSampling2d',
  prefix: 'upSampling',
  fields: ['size', 'interpolation'],
  check({ size, interpolation = 'nearest' }, nameOf) {
    checkPair(nameOf('size'), size, 1);
    checkChoice(nameOf('interpolation'), interpolation, ['nearest', 'bilinear']);
  },
  plan({ size, interpolation = 'nearest' }, input, path) {
    if (input.length !== 3)
      throw new ArgumentError(path, 'an image [height, width, channels]', describe(input));
    const each = pairOf(size);
    const output = [input[0] * each[0], input[1] * each[1], input[2]];
    const window = { size: each, stride: each, padding: [0, 0] } as const;
    return upSamplingPlan(output, planWindow(path, output, window).record, interpolation);
  },
};

export default kind;
