/**
 * Windows over images: the sizes that convolution and pooling share, checked, and their record for
 * the kernels.
 */

import { ArgumentError } from '../../errors';
import * as L from '../../memory-layout/nn-layout';
import { checkInteger, describe, fail } from '../../validate';
import type { Shape } from './layer';

/** One size for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** The most of a window or stride, in pixels. */
const MAX_PIXELS = 2 ** 15;

/** Checks a size that may be one number or two. */
export function checkPair(name: string, value: unknown, least: number): void {
  if (!Array.isArray(value)) {
    checkInteger(name, value, least, MAX_PIXELS);
    return;
  }
  if (value.length !== 2) fail(name, 'one integer, or two: [vertical, horizontal]', value);
  for (const [index, size] of value.entries())
    checkInteger(`${name}[${index}]`, size, least, MAX_PIXELS);
}

export function pairOf(size: Pair): readonly [number, number] {
  return typeof size === 'number' ? [size, size] : size;
}

/** How a window moves. */
export interface Window {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  /**
   * Zeros before and after each axis; 'same': as many as make the output ⌈input/stride⌉, the odd
   * one after.
   */
  readonly padding: readonly [number, number] | 'same';
}

/**
 * The output's sizes, the record, and the floats of an image with its padding. @throws
 * ArgumentError naming `path` when input and window do not fit
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
    return {
      before,
      positions,
      padded: L.paddedPixels(before, input[index], positions, stride[index], size[index]),
    };
  };
  const [vertical, horizontal] = [axis(0), axis(1)];
  const channels = outChannels ?? input[2];
  const record = new Int32Array(L.WINDOW_SIZE / 4);
  const set = (offset: number, value: number) => {
    record[offset / 4] = value;
  };
  set(L.WINDOW_IN_HEIGHT, input[0]);
  set(L.WINDOW_IN_WIDTH, input[1]);
  set(L.WINDOW_IN_CHANNELS, input[2]);
  set(L.WINDOW_HEIGHT, size[0]);
  set(L.WINDOW_WIDTH, size[1]);
  set(L.WINDOW_STRIDE_Y, stride[0]);
  set(L.WINDOW_STRIDE_X, stride[1]);
  set(L.WINDOW_PAD_TOP, vertical.before);
  set(L.WINDOW_PAD_LEFT, horizontal.before);
  set(L.WINDOW_OUT_HEIGHT, vertical.positions);
  set(L.WINDOW_OUT_WIDTH, horizontal.positions);
  set(L.WINDOW_OUT_CHANNELS, channels);
  const output: Shape = [vertical.positions, horizontal.positions, channels];
  const padded = vertical.padded * horizontal.padded * input[2];
  return { output, record, positions: vertical.positions * horizontal.positions, padded };
}
