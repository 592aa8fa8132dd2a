/** The plan that layers share which merge several values of one shape by elements. */
import { ArgumentError } from '../../errors';
import { elementCount } from '../../math/shape';
import { describe } from '../../validate';
import { type LayerKind, type LayerSpec, PLAIN, type PlannedLayer } from './layer';

/** The part of a plan that differs between kinds; `size` is the number of elements per sample. */
type Merging = Pick<PlannedLayer, 'forward' | 'backward'> & Partial<PlannedLayer>;

/**
 * Returns the kind of a layer without options that merges values by elements.
 * @param plan receives the elements per sample and the number of inputs
 */
export function mergingKind<L extends LayerSpec>(
  kind: L['kind'],
  plan: (size: number, count: number) => Merging,
): LayerKind<L> {
  return {
    kind,
    prefix: kind,
    fields: [],
    merges: true,
    check() {},
    plan(_layer, input, path, { inputs }) {
      checkInputs(path, inputs);
      const odd = inputs.find((shape) => shape.join() !== input.join());
      if (odd)
        throw new ArgumentError(path, `inputs of one shape, ${describe(input)}`, describe(odd));
      return { ...PLAIN, output: input, ...plan(elementCount(input), inputs.length) };
    },
  };
}

/** Checks that there are at least two inputs. */
export function checkInputs(path: string, inputs: readonly unknown[]): void {
  if (inputs.length < 2)
    throw new ArgumentError(path, 'at least two inputs, as a node of a graph', `${inputs.length}`);
}
