/**
 * 2-D convolution as matrix products over patches, image by image, so that the patches of one image
 * stay in cache and scratch does not grow with the batch. Weights are [out channels][kernel
 * rows][kernel columns][in channels]: a row has the shape of a patch. They are packed once for all
 * images.
 *
 * Patches are copied together unless they lie in the image already, as rows at a fixed distance:
 * those of a sequence do, overlapping each other. Where every pixel is a patch, images are not
 * separated either.
 *
 * Scratch holds, in this order: an image with its padding, its patches, packed weights or the
 * transpose of their gradient, the scratch of gemm, the sums of groups.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import {
  CONV_GROUP,
  convCopyBytes,
  convGradientBytes,
  convSumsOffset,
  convWeightBytes,
} from '../../src/memory-layout/nn-layout';
import { accumulate, gemm, gemmPacked, packAll } from './gemm';
import { transpose } from './pack';
import { addFloats, zeroFloats } from './partial';
import {
  copyIn,
  copyOut,
  Gather,
  imageFloats,
  paddedFloats,
  patchFloats,
  positionsOf,
  Scatter,
  visitPatches,
} from './window';

/** Returns the address of an image's patches in scratch. */
function patchesIn(scratch: usize, window: WindowRecord): usize {
  return scratch + <usize>convCopyBytes(paddedFloats(window));
}

/** Returns the address of packed weights, or of the transpose of their gradient, in scratch. */
function weightsIn(window: WindowRecord, scratch: usize): usize {
  return (
    patchesIn(scratch, window) + <usize>convCopyBytes(positionsOf(window) * patchFloats(window))
  );
}

/** Returns the address of gemm's part of scratch. */
function gemmScratch(window: WindowRecord, scratch: usize): usize {
  return (
    weightsIn(window, scratch) + <usize>convWeightBytes(patchFloats(window), window.outChannels)
  );
}

/**
 * Returns the address in scratch for the weight gradient of a group; `slot` is below the number of
 * sums.
 */
export function groupGradient(window: WindowRecord, scratch: usize, slot: u32): usize {
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const sums =
    scratch + <usize>convSumsOffset(paddedFloats(window), positionsOf(window), patch, outputs);
  return sums + <usize>slot * <usize>convGradientBytes(patch, outputs);
}

/** Tells whether the patches are the pixels of the image. */
function isPointwise(window: WindowRecord): bool {
  return (
    window.height * window.width === 1 &&
    window.strideY * window.strideX === 1 &&
    window.padTop + window.padLeft === 0 &&
    window.outHeight === window.inHeight &&
    window.outWidth === window.inWidth
  );
}

/**
 * Returns the bytes from one patch to the next where the patches lie in a padded image as they are:
 * if there is one row of them, and their pixels follow each other. Otherwise 0.
 */
function strideOfPatches(window: WindowRecord): usize {
  const isRow = window.outHeight === 1 && window.height === 1 && window.dilationX === 1;
  return isRow ? (<usize>(window.strideX * window.inChannels)) << 2 : 0;
}

/** Prepares the patches of an image, and returns the address of the first. */
function patchesOf(x: usize, window: WindowRecord, scratch: usize, inPlace: bool): usize {
  copyIn(scratch, x, window);
  if (inPlace) return scratch;
  const patches = patchesIn(scratch, window);
  visitPatches<Gather>(patches, scratch, window);
  return patches;
}

/** y = patches(x)·Wᵀ */
// biome-ignore format: one line a role
export function conv2d(
  y: usize, x: usize, weight: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const rest = gemmScratch(window, scratch);
  if (isPointwise(window)) {
    gemm(y, x, weight, count * positions, outputs, patch, rest, false, true);
    return;
  }
  const xStep = (<usize>imageFloats(window)) << 2;
  const yStep = (<usize>(positions * outputs)) << 2;
  const stride = strideOfPatches(window);
  const patchStep = stride ? stride : (<usize>patch) << 2;
  const packed = weightsIn(window, scratch);
  packAll(packed, weight, outputs, patch, true);
  zeroFloats(scratch, paddedFloats(window));
  for (let i = 0; i < count; ++i) {
    const patches = patchesOf(x, window, scratch, stride !== 0);
    gemmPacked(y, patches, patchStep, packed, positions, outputs, patch, rest);
    x += xStep;
    y += yStep;
  }
}

