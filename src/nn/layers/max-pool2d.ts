/** Max pooling over windows of an image. */
import { checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import { poolingKind } from './pooling';
import type { Pair } from './window';

/**
 * The description of max pooling: y = the maximum of each window, channel by channel. Windows that
 * would reach past the edge of the image are left out.
 */
export interface MaxPool2dLayer {
  readonly kind: 'maxPool2d';
  /** Height and width of the window, in pixels. */
  readonly size: Pair;
  /** Pixels from one window to the next. @default size */
  readonly stride?: Pair;
}

/**
 * Describes max pooling: [height, width, channels] → [⌊(height - size)/stride⌋ + 1, …, channels].
 * Of equal maxima the first receives the gradient.
 *
 * @param size height and width of the window, in pixels
 * @param options.stride pixels from one window to the next. @default size
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), maxPool2d(2)])
 */
export function maxPool2d(size: Pair, options?: { stride?: Pair; name?: string }): MaxPool2dLayer;
export function maxPool2d(
  size: Pair,
  options: { stride?: Pair; name?: string } = {},
  ...extra: unknown[]
): MaxPool2dLayer {
  checkNoMore('maxPool2d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, ['stride', 'name']);
  return checked(kind, { kind: 'maxPool2d', size, ...options });
}

const kind: LayerKind<MaxPool2dLayer> = poolingKind('maxPool2d', 'maxPool', (outputSize) => ({
  // The place of each maximum in its window.
  keptFloats: (batchSize, training) => (training ? batchSize * outputSize : 0),
  forward({ x, y, kept, record }, { kernels, count }) {
    kernels.maxPool2d(y, kept, x, record, count);
  },
  backward({ dx, dy, kept, record }, { kernels, count }) {
    if (dx) kernels.maxPool2dGrad(dx, dy, kept, record, count);
  },
}));

export default kind;
