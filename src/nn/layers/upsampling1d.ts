/** Upsampling of sequences by repetition of steps. */
import { ArgumentError } from '../../errors';
import { checkInteger, checkNoMore, describe } from '../../validate';
import { checked, type LayerKind } from './layer';
import { upSamplingPlan } from './upsampling';
import { MAX_PIXELS, planSequenceWindow } from './window';

/** The description of upsampling over time: y[t] = x[⌊t/size⌋]. */
export interface UpSampling1dLayer {
  readonly kind: 'upSampling1d';
  /** Steps that each step becomes, an integer in [1, 2^15]. */
  readonly size: number;
}

/**
 * Describes upsampling by repetition of steps: [steps, channels] → [steps·size, channels].
 *
 * @param size steps that each step becomes, an integer in [1, 2^15]. @default 2
 * @throws ArgumentError for other sizes
 * @example sequential([upSampling1d(2), conv1d(8, { kernelSize: 3, padding: 'same' }), relu()])
 */
export function upSampling1d(size?: number): UpSampling1dLayer;
export function upSampling1d(size = 2, ...extra: unknown[]): UpSampling1dLayer {
  checkNoMore('upSampling1d(size)', extra, 'steps are repeated; there is no interpolation');
  return checked(kind, { kind: 'upSampling1d', size });
}

const kind: LayerKind<UpSampling1dLayer> = {
  kind: 'upSampling1d',
  prefix: 'upSampling',
  fields: ['size'],
  check({ size }, nameOf) {
    checkInteger(nameOf('size'), size, 1, MAX_PIXELS);
  },
  plan({ size }, input, path) {
    if (input.length !== 2)
      throw new ArgumentError(path, 'a sequence [steps, channels]', describe(input));
    const output = [input[0] * size, input[1]];
    const window = { size, stride: size, padding: 0 };
    return upSamplingPlan(output, planSequenceWindow(path, output, window).record);
  },
};

export default kind;
