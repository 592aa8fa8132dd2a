/** Max pooling over windows of an image. */
import { checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import { maximum, POOL_FIELDS, type Pool2dOptions, pooling2dKind } from './pooling';
import type { Pair } from './window';

/**
 * The description of max pooling: y = the maximum of each window, channel by channel. Windows
 * that would reach past the padding are left out.
 */
export interface MaxPool2dLayer extends Readonly<Pool2dOptions> {
  readonly kind: 'maxPool2d';
  /** Height and width of the window, in pixels. */
  readonly size: Pair;
}

/**
 * Describes max pooling: [height, width, channels] → [⌊(height + 2·padding - size)/stride⌋ + 1,
 * …, channels]. Of equal maxima the
 * first receives the gradient.
 *
 * @param size height and width of the window, in pixels
 * @param options.stride pixels from one window to the next. @default size
 * @param options.padding pixels on each side that windows may reach into, less than the size;
 * 'same' makes the output ⌈input/stride⌉. @default 0
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), maxPool2d(2)])
 */
export function maxPool2d(size: Pair, options?: Pool2dOptions): MaxPool2dLayer;
export function maxPool2d(
  size: Pair,
  options: Pool2dOptions = {},
  ...extra: unknown[]
): MaxPool2dLayer {
  checkNoMore('maxPool2d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, [...POOL_FIELDS, 'name']);
  return checked(kind, { kind: 'maxPool2d', size, ...options });
}

const kind: LayerKind<MaxPool2dLayer> = pooling2dKind('maxPool2d', 'maxPool', maximum);

export default kind;
