/** The options, checks and plans that convolutions share. */
import { CONV_SUMS, convScratchBytes, depthwiseScratchBytes } from '../../memory-layout/nn-layout';
import { checkInteger } from '../../validate';
import { checkKernel, KERNEL_FIELDS, type KernelOptions } from './initial';
import { type ArrayPlan, PLAIN, type PlannedLayer, type Shape } from './layer';
import { checkPair, MAX_PIXELS, type Pair, pairOf, type planWindow, type Window } from './window';

/** Options of convolutions over images. */
export interface ImageConvolutionOptions extends KernelOptions {
  /** Height and width of the kernel, in pixels. */
  kernelSize: Pair;
  /** Pixels from one window to the next. @default 1 */
  stride?: Pair;
  /**
   * Zeros around the image, in pixels on each side. 'same' pads as TensorFlow does, so that the
   * output is ⌈input/stride⌉; an odd zero goes after the image.
   * @default 0
   */
  padding?: Pair | 'same';
  /** Pixels from one row or column of the kernel to the next. @default 1 */
  dilation?: Pair;
}

/** The fields of a window, in ImageConvolutionOptions and SequenceConvolutionOptions. */
export const WINDOW_FIELDS = ['kernelSize', 'stride', 'padding', 'dilation'] as const;

/** All fields of these options but `name`. */
export const CONVOLUTION_FIELDS = [...WINDOW_FIELDS, ...KERNEL_FIELDS] as const;

/** Checks ImageConvolutionOptions. */
export function checkImageOptions(
  layer: Readonly<ImageConvolutionOptions>,
  nameOf: (field: string) => string,
): void {
  const { kernelSize, stride = 1, padding = 0, dilation = 1 } = layer;
  checkKernel(layer, nameOf);
  checkPair(nameOf('kernelSize'), kernelSize, 1);
  checkPair(nameOf('stride'), stride, 1);
  if (padding !== 'same') checkPair(nameOf('padding'), padding, 0);
  checkPair(nameOf('dilation'), dilation, 1);
}

/** Returns the window that ImageConvolutionOptions describe. */
export function windowOf(options: Readonly<ImageConvolutionOptions>): Window {
  const { kernelSize, stride = 1, padding = 0, dilation = 1 } = options;
  return {
    size: pairOf(kernelSize),
    stride: pairOf(stride),
    padding: padding === 'same' ? padding : pairOf(padding),
    dilation: pairOf(dilation),
  };
}

/** Options of convolutions over sequences. */
export interface SequenceConvolutionOptions extends KernelOptions {
  /** Length of the kernel, in steps: an integer in [1, 2^15]. */
  kernelSize: number;
  /** Steps from one window to the next, an integer in [1, 2^15]. @default 1 */
  stride?: number;
  /**
   * Zeros before and after the sequence, each this many: an integer in [0, 2^15]. 'same' pads as
   * TensorFlow does, so that the output has ⌈steps/stride⌉ steps; an odd zero goes after the
   * sequence. 'causal' puts all zeros before the sequence, so that no output reads a later step.
   * @default 0
   */
  padding?: number | 'same' | 'causal';
  /** Steps from one place of the kernel to the next, an integer in [1, 2^15]. @default 1 */
  dilation?: number;
}

/** Checks SequenceConvolutionOptions. */
export function checkSequenceOptions(
  layer: Readonly<SequenceConvolutionOptions>,
  nameOf: (field: string) => string,
): void {
  const { kernelSize, stride = 1, padding = 0, dilation = 1 } = layer;
  checkKernel(layer, nameOf);
  checkInteger(nameOf('kernelSize'), kernelSize, 1, MAX_PIXELS);
  checkInteger(nameOf('stride'), stride, 1, MAX_PIXELS);
  if (padding !== 'same' && padding !== 'causal')
    checkInteger(nameOf('padding'), padding, 0, MAX_PIXELS);
  checkInteger(nameOf('dilation'), dilation, 1, MAX_PIXELS);
}

/** The shape, record and sizes of a window over images or sequences. */
export type PlannedWindow = ReturnType<typeof planWindow>;

/**
 * Returns the plan of a dense convolution of one weight and, if `parameters` has it, a bias.
 * @param filters output channels
 */
export function convolutionPlan(
  { output, record, padded, positions, patch }: PlannedWindow,
  filters: number,
  parameters: readonly ArrayPlan[],
): PlannedLayer {
  return {
    ...PLAIN,
    output,
    record,
    parameters,
    backwardReads: { input: true, output: false },
    scratchBytes: (_, threads) =>
      convScratchBytes(padded, positions, patch, filters, threads > 1 ? CONV_SUMS : 1),
    forward({ x, y, weights, record: at, scratch }, { kernels, count }) {
      kernels.conv2d(y, x, weights[0], at, count, scratch);
      if (weights[1]) kernels.biasAdd(y, weights[1], count * positions, filters);
    },
    backward({ x, dx, dy, weights, gradients, record: at, scratch }, { kernels, count }) {
      if (gradients[0]) kernels.conv2dWeightGrad(gradients[0], dy, x, at, count, scratch);
      if (gradients[1]) kernels.biasGrad(gradients[1], dy, count * positions, filters);
      if (dx) kernels.conv2dInputGrad(dx, dy, weights[0], at, count, scratch);
    },
  };
}

/** Returns the bytes of scratch that the depthwise kernels need between images of these shapes. */
export function depthwiseScratch([height, width, channels]: Shape, output: Shape): number {
  const [rows, columns] = [Math.max(height, output[0]), Math.max(width, output[1])];
  const repeats = output[2] !== channels;
  return depthwiseScratchBytes(rows, columns, repeats ? height * width * output[2] : 0);
}
