/**
 * Windows over images, which convolution and pooling share: checks of their sizes, and their
 * record.
 */

import { WINDOW_RECORD_SIZE, WindowRecord } from '../../../build/nn-records';
import { ArgumentError } from '../../errors';
import { windowSizes } from '../../runtime/window-sizes';
import { checkInteger, describe, fail } from '../../validate';
import type { Shape } from './layer';

/** A size in pixels: one number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** The largest size or stride of a window, in pixels. */
const MAX_PIXELS = 2 ** 15;

/** Checks a size of one number or two, each an integer of at least `least`. */
export function checkPair(name: string, value: unknown, least: number): void {
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
}

/**
 * Returns the output's shape, the window's record, and the sizes that follow from it.
 * @throws ArgumentError naming `path` when input and window do not fit
 */
export function planWindow(
  path: string,
  input: Shape,
  { size, stride, padding }: Window,
  outChannels?: number,
) {
  if (input.length !== 3)
    throw new ArgumentError(path, 'an image [height, width, channels]', describe(input));
  const axis = (index: 0 | 1) => {
    const same = Math.max(
      0,
      (Math.ceil(input[index] / stride[index]) - 1) * stride[index] + size[index] - input[index],
    );
    const [before, total] =
      padding === 'same' ? [Math.floor(same / 2), same] : [padding[index], 2 * padding[index]];
    const positions = Math.floor((input[index] + total - size[index]) / stride[index]) + 1;
    if (positions < 1) {
      const reach = `an image of at least ${size[0]} × ${size[1]} pixels, padding included`;
      throw new ArgumentError(path, reach, describe(input));
    }
    return { before, positions };
  };
  const [vertical, horizontal] = [axis(0), axis(1)];
  const record = new Int32Array(WINDOW_RECORD_SIZE / 4);
  const window = new WindowRecord({ i32: record });
  [window.inHeight, window.inWidth, window.inChannels] = input;
  [window.height, window.width] = size;
  [window.strideY, window.strideX] = stride;
  window.padTop = vertical.before;
  window.padLeft = horizontal.before;
  window.outHeight = vertical.positions;
  window.outWidth = horizontal.positions;
  window.outChannels = outChannels ?? input[2];
  const output: Shape = [window.outHeight, window.outWidth, window.outChannels];
  return { output, record, ...windowSizes(window) };
}
