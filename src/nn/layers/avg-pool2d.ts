/** Average pooling over windows of an image. */
import { checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import { poolingKind } from './pooling';
import type { Pair } from './window';

/**
 * The description of average pooling: y = the mean of each window, channel by channel. Windows that
 * would reach past the edge of the image are left out.
 */
export interface AvgPool2dLayer {
  readonly kind: 'avgPool2d';
  /** Height and width of the window, in pixels. */
  readonly size: Pair;
  /** Pixels from one window to the next. @default size */
  readonly stride?: Pair;
}

/**
 * Describes average pooling: [height, width, channels] → [⌊(height - size)/stride⌋ + 1, …,
 * channels].
 *
 * @param size height and width of the window, in pixels
 * @param options.stride pixels from one window to the next. @default size
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), avgPool2d(2)])
 */
export function avgPool2d(size: Pair, options?: { stride?: Pair; name?: string }): AvgPool2dLayer;
export function avgPool2d(
  size: Pair,
  options: { stride?: Pair; name?: string } = {},
  ...extra: unknown[]
): AvgPool2dLayer {
  checkNoMore('avgPool2d(size, options)', extra, 'a stride is given as { stride: 2 }');
  checkOptions('options', options, ['stride', 'name']);
  return checked(kind, { kind: 'avgPool2d', size, ...options });
}

const kind: LayerKind<AvgPool2dLayer> = poolingKind('avgPool2d', 'avgPool', () => ({
  forward({ x, y, record }, { kernels, count }) {
    kernels.avgPool2d(y, x, record, count);
  },
  backward({ dx, dy, record }, { kernels, count }) {
    if (dx) kernels.avgPool2dGrad(dx, dy, record, count);
  },
}));

export default kind;
