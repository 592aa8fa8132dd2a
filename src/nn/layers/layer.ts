/**
 * What a layer is. A description is plain data, so that a model can be written down, checked and
 * rebuilt; its kind knows how to check it and how to plan it for an input shape; the planned layer
 * runs, over addresses in linear memory that it is given.
 *
 * Invariant: a planned layer holds no addresses and no state, so the same plan runs over any memory
 * and any kernels.
 */
import type { Prng } from '../../math/prng';
import type { NNKernels } from '../../runtime/kernels-nn';

/**
 * Sizes of one sample, the batch left out: [features], [steps, features] or [height, width,
 * channels].
 */
export type Shape = readonly number[];

/** What every layer description has. */
export interface LayerSpec {
  readonly kind: string;
}

/** A named array of a layer: a trainable parameter, or a running figure. */
export interface ArrayPlan {
  readonly name: string;
  readonly shape: readonly number[];
  /** Gives the array, all zero, its first values; left out where zeros are meant. */
  readonly initialise?: (values: Float32Array, prng: Prng) => void;
  /** The least value that an element may have. @default any finite one */
  readonly minimum?: number;
}

/** Byte addresses of what a layer works on. Addresses of what this pass does not have are 0. */
export interface LayerArrays {
  readonly x: number;
  readonly y: number;
  /** Gradient by x; 0 when nobody wants it. */
  readonly dx: number;
  readonly dy: number;
  /** Values of the parameters, in their order. */
  readonly weights: readonly number[];
  /** Gradients of the parameters; 0 for those that nobody wants. */
  readonly gradients: readonly number[];
  /** Running figures that evaluation reads. */
  readonly statistics: readonly number[];
  /** Running figures that a pass over the batch's own statistics brings up to date, in place. */
  readonly nextStatistics: readonly number[];
  /** What forward leaves for backward: `keptFloats` of them. */
  readonly kept: number;
  /** `record`, if the layer has one. */
  readonly record: number;
  readonly scratch: number;
}

/** One run over a batch. */
export interface Pass {
  readonly kernels: NNKernels;
  /** Samples. */
  readonly count: number;
  /** Whether dropout drops. */
  readonly training: boolean;
  /**
   * Whether batch norm takes the batch's own statistics, and brings the running ones up to date.
   */
  readonly batchStatistics: boolean;
  /**
   * Share of the batch in the running statistics; null for the one that the layer was created with.
   */
  readonly momentum: number | null;
  /** The model's seed as two u32, the lower first. */
  readonly key: readonly [number, number];
  /** Training passes before this one. */
  readonly step: number;
}

/** A layer for a given input shape. */
export interface PlannedLayer {
  readonly output: Shape;
  readonly parameters: readonly ArrayPlan[];
  readonly statistics: readonly ArrayPlan[];
  /** What backward reads, besides dy and what was kept. */
  readonly backwardReads: { readonly input: boolean; readonly output: boolean };
  /** 'view': y is x and dx is dy, and nothing runs. 'allowed': y may be x, and dx may be dy. */
  readonly inPlace: 'view' | 'allowed' | 'never';
  /** Fewest samples of a batch whose own statistics the layer can work with. */
  readonly fewestSamples: number;
  /** Words for `record`, the same in every pass. */
  readonly record: Int32Array | null;
  /** Elements that forward leaves for backward, or needs itself, for a batch of so many samples. */
  keptFloats(batchSize: number, training: boolean): number;
  /** Bytes that do not outlive a call, of each of so many threads. */
  scratchBytes(batchSize: number, threads: number): number;
  forward(arrays: LayerArrays, pass: Pass): void;
  /** Writes the gradients of the parameters and, if wanted, dx. */
  backward(arrays: LayerArrays, pass: Pass): void;
}

/** A kind of layer. */
export interface LayerKind<L extends LayerSpec> {
  readonly kind: L['kind'];
  /** What its parameters are called after: `dense` gives `dense1.weight`. */
  readonly prefix: string;
  /** Fields of the description besides `kind`. */
  readonly fields: readonly string[];
  /**
   * Throws ArgumentError for a description out of range; `nameOf` gives the name of a field in
   * errors.
   */
  check(layer: L, nameOf: (field: string) => string): void;
  /** @throws ArgumentError naming `path` when the layer cannot take such an input */
  plan(layer: L, input: Shape, path: string, index: number): PlannedLayer;
}

/** What most layers have of the rest. */
export const PLAIN = {
  parameters: [],
  statistics: [],
  backwardReads: { input: false, output: false },
  inPlace: 'never',
  fewestSamples: 1,
  record: null,
  keptFloats: () => 0,
  scratchBytes: () => 0,
} as const;

/** The most units, filters or rows that a layer may have. */
export const MAX_UNITS = 2 ** 24;
