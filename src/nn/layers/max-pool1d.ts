/** Max pooling over windows of a sequence. */
import { checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import { maximum, POOL_FIELDS, type Pool1dOptions, pooling1dKind } from './pooling';

/**
 * The description of max pooling over time: y = the maximum of each window, channel by channel.
 * Windows that would reach past the padding are left out.
 */
export interface MaxPool1dLayer extends Readonly<Pool1dOptions> {
  readonly kind: 'maxPool1d';
  /** Length of the window, in steps: an integer in [1, 2^15]. */
  readonly size: number;
}

/**
 * Describes max pooling over time: [steps, channels] → [⌊(steps + 2·padding - size)/stride⌋ +
 * 1, channels]. Of equal maxima the first receives the gradient.
 *
 * @param size length of the window, in steps: an integer in [1, 2^15]
 * @param options.stride steps from one window to the next. @default size
 * @param options.padding steps on each side that windows may reach into, less than the size;
 * 'same' makes the output ⌈steps/stride⌉ steps. @default 0
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv1d(16, { kernelSize: 3 }), relu(), maxPool1d(2)])
 */
export function maxPool1d(size: number, options?: Pool1dOptions): MaxPool1dLayer;
export function maxPool1d(
  size: number,
  options: Pool1dOptions = {},
  ...extra: unknown[]
): MaxPool1dLayer {
  checkNoMore('maxPool1d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, [...POOL_FIELDS, 'name']);
  return checked(kind, { kind: 'maxPool1d', size, ...options });
}

const kind: LayerKind<MaxPool1dLayer> = pooling1dKind('maxPool1d', 'maxPool', maximum);

export default kind;
