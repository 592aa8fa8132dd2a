/** Average pooling over windows of an image. */
import { checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import { mean, POOL_FIELDS, type Pool2dOptions, pooling2dKind } from './pooling';
import type { Pair } from './window';

/**
 * The description of average pooling: y = the mean of each window, channel by channel. Windows
 * that would reach past the padding are left out.
 */
export interface AvgPool2dLayer extends Readonly<Pool2dOptions> {
  readonly kind: 'avgPool2d';
  /** Height and width of the window, in pixels. */
  readonly size: Pair;
}

/**
 * Describes average pooling: [height, width, channels] → [⌊(height + 2·padding - size)/stride⌋ + 1,
 * …, channels]. The mean counts only
 * pixels of the image, not the padding.
 *
 * @param size height and width of the window, in pixels
 * @param options.stride pixels from one window to the next. @default size
 * @param options.padding pixels on each side that windows may reach into, less than the size;
 * 'same' makes the output ⌈input/stride⌉. @default 0
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), avgPool2d(2)])
 */
export function avgPool2d(size: Pair, options?: Pool2dOptions): AvgPool2dLayer;
export function avgPool2d(
  size: Pair,
  options: Pool2dOptions = {},
  ...extra: unknown[]
): AvgPool2dLayer {
  checkNoMore('avgPool2d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, [...POOL_FIELDS, 'name']);
  return checked(kind, { kind: 'avgPool2d', size, ...options });
}

const kind: LayerKind<AvgPool2dLayer> = pooling2dKind('avgPool2d', 'avgPool', mean);

export default kind;
