/**
 * The sizes that follow from a window, and the copies between images, images with their padding,
 * and patches. Padding once costs less than looking for the edges at every patch.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import { paddedPixels, spannedPixels } from '../../src/memory-layout/nn-layout';
import { addFloats, copyFloats } from './partial';

/** Returns the floats of one input image. */
export function imageFloats(window: WindowRecord): i32 {
  return window.inHeight * window.inWidth * window.inChannels;
}

/** Returns the output pixels of one image. */
export function positionsOf(window: WindowRecord): i32 {
  return window.outHeight * window.outWidth;
}

/** Returns the floats of one patch: kernel rows × kernel columns × channels. */
export function patchFloats(window: WindowRecord): i32 {
  return window.height * window.width * window.inChannels;
}

/** Returns the rows of a padded image. */
function paddedHeight(window: WindowRecord): i32 {
  const span = spannedPixels(window.height, window.dilationY);
  return <i32>paddedPixels(window.padTop, window.inHeight, window.outHeight, window.strideY, span);
}

/** Returns the floats of a row of a padded image. */
function paddedRow(window: WindowRecord): i32 {
  const span = spannedPixels(window.width, window.dilationX);
  const pixels = <i32>(
    paddedPixels(window.padLeft, window.inWidth, window.outWidth, window.strideX, span)
  );
  return pixels * window.inChannels;
}

/** Returns the floats of a padded image. */
export function paddedFloats(window: WindowRecord): i32 {
  return paddedHeight(window) * paddedRow(window);
}

/** Returns the bytes from the start of a padded image to the image inside it. */
function insideBytes(window: WindowRecord): usize {
  const left = window.padLeft * window.inChannels;
  return (<usize>(window.padTop * paddedRow(window) + left)) << 2;
}

function copyRows(
  dst: usize,
  dstStep: usize,
  src: usize,
  srcStep: usize,
  window: WindowRecord,
): void {
  const floats = window.inWidth * window.inChannels;
  for (let y = window.inHeight; y > 0; --y) {
    copyFloats(dst, src, floats);
    dst += dstStep;
    src += srcStep;
  }
}

/** Returns the bytes of a row of an image. */
function rowBytes(window: WindowRecord): usize {
  return (<usize>(window.inWidth * window.inChannels)) << 2;
}

/** Copies an image into a padded one, and leaves the padding as it is. */
export function copyIn(padded: usize, image: usize, window: WindowRecord): void {
  copyRows(
    padded + insideBytes(window),
    (<usize>paddedRow(window)) << 2,
    image,
    rowBytes(window),
    window,
  );
}

/** Copies the inside of a padded image out. */
export function copyOut(image: usize, padded: usize, window: WindowRecord): void {
  copyRows(
    image,
    rowBytes(window),
    padded + insideBytes(window),
    (<usize>paddedRow(window)) << 2,
    window,
  );
}

/**
 * The operation between a patch and a padded image, run by run; a run is the part that one kernel
 * row covers, or a pixel of it where columns are dilated. Never instantiated: see activation.ts.
 */
@unmanaged
export class Run {
  visit(patch: usize, image: usize, bytes: usize): void {}
}

/**
 * patch = image. It copies whole vectors, past a run's end where the run is not a multiple of one:
 * splitting a short run would cost more than copying it.
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

/** Does what visitPatches does where columns are dilated, so that every run is one pixel. */
function visitPixels<R extends Run>(patches: usize, padded: usize, window: WindowRecord): void {
  const pixel = (<usize>window.inChannels) << 2;
  const row = (<usize>paddedRow(window)) << 2;
  for (let oy = 0; oy < window.outHeight; ++oy) {
    for (let ox = 0; ox < window.outWidth; ++ox) {
      for (let y = 0; y < window.height; ++y) {
        const iy = oy * window.strideY + y * window.dilationY;
        let image = padded + <usize>iy * row + <usize>(ox * window.strideX) * pixel;
        for (let x = window.width; x > 0; --x) {
          changetype<R>(0).visit(patches, image, pixel);
          patches += pixel;
          image += <usize>window.dilationX * pixel;
        }
      }
    }
  }
}

/**
 * Visits the runs of every patch of a padded image: patches by output row and column, and within
 * each the kernel rows from the top.
 */
export function visitPatches<R extends Run>(
  patches: usize,
  padded: usize,
  window: WindowRecord,
): void {
  // A test inside the loops would cost 10% on images of one channel.
  if (window.dilationX !== 1) {
    visitPixels<R>(patches, padded, window);
    return;
  }
  const outHeight = window.outHeight;
  const outWidth = window.outWidth;
  const kernelHeight = window.height;
  const pixel = (<usize>window.inChannels) << 2;
  const run = <usize>window.width * pixel;
  const row = (<usize>(paddedRow(window) * window.dilationY)) << 2;
  const right = <usize>window.strideX * pixel;
  const down = (<usize>(paddedRow(window) * window.strideY)) << 2;
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
