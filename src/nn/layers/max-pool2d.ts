/** Maximum over windows of an image. */
import { checkOptions } from '../../validate';
import { type LayerKind, PLAIN } from './layer';
import { checkPair, type Pair, pairOf, planWindow } from './window';

/** y = the greatest of each window, channel by channel; windows that would reach over the edge are left out. */
export interface MaxPool2dLayer {
  readonly kind: 'maxPool2d';
  readonly size: Pair;
  readonly stride?: Pair;
}

/**
 * Max pooling: [height, width, channels] → [⌊(height - size)/stride⌋ + 1, …, channels]. The gradient goes to the first of equals.
 *
 * @param size height and width of the window, pixels
 * @param options.stride pixels from one window to the next. @default size
 * @throws ArgumentError for sizes that are not positive integers
 * @example sequential([conv2d(16, { kernelSize: 3 }), relu(), maxPool2d(2)])
 */
export function maxPool2d(size: Pair, options: { stride?: Pair } = {}): MaxPool2dLayer {
  checkOptions('options', options, ['stride']);
  const layer: MaxPool2dLayer = { kind: 'maxPool2d', size, ...options };
  maxPool2dKind.check(layer, (field) => field);
  return layer;
}

export const maxPool2dKind: LayerKind<MaxPool2dLayer> = {
  kind: 'maxPool2d',
  prefix: 'maxPool',
  fields: ['size', 'stride'],
  check({ size, stride = size }, nameOf) {
    checkPair(nameOf('size'), size, 1);
    checkPair(nameOf('stride'), stride, 1);
  },
  plan({ size, stride = size }, input, path) {
    const window = { size: pairOf(size), stride: pairOf(stride), padding: [0, 0] } as const;
    const { output, record, positions } = planWindow(path, input, window);
    return {
      ...PLAIN,
      output,
      record,
      // Where each maximum was found.
      keptFloats: (batchSize, training) => (training ? batchSize * positions * input[2] : 0),
      forward({ x, y, kept, record: at }, { kernels, count }) {
        kernels.maxPool2d(y, kept, x, at, count);
      },
      backward({ dx, dy, kept, record: at }, { kernels, count }) {
        if (dx) kernels.maxPool2dGrad(dx, dy, kept, at, count);
      },
    };
  },
};
