/**
 * Reading a window record (src/memory-layout/nn-layout.ts), and the copies between images, images with their
 * padding, and patches. Padding once costs less than looking for the edges at every patch.
 */
import {
  paddedPixels,
  WINDOW_HEIGHT,
  WINDOW_IN_CHANNELS,
  WINDOW_IN_HEIGHT,
  WINDOW_IN_WIDTH,
  WINDOW_OUT_HEIGHT,
  WINDOW_OUT_WIDTH,
  WINDOW_PAD_LEFT,
  WINDOW_PAD_TOP,
  WINDOW_STRIDE_X,
  WINDOW_STRIDE_Y,
  WINDOW_WIDTH,
} from '../../src/memory-layout/nn-layout';
import { addFloats, copyFloats } from './partial';

/** Floats of one input image. */
export function imageFloats(window: usize): i32 {
  return (
    load<i32>(window, WINDOW_IN_HEIGHT) *
    load<i32>(window, WINDOW_IN_WIDTH) *
    load<i32>(window, WINDOW_IN_CHANNELS)
  );
}

/** Output pixels of one image. */
export function positionsOf(window: usize): i32 {
  return load<i32>(window, WINDOW_OUT_HEIGHT) * load<i32>(window, WINDOW_OUT_WIDTH);
}

/** Floats of one patch: kernel rows × kernel columns × channels. */
export function patchFloats(window: usize): i32 {
  return (
    load<i32>(window, WINDOW_HEIGHT) *
    load<i32>(window, WINDOW_WIDTH) *
    load<i32>(window, WINDOW_IN_CHANNELS)
  );
}

/** Rows of a padded image. */
function paddedHeight(window: usize): i32 {
  const top = load<i32>(window, WINDOW_PAD_TOP);
  const strideY = load<i32>(window, WINDOW_STRIDE_Y);
  const positions = load<i32>(window, WINDOW_OUT_HEIGHT);
  return <i32>(
    paddedPixels(
      top,
      load<i32>(window, WINDOW_IN_HEIGHT),
      positions,
      strideY,
      load<i32>(window, WINDOW_HEIGHT),
    )
  );
}

/** Floats of a row of a padded image. */
function paddedRow(window: usize): i32 {
  const left = load<i32>(window, WINDOW_PAD_LEFT);
  const strideX = load<i32>(window, WINDOW_STRIDE_X);
  const positions = load<i32>(window, WINDOW_OUT_WIDTH);
  const pixels = <i32>(
    paddedPixels(
      left,
      load<i32>(window, WINDOW_IN_WIDTH),
      positions,
      strideX,
      load<i32>(window, WINDOW_WIDTH),
    )
  );
  return pixels * load<i32>(window, WINDOW_IN_CHANNELS);
}

/** Floats of a padded image. */
export function paddedFloats(window: usize): i32 {
  return paddedHeight(window) * paddedRow(window);
}

/** Bytes from the beginning of a padded image to that of the image in it. */
function insideBytes(window: usize): usize {
  const left = load<i32>(window, WINDOW_PAD_LEFT) * load<i32>(window, WINDOW_IN_CHANNELS);
  return (<usize>(load<i32>(window, WINDOW_PAD_TOP) * paddedRow(window) + left)) << 2;
}

function copyRows(dst: usize, dstStep: usize, src: usize, srcStep: usize, window: usize): void {
  const floats = load<i32>(window, WINDOW_IN_WIDTH) * load<i32>(window, WINDOW_IN_CHANNELS);
  for (let y = load<i32>(window, WINDOW_IN_HEIGHT); y > 0; --y) {
    copyFloats(dst, src, floats);
    dst += dstStep;
    src += srcStep;
  }
}

/** Bytes of an image row. */
function rowBytes(window: usize): usize {
  return (<usize>(load<i32>(window, WINDOW_IN_WIDTH) * load<i32>(window, WINDOW_IN_CHANNELS))) << 2;
}

/** Copies an image into a padded one, whose padding stays. */
export function copyIn(padded: usize, image: usize, window: usize): void {
  copyRows(
    padded + insideBytes(window),
    (<usize>paddedRow(window)) << 2,
    image,
    rowBytes(window),
    window,
  );
}

/** image = the inside of a padded one */
export function copyOut(image: usize, padded: usize, window: usize): void {
  copyRows(
    image,
    rowBytes(window),
    padded + insideBytes(window),
    (<usize>paddedRow(window)) << 2,
    window,
  );
}

/**
 * What happens between a patch and a padded image, run by run: a run is what a kernel row covers.
 * Never instantiated.
 */
@unmanaged
export class Run {
  visit(patch: usize, image: usize, bytes: usize): void {}
}

/**
 * patch = image. Whole vectors, past a run's end if need be: a short run would cost more in its
 * parts than in its copying.
 */
@unmanaged
export class Gather extends Run {
  @inline
  visit(patch: usize, image: usize, bytes: usize): void {
    let q: usize = 0;
    do v128.store(patch + q, v128.load(image + q));
    while ((q += 16) < bytes);
  }
}

/** image = image + patch */
@unmanaged
export class Scatter extends Run {
  @inline
  visit(patch: usize, image: usize, bytes: usize): void {
    addFloats(image, patch, <i32>(bytes >> 2));
  }
}

/**
 * Visits the runs of every patch of a padded image: patches by output row and column, in each the
 * kernel rows from the top.
 */
export function visitPatches<R extends Run>(patches: usize, padded: usize, window: usize): void {
  const outHeight = load<i32>(window, WINDOW_OUT_HEIGHT);
  const outWidth = load<i32>(window, WINDOW_OUT_WIDTH);
  const kernelHeight = load<i32>(window, WINDOW_HEIGHT);
  const pixel = (<usize>load<i32>(window, WINDOW_IN_CHANNELS)) << 2;
  const run = <usize>load<i32>(window, WINDOW_WIDTH) * pixel;
  const row = (<usize>paddedRow(window)) << 2;
  const right = <usize>load<i32>(window, WINDOW_STRIDE_X) * pixel;
  const down = <usize>load<i32>(window, WINDOW_STRIDE_Y) * row;
  for (let oy = 0; oy < outHeight; ++oy) {
    let first = padded;
    for (let ox = 0; ox < outWidth; ++ox) {
      let image = first;
      for (let y = kernelHeight; y > 0; --y) {
        changetype<R>(0).visit(patches, image, run);
        patches += run;
        image += row;
      }
      first += right;
    }
    padded += down;
  }
}
