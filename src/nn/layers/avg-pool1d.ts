/** Average pooling over windows of a sequence. */
import { checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import { mean, POOL_FIELDS, type Pool1dOptions, pooling1dKind } from './pooling';

/**
 * The description of average pooling over time: y = the mean of each window, channel by channel.
 * Windows that would reach past the padding are left out.
 */
export interface AvgPool1dLayer extends Readonly<Pool1dOptions> {
  readonly kind: 'avgPool1d';
  /** Length of the window, in steps: an integer in [1, 2^15]. */
  readonly size: number;
}

/**
 * Describes average pooling over time: [steps, channels] → [⌊(steps + 2·padding - size)/stride⌋ +
 * 1, channels]. The mean counts only steps of the sequence, not the padding.
 *
 * @param size length of the window, in steps: an integer in [1, 2^15]
 * @param options.stride steps from one window to the next. @default size
 * @param options.padding steps on each side that windows may reach into, less than the size;
 * 'same' makes the output ⌈steps/stride⌉ steps. @default 0
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv1d(16, { kernelSize: 3 }), relu(), avgPool1d(2)])
 */
export function avgPool1d(size: number, options?: Pool1dOptions): AvgPool1dLayer;
export function avgPool1d(
  size: number,
  options: Pool1dOptions = {},
  ...extra: unknown[]
): AvgPool1dLayer {
  checkNoMore('avgPool1d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, [...POOL_FIELDS, 'name']);
  return checked(kind, { kind: 'avgPool1d', size, ...options });
}

const kind: LayerKind<AvgPool1dLayer> = pooling1dKind('avgPool1d', 'avgPool', mean);

export default kind;
