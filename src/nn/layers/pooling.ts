/**
 * The plans that all pooling over windows shares. Strides are the window's size by default. Windows
 * that reach into the padding take only pixels of the image; padding is less than the size, so that
 * each has one.
 */
import { checkInteger } from '../../validate';
import { type LayerKind, type LayerSpec, PLAIN, type PlannedLayer, type Shape } from './layer';
import { checkPair, MAX_PIXELS, type Pair, pairOf, planSequenceWindow, planWindow } from './window';

/** Options of pooling over images. */
export interface Pool2dOptions {
  /** Pixels from one window to the next. @default size */
  stride?: Pair;
  /**
   * Pixels on each side of the image that windows may reach into, less than the size. 'same' pads
   * as TensorFlow does, so that the output is ⌈input/stride⌉.
   * @default 0
   */
  padding?: Pair | 'same';
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/** Options of pooling over sequences. */
export interface Pool1dOptions {
  /** Steps from one window to the next, an integer in [1, 2^15]. @default size */
  stride?: number;
  /**
   * Steps on each side of the sequence that windows may reach into: an integer in [0, size). 'same'
   * pads as TensorFlow does, so that the output has ⌈steps/stride⌉ steps.
   * @default 0
   */
  padding?: number | 'same';
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/** The fields of Pool2dOptions and Pool1dOptions. */
export const POOL_FIELDS = ['stride', 'padding'] as const;

/** A description of pooling over windows of images. */
export interface Pooling2dLayer extends LayerSpec, Readonly<Pool2dOptions> {
  readonly size: Pair;
}

/** A description of pooling over windows of sequences. */
export interface Pooling1dLayer extends LayerSpec, Readonly<Pool1dOptions> {
  readonly size: number;
}

/** The part of a plan that differs between kinds of pooling. */
type Pooling = Pick<PlannedLayer, 'forward' | 'backward'> &
  Partial<Pick<PlannedLayer, 'keptFloats'>>;

/** Returns what differs, for the number of elements in a sample's output. */
type PlanPooling = (outputSize: number) => Pooling;

/** The maximum of each window. */
export const maximum: PlanPooling = (outputSize) => ({
  // The place of each maximum in its window.
  keptFloats: (batchSize, training) => (training ? batchSize * outputSize : 0),
  forward({ x, y, kept, record }, { kernels, count }) {
    kernels.maxPool2d(y, kept, x, record, count);
  },
  backward({ dx, dy, kept, record }, { kernels, count }) {
    if (dx) kernels.maxPool2dGrad(dx, dy, kept, record, count);
  },
});

/** The mean of each window. */
export const mean: PlanPooling = () => ({
  forward({ x, y, record }, { kernels, count }) {
    kernels.avgPool2d(y, x, record, count);
  },
  backward({ dx, dy, record }, { kernels, count }) {
    if (dx) kernels.avgPool2dGrad(dx, dy, record, count);
  },
});

/** Returns the plan of a pooling over the windows that `record` describes. */
export function poolingPlan(
  { output, record }: { readonly output: Shape; readonly record: Int32Array },
  plan: PlanPooling,
): PlannedLayer {
  const size = output.reduce((product, each) => product * each, 1);
  return { ...PLAIN, output, record, ...plan(size) };
}

/** Returns the kind of a pooling over images. */
export function pooling2dKind<L extends Pooling2dLayer>(
  kind: L['kind'],
  prefix: string,
  plan: PlanPooling,
): LayerKind<L> {
  return {
    kind,
    prefix,
    fields: ['size', ...POOL_FIELDS],
    check({ size, stride = size, padding = 0 }, nameOf) {
      checkPair(nameOf('size'), size, 1);
      checkPair(nameOf('stride'), stride, 1);
      if (padding === 'same') return;
      checkPair(nameOf('padding'), padding, 0);
      for (const [axis, each] of pairOf(padding).entries()) {
        const name = nameOf(typeof padding === 'number' ? 'padding' : `padding[${axis}]`);
        checkInteger(name, each, 0, pairOf(size)[axis] - 1);
      }
    },
    plan({ size, stride = size, padding = 0 }, input, path) {
      const window = {
        size: pairOf(size),
        stride: pairOf(stride),
        padding: padding === 'same' ? padding : pairOf(padding),
      };
      return poolingPlan(planWindow(path, input, window), plan);
    },
  };
}

/** Returns the kind of a pooling over sequences. */
export function pooling1dKind<L extends Pooling1dLayer>(
  kind: L['kind'],
  prefix: string,
  plan: PlanPooling,
): LayerKind<L> {
  return {
    kind,
    prefix,
    fields: ['size', ...POOL_FIELDS],
    check({ size, stride = size, padding = 0 }, nameOf) {
      checkInteger(nameOf('size'), size, 1, MAX_PIXELS);
      checkInteger(nameOf('stride'), stride, 1, MAX_PIXELS);
      if (padding !== 'same') checkInteger(nameOf('padding'), padding, 0, size - 1);
    },
    plan: ({ size, stride = size, padding = 0 }, input, path) =>
      poolingPlan(planSequenceWindow(path, input, { size, stride, padding }), plan),
  };
}
