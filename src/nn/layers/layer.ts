/**
 * The three forms of a layer. A description is plain data, so that a model can be stored, checked
 * and rebuilt. Its kind checks it and plans it for an input shape. The planned layer runs forward
 * and backward over addresses in linear memory that its caller passes.
 *
 * Invariant: between passes a planned layer holds neither addresses nor state, so the same plan
 * runs over any memory and any kernels. Passes allocate nothing; a layer may write addresses of the
 * running pass to an object of its plan, which every pass sets anew.
 */
import type { NNFamily } from '../../../build/nn-families';
import type { Prng } from '../../math/prng';
import type { NNKernels } from '../../runtime/kernels-nn';
import { fail } from '../../validate';

/**
 * The shape of one sample, without the batch: [features], [steps, features] or [height, width,
 * channels].
 */
export type Shape = readonly number[];

/** The fields that every layer description has. */
export interface LayerSpec {
  readonly kind: string;
  /**
   * Name of the layer in a chain, which begins the names of its parameters.
   * @default the kind, numbered: `dense1`
   */
  readonly name?: string;
}

/** What a layer's plan may depend on besides its description and the shape of its first input. */
export interface PlanContext {
  /** Place of the layer among those of the model, from 0. */
  readonly index: number;
  /** Shapes of all inputs. */
  readonly inputs: readonly Shape[];
  /** Whether the inputs are inputs of the model. */
  readonly readsInput: boolean;
}

/** A named array of a layer: a trainable parameter or a running statistic. */
export interface ArrayPlan {
  readonly name: string;
  readonly shape: readonly number[];
  /** Sets the initial values of the array, which is zero before. @default zeros */
  readonly initialise?: (values: Float32Array, prng: Prng) => void;
  /** Smallest value that an element may have. @default any finite value */
  readonly minimum?: number;
}

/** Byte addresses of a layer's arrays; 0 for arrays that this pass does not have. */
export interface LayerArrays {
  /** First input. */
  readonly x: number;
  readonly y: number;
  /** Address of the gradient by x; 0 if it is not needed. */
  readonly dx: number;
  readonly dy: number;
  /** All inputs, x first. Only layers that merge values have more than one. */
  readonly inputs: readonly number[];
  /** Gradients by the inputs, dx first; 0 for those that are not needed. */
  readonly inputGradients: readonly number[];
  /** Values of the parameters, in the order of the plan. */
  readonly weights: readonly number[];
  /** Gradients of the parameters; 0 for parameters that are not trained. */
  readonly gradients: readonly number[];
  /** Running statistics that evaluation reads. */
  readonly statistics: readonly number[];
  /** Running statistics that a pass with `batchStatistics` updates in place. */
  readonly nextStatistics: readonly number[];
  /** Floats that forward keeps for backward, `keptFloats` of them. */
  readonly kept: number;
  /** Copy of the planned layer's `record`, if it has one. */
  readonly record: number;
  /** Scratch of the running call, `scratchBytes` long. */
  readonly scratch: number;
}

/** One run over a batch. */
export interface Pass {
  readonly kernels: NNKernels;
  /** Number of samples. */
  readonly count: number;
  /** Whether dropout drops elements. */
  readonly training: boolean;
  /** Whether batch norm uses the batch's own statistics and updates the running ones. */
  readonly batchStatistics: boolean;
  /** Share of the batch in the running statistics; null for each layer's own. */
  readonly momentum: number | null;
  /** The model's seed as two u32, the low half first. */
  readonly key: readonly [number, number];
  /** Number of training passes before this one. */
  readonly step: number;
}

/** What the values of an input must be, where not every number has a meaning. */
export interface InputValues {
  /** The values as errors show them. */
  readonly expected: string;
  accepts(value: number): boolean;
}

