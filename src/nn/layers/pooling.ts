/**
 * What pooling over windows has in common: the windows, which have no padding and lie side by side
 * unless a stride is given.
 */
import { type LayerKind, type LayerSpec, PLAIN, type PlannedLayer } from './layer';
import { checkPair, type Pair, pairOf, planWindow } from './window';

export interface PoolingLayer extends LayerSpec {
  readonly size: Pair;
  readonly stride?: Pair;
}

/** What a kind of pooling computes. */
type Pooling = Pick<PlannedLayer, 'forward' | 'backward'> &
  Partial<Pick<PlannedLayer, 'keptFloats'>>;

/** @param plan given the elements of a sample's output */
export function poolingKind<L extends PoolingLayer>(
  kind: L['kind'],
  prefix: string,
  plan: (outputSize: number) => Pooling,
): LayerKind<L> {
  return {
    kind,
    prefix,
    fields: ['size', 'stride'],
    check({ size, stride = size }, nameOf) {
      checkPair(nameOf('size'), size, 1);
      checkPair(nameOf('stride'), stride, 1);
    },
    plan({ size, stride = size }, input, path) {
      const window = { size: pairOf(size), stride: pairOf(stride), padding: [0, 0] } as const;
      const { output, record, positions } = planWindow(path, input, window);
      return { ...PLAIN, output, record, ...plan(positions * input[2]) };
    },
  };
}
