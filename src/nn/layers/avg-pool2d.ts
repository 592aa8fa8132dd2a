/** Mean over windows of an image. */
import { checkNoMore, checkOptions } from '../../validate';
import type { LayerKind } from './layer';
import { poolingKind } from './pooling';
import type { Pair } from './window';

/**
 * y = the mean of each window, channel by channel; windows that would reach over the edge are left
 * out.
 */
export interface AvgPool2dLayer {
  readonly kind: 'avgPool2d';
  readonly size: Pair;
  readonly stride?: Pair;
}

/**
 * Average pooling: [height, width, channels] → [⌊(height - size)/stride⌋ + 1, …, channels].
 *
 * @param size height and width of the window, pixels
 * @param options.stride pixels from one window to the next. @default size
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), avgPool2d(2)])
 */
export function avgPool2d(size: Pair, options?: { stride?: Pair }): AvgPool2dLayer;
export function avgPool2d(
  size: Pair,
  options: { stride?: Pair } = {},
  ...extra: unknown[]
): AvgPool2dLayer {
  checkNoMore('avgPool2d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, ['stride']);
  const layer: AvgPool2dLayer = { kind: 'avgPool2d', size, ...options };
  avgPool2dKind.check(layer, (field) => field);
  return layer;
}

export const avgPool2dKind: LayerKind<AvgPool2dLayer> = poolingKind('avgPool2d', 'avgPool', () => ({
  forward({ x, y, record }, { kernels, count }) {
    kernels.avgPool2d(y, x, record, count);
  },
  backward({ dx, dy, record }, { kernels, count }) {
    if (dx) kernels.avgPool2dGrad(dx, dy, record, count);
  },
}));
