/** Maximum over windows of an image. */
import { checkNoMore, checkOptions } from '../../validate';
import type { LayerKind } from './layer';
import { poolingKind } from './pooling';
import type { Pair } from './window';

/**
 * y = the greatest of each window, channel by channel; windows that would reach over the edge are
 * left out.
 */
export interface MaxPool2dLayer {
  readonly kind: 'maxPool2d';
  readonly size: Pair;
  readonly stride?: Pair;
}

/**
 * Max pooling: [height, width, channels] → [⌊(height - size)/stride⌋ + 1, …, channels]. The
 * gradient goes to the first of equals.
 *
 * @param size height and width of the window, pixels
 * @param options.stride pixels from one window to the next. @default size
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), maxPool2d(2)])
 */
export function maxPool2d(size: Pair, options?: { stride?: Pair }): MaxPool2dLayer;
export function maxPool2d(
  size: Pair,
  options: { stride?: Pair } = {},
  ...extra: unknown[]
): MaxPool2dLayer {
  checkNoMore('maxPool2d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, ['stride']);
  const layer: MaxPool2dLayer = { kind: 'maxPool2d', size, ...options };
  maxPool2dKind.check(layer, (field) => field);
  return layer;
}

export const maxPool2dKind: LayerKind<MaxPool2dLayer> = poolingKind(
  'maxPool2d',
  'maxPool',
  (outputSize) => ({
    // Where each maximum was found.
    keptFloats: (batchSize, training) => (training ? batchSize * outputSize : 0),
    forward({ x, y, kept, record }, { kernels, count }) {
      kernels.maxPool2d(y, kept, x, record, count);
    },
    backward({ dx, dy, kept, record }, { kernels, count }) {
      if (dx) kernels.maxPool2dGrad(dx, dy, kept, record, count);
    },
  }),
);
