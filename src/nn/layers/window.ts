/**
 * Windows over images and sequences, which convolution and pooling share: checks of their sizes,
 * and their record.
 */

import { WINDOW_RECORD_SIZE, WindowRecord } from '../../../build/nn-records';
import { ArgumentError } from '../../errors';
import { spannedPixels } from '../../memory-layout/nn-layout';
import { windowSizes } from '../../runtime/window-sizes';
import { checkInteger, describe, fail } from '../../validate';
import type { Shape } from './layer';

/** A size in pixels: one number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** The largest size or stride of a window, in pixels. */
export const MAX_PIXELS = 2 ** 15;

/** Checks a size of one number or two, each an integer of at least `least`. */
export function checkPair(name: string, value: unknown, least: number): asserts value is Pair {
  if (!Array.isArray(value)) {
    checkInteger(name, value, least, MAX_PIXELS);
    return;
  }
  if (value.length !== 2) fail(name, 'one integer, or two: [vertical, horizontal]', value);
  for (const [index, size] of value.entries())
    checkInteger(`${name}[${index}]`, size, least, MAX_PIXELS);
}

/** Returns a size as [vertical, horizontal]. */
export function pairOf(size: Pair): readonly [number, number] {
  return typeof size === 'number' ? [size, size] : size;
}

/** The size of a window and how it moves, [vertical, horizontal]. */
export interface Window {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  /**
   * Zeros on both sides of each axis. 'same': as many as make the output ⌈input/stride⌉; an odd
   * zero goes after the image.
   */
  readonly padding: readonly [number, number] | 'same';
  /** Pixels from one row or column of the window to the next. @default 1 */
  readonly dilation?: readonly [number, number];
}

/** The same for sequences. */
export interface SequenceWindow {
  readonly size: number;
  readonly stride: number;
  /** 'causal': all zeros go before the sequence, so that no output reads a later step. */
  readonly padding: number | 'same' | 'causal';
  readonly dilation?: number;
}

/** A window along one axis, and the zeros before it and output positions that follow. */
interface Axis {
  readonly input: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly positions: number;
}

function planAxis(input: number, size: number, window: Omit<SequenceWindow, 'size'>): Axis {
  const { stride, padding, dilation = 1 } = window;
  const span = spannedPixels(size, dilation);
  const same = Math.max(0, (Math.ceil(input / stride) - 1) * stride + span - input);
  const [before, total] =
    padding === 'same'
      ? [Math.floor(same / 2), same]
      : padding === 'causal'
        ? [span - 1, span - 1]
        : [padding, 2 * padding];
  const positions = Math.floor((input + total - span) / stride) + 1;
  return { input, size, stride, dilation, before, positions };
}

/** Returns the window's record, and the sizes that follow from it. */
function recordOf(vertical: Axis, horizontal: Axis, inChannels: number, outChannels: number) {
  const record = new Int32Array(WINDOW_RECORD_SIZE / 4);
  const window = new WindowRecord({ i32: record });
  [window.inHeight, window.inWidth, window.inChannels] = [
    vertical.input,
    horizontal.input,
    inChannels,
  ];
  [window.height, window.width] = [vertical.size, horizontal.size];
  [window.strideY, window.strideX] = [vertical.stride, horizontal.stride];
  [window.padTop, window.padLeft] = [vertical.before, horizontal.before];
  [window.outHeight, window.outWidth] = [vertical.positions, horizontal.positions];
  window.outChannels = outChannels;
  [window.dilationY, window.dilationX] = [vertical.dilation, horizontal.dilation];
  return { record, ...windowSizes(window) };
}

/**
 * Returns the output's shape, the window's record, and the sizes that follow from it.
 * @throws ArgumentError naming `path` when input and window do not fit
 */
export function planWindow(
  path: string,
  input: Shape,
  { size, stride, padding, dilation = [1, 1] }: Window,
  outChannels = input[2],
) {
  if (input.length !== 3)
    throw new ArgumentError(path, 'an image [height, width, channels]', describe(input));
  const axis = (index: 0 | 1) =>
    planAxis(input[index], size[index], {
      stride: stride[index],
      padding: padding === 'same' ? padding : padding[index],
      dilation: dilation[index],
    });
  const [vertical, horizontal] = [axis(0), axis(1)];
  if (vertical.positions < 1 || horizontal.positions < 1) {
    const [rows, columns] = size.map((each, index) => spannedPixels(each, dilation[index]));
    const reach = `an image of at least ${rows} × ${columns} pixels, padding included`;
    throw new ArgumentError(path, reach, describe(input));
  }
  const output: Shape = [vertical.positions, horizontal.positions, outChannels];
  return { output, ...recordOf(vertical, horizontal, input[2], outChannels) };
}

/** One row, as the vertical axis of a sequence. */
const ONE_ROW: Axis = { input: 1, size: 1, stride: 1, dilation: 1, before: 0, positions: 1 };

/**
 * Does the same for a sequence [steps, channels], which kernels see as an image of one row.
 * @throws ArgumentError naming `path` when input and window do not fit
 */
export function planSequenceWindow(
  path: string,
  input: Shape,
  window: SequenceWindow,
  outChannels = input[1],
) {
  if (input.length !== 2)
    throw new ArgumentError(path, 'a sequence [steps, channels]', describe(input));
  const axis = planAxis(input[0], window.size, window);
  if (axis.positions < 1) {
    const steps = spannedPixels(window.size, window.dilation ?? 1);
    const reach = `a sequence of at least ${steps} steps, padding included`;
    throw new ArgumentError(path, reach, describe(input));
  }
  const output: Shape = [axis.positions, outChannels];
  return { output, ...recordOf(ONE_ROW, axis, input[1], outChannels) };
}
