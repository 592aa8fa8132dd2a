/** Upsampling of images by repetition of pixels. */
import { ArgumentError } from '../../errors';
import { checkNoMore, describe } from '../../validate';
import { checked, type LayerKind } from './layer';
import { upSamplingPlan } from './upsampling';
import { checkPair, type Pair, pairOf, planWindow } from './window';

/** The description of upsampling: y[oy][ox] = x[⌊oy/size⌋][⌊ox/size⌋] ("nearest"). */
export interface UpSampling2dLayer {
  readonly kind: 'upSampling2d';
  /** Rows and columns that each pixel becomes. */
  readonly size: Pair;
}

/**
 * Describes upsampling by repetition of pixels: [height, width, channels] → [height·size,
 * width·size, channels].
 *
 * @param size rows and columns that each pixel becomes. @default 2
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([upSampling2d(2), conv2d(8, { kernelSize: 3, padding: 'same' }), relu()])
 */
export function upSampling2d(size?: Pair): UpSampling2dLayer;
export function upSampling2d(size: Pair = 2, ...extra: unknown[]): UpSampling2dLayer {
  checkNoMore('upSampling2d(size)', extra, 'pixels are repeated; there is no interpolation');
  return checked(kind, { kind: 'upSampling2d', size });
}

const kind: LayerKind<UpSampling2dLayer> = {
  kind: 'upSampling2d',
  prefix: 'upSampling',
  fields: ['size'],
  check({ size }, nameOf) {
    checkPair(nameOf('size'), size, 1);
  },
  plan({ size }, input, path) {
    if (input.length !== 3)
      throw new ArgumentError(path, 'an image [height, width, channels]', describe(input));
    const each = pairOf(size);
    const output = [input[0] * each[0], input[1] * each[1], input[2]];
    const window = { size: each, stride: each, padding: [0, 0] } as const;
    return upSamplingPlan(output, planWindow(path, output, window).record);
  },
};

export default kind;
