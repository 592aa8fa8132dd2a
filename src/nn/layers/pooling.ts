/**
 * The plan that all pooling over windows shares. Windows have no padding; their stride is their
 * size by default.
 */
import { type LayerKind, type LayerSpec, PLAIN, type PlannedLayer } from './layer';
import { checkPair, type Pair, pairOf, planWindow } from './window';

/** A description of pooling over windows. */
export interface PoolingLayer extends LayerSpec {
  readonly size: Pair;
  readonly stride?: Pair;
}

/** The part of a plan that differs between kinds of pooling. */
type Pooling = Pick<PlannedLayer, 'forward' | 'backward'> &
  Partial<Pick<PlannedLayer, 'keptFloats'>>;

/**
 * Returns the kind of a pooling.
 * @param plan receives the number of elements in a sample's output
 */
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
