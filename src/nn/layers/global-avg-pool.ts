/** Global average pooling over all positions of a sample. */
import { checkNoMore } from '../../validate';
import { checkPositions, type LayerKind, PLAIN, positionsOf } from './layer';

/** The description of global average pooling: y[c] = the mean of x[…][c] over all positions. */
export interface GlobalAvgPoolLayer {
  readonly kind: 'globalAvgPool';
}

/**
 * Describes global average pooling: [height, width, channels] or [steps, channels] → [channels].
 * @example sequential([conv2d(32, { kernelSize: 3 }), relu(), globalAvgPool(), dense(10)])
 */
export function globalAvgPool(): GlobalAvgPoolLayer;
export function globalAvgPool(...extra: unknown[]): GlobalAvgPoolLayer {
  checkNoMore('globalAvgPool()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'globalAvgPool' };
}

const kind: LayerKind<GlobalAvgPoolLayer> = {
  kind: 'globalAvgPool',
  prefix: 'globalAvgPool',
  fields: [],
  check() {},
  plan(_layer, input, path) {
    checkPositions(path, input);
    const [positions, channels] = [positionsOf(input), input[input.length - 1]];
    return {
      ...PLAIN,
      output: [channels],
      forward({ x, y }, { kernels, count }) {
        kernels.globalAvgPool(y, x, count, positions, channels);
      },
      backward({ dx, dy }, { kernels, count }) {
        if (dx) kernels.globalAvgPoolGrad(dx, dy, count, positions, channels);
      },
    };
  },
};

export default kind;
