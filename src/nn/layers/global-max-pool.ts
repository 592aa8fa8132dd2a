/** Global max pooling over all positions of a sample. */
import { checkNoMore } from '../../validate';
import { checkPositions, type LayerKind, positionsOf } from './layer';
import { maximum, poolingPlan } from './pooling';
import { planSequenceWindow } from './window';

/** The description of global max pooling: y[c] = the maximum of x[…][c] over all positions. */
export interface GlobalMaxPoolLayer {
  readonly kind: 'globalMaxPool';
}

/**
 * Describes global max pooling: [height, width, channels] or [steps, channels] → [channels]. Of
 * equal maxima the first receives the gradient.
 * @example sequential([conv1d(32, { kernelSize: 3 }), relu(), globalMaxPool(), dense(10)])
 */
export function globalMaxPool(): GlobalMaxPoolLayer;
export function globalMaxPool(...extra: unknown[]): GlobalMaxPoolLayer {
  checkNoMore('globalMaxPool()', extra, 'it has no options; its size is that of the layer before');
  return { kind: 'globalMaxPool' };
}

const kind: LayerKind<GlobalMaxPoolLayer> = {
  kind: 'globalMaxPool',
  prefix: 'globalMaxPool',
  fields: [],
  check() {},
  plan(_layer, input, path) {
    checkPositions(path, input);
    // One window over all positions.
    const [positions, channels] = [positionsOf(input), input[input.length - 1]];
    const window = { size: positions, stride: positions, padding: 0 };
    const { record } = planSequenceWindow(path, [positions, channels], window);
    return poolingPlan({ output: [channels], record }, maximum);
  },
};

export default kind;