/**
 * dx = the sums of dy·W, scattered back to the image: for each pixel over output pixels, then over
 * places in the kernel, ascending.
 */
// biome-ignore format: one line a role
export function conv2dInputGrad(
  dx: usize, dy: usize, weight: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const rest = gemmScratch(window, scratch);
  if (isPointwise(window)) {
    gemm(dx, dy, weight, count * positions, patch, outputs, rest, false, false);
    return;
  }
  const padded = paddedFloats(window);
  const patches = patchesIn(scratch, window);
  const packed = weightsIn(window, scratch);
  const dxStep = (<usize>imageFloats(window)) << 2;
  const dyStep = (<usize>(positions * outputs)) << 2;
  packAll(packed, weight, patch, outputs, false);
  for (let i = 0; i < count; ++i) {
    gemmPacked(patches, dy, (<usize>outputs) << 2, packed, positions, patch, outputs, rest);
    zeroFloats(scratch, padded);
    visitPatches<Scatter>(patches, scratch, window);
    copyOut(dx, scratch, window);
    dx += dxStep;
    dy += dyStep;
  }
}

/**
 * dW = dyᵀ·patches(x), with one accumulator for each CONV_GROUP images, over images and output
 * pixels ascending; the sums of the groups are added in order.
 */
// biome-ignore format: one line a role
export function conv2dWeightGrad(
  dw: usize, dy: usize, x: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  const weights = window.outChannels * patchFloats(window);
  for (let group = 0; group * CONV_GROUP < count; ++group) {
    const target = group === 0 ? dw : groupGradient(window, scratch, 0);
    weightGradientOfGroup(target, group, dy, x, window, count, scratch);
    if (group > 0) addFloats(dw, target, weights);
  }
}

/**
 * sum = the weight gradient of one group of images; `dy` and `x` are those of all images. The
 * product transposes the narrower of dy and patches: if that is the patches, its result is the
 * transpose of dW, with the same bits.
 */
// biome-ignore format: one line a role
export function weightGradientOfGroup(
  sum: usize, group: i32, dy: usize, x: usize, window: WindowRecord,
  count: i32, scratch: usize,
): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const rest = gemmScratch(window, scratch);
  const xStep = (<usize>imageFloats(window)) << 2;
  const dyStep = (<usize>(positions * outputs)) << 2;
  const first = group * CONV_GROUP;
  const end = min(count, first + CONV_GROUP);
  const turns = patch < outputs;
  const total = turns ? weightsIn(window, scratch) : sum;
  zeroFloats(total, outputs * patch);
  x += <usize>first * xStep;
  dy += <usize>first * dyStep;
  if (isPointwise(window)) {
    addProduct(total, dy, x, (<usize>patch) << 2, window, (end - first) * positions, rest);
  } else {
    const stride = strideOfPatches(window);
    const patchStep = stride ? stride : (<usize>patch) << 2;
    zeroFloats(scratch, paddedFloats(window));
    for (let i = first; i < end; ++i) {
      const patches = patchesOf(x, window, scratch, stride !== 0);
      addProduct(total, dy, patches, patchStep, window, positions, rest);
      x += xStep;
      dy += dyStep;
    }
  }
  if (turns) transpose(sum, (<usize>patch) << 2, total, (<usize>outputs) << 2, patch, outputs);
}

/** total += dyᵀ·patches over `k` pixels, or its transpose; see weightGradientOfGroup. */
// biome-ignore format: one line a role
function addProduct(
  total: usize, dy: usize, patches: usize, patchStep: usize, window: WindowRecord, k: i32,
  rest: usize,
): void {
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const dyStep = (<usize>outputs) << 2;
  if (patch < outputs)
    accumulate(total, patches, patchStep, dy, dyStep, patch, outputs, k, rest);
  else accumulate(total, dy, dyStep, patches, patchStep, outputs, patch, k, rest);
}