/** A layer planned for an input shape. */
export interface PlannedLayer {
  readonly output: Shape;
  readonly parameters: readonly ArrayPlan[];
  readonly statistics: readonly ArrayPlan[];
  /** The arrays that backward reads besides dy and the kept floats. */
  readonly backwardReads: { readonly input: boolean; readonly output: boolean };
  /**
   * 'view': y is x, dx is dy, and nothing runs. 'allowed': y may be x, and dx may be dy, so that a
   * layer with more inputs computes dx last.
   */
  readonly inPlace: 'view' | 'allowed' | 'never';
  /** Smallest batch whose own statistics the layer can use. */
  readonly fewestSamples: number;
  /** Whether the output has a gradient by the input. The indices of an embedding have none. */
  readonly differentiable: boolean;
  /**
   * Words of the record that the layer's kernels read, or floats of a constant, the same in every
   * pass; null for none.
   */
  readonly record: Int32Array | Float32Array | null;
  /**
   * What the values of inputs must be, by their places; absent where any number will do. They are
   * checked in inputs of the model, and not in what other layers compute.
   */
  readonly inputValues?: readonly (InputValues | undefined)[];
  /** Returns the number of floats that forward needs, or keeps for backward, for such a batch. */
  keptFloats(batchSize: number, training: boolean): number;
  /** Returns the bytes of scratch that a call needs for each of that many threads. */
  scratchBytes(batchSize: number, threads: number): number;
  /** Computes y. */
  forward(arrays: LayerArrays, pass: Pass): void;
  /** Computes the gradients of the parameters and, unless it is 0, dx. */
  backward(arrays: LayerArrays, pass: Pass): void;
}

/** A kind of layer, which checks and plans descriptions. */
export interface LayerKind<L extends LayerSpec> {
  readonly kind: L['kind'];
  /** Prefix of parameter names: `dense` gives `dense1.weight`. */
  readonly prefix: string;
  /** Fields of the description besides `kind`. */
  readonly fields: readonly string[];
  /** Family whose kernels the layer needs besides those of every model. @default none */
  readonly family?: NNFamily;
  /** Whether the layer takes several inputs. @default false */
  readonly merges?: boolean;
  /**
   * Checks the fields of a description; `nameOf` returns the name of a field in errors.
   * @throws ArgumentError for a field that is out of range
   */
  check(layer: L, nameOf: (field: string) => string): void;
  /**
   * Plans a checked layer for the shape of its first input.
   * @throws ArgumentError naming `path` when the layer does not accept that input
   */
  plan(layer: L, input: Shape, path: string, context: PlanContext): PlannedLayer;
}

/** The fields of a plan that most layers leave as they are. */
export const PLAIN = {
  parameters: [],
  statistics: [],
  backwardReads: { input: false, output: false },
  inPlace: 'never',
  fewestSamples: 1,
  differentiable: true,
  record: null,
  keptFloats: () => 0,
  scratchBytes: () => 0,
} as const;

/** The largest number of units, filters or rows of a layer. */
export const MAX_UNITS = 2 ** 24;

/** Returns a description after its kind has checked it; errors name its fields alone. */
export function checked<L extends LayerSpec>(kind: LayerKind<L>, layer: L): L {
  if (layer.name !== undefined) checkLayerName('name', layer.name);
  kind.check(layer, (field) => field);
  return layer;
}

/** Checks the name of a layer or value, which becomes part of parameter names and keys of files. */
export function checkLayerName(argument: string, name: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (typeof name !== 'string' || !/^[^.\u0000-\u001f]{1,200}$/.test(name))
    fail(argument, 'a name of 1 to 200 characters without "."', name);
  // A record without that name would still seem to have it.
  if (name in Object.prototype)
    fail(argument, 'a name that is no property of Object.prototype', name);
  return name;
}

/** Returns the number of positions in a sample: the product of all sizes but the last. */
export function positionsOf(shape: Shape): number {
  // Passes call this: a slice of the shape would be garbage.
  let positions = 1;
  for (let axis = 0; axis < shape.length - 1; axis++) positions *= shape[axis];
  return positions;
}

/**
 * Checks that a layer which pools over all positions has any.
 * @throws ArgumentError naming `path`
 */
export function checkPositions(path: string, input: Shape): void {
  if (input.length >= 2) return;
  fail(path, 'an image [height, width, channels] or a sequence [steps, channels]', input);
}
