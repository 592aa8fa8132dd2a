/**
 * 2-D convolution as matrix products over patches, image by image, so that the patches of one image
 * stay in cache and scratch does not grow with the batch. Weights are [out channels][kernel
 * rows][kernel columns][in channels]: a row has the shape of a patch.
 *
 * Scratch holds, in this order: an image with its padding, its patches, the transpose of a weight
 * gradient, the scratch of gemm, the sums of groups.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import {
  CONV_GROUP,
  convCopyBytes,
  convGradientBytes,
  convSumsOffset,
} from '../../src/memory-layout/nn-layout';
import { accumulate, gemm } from './gemm';
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

/** Returns the address of a weight gradient's transpose in scratch. */
function turnedGradient(window: WindowRecord, scratch: usize): usize {
  return (
    patchesIn(scratch, window) + <usize>convCopyBytes(positionsOf(window) * patchFloats(window))
  );
}

/** Returns the address of gemm's part of scratch. */
function gemmScratch(window: WindowRecord, scratch: usize): usize {
  return (
    turnedGradient(window, scratch) +
    <usize>convGradientBytes(patchFloats(window), window.outChannels)
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

/** y = patches(x)·Wᵀ */
// biome-ignore format: one line a role
export function conv2d(
  y: usize, x: usize, weight: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const xStep = (<usize>imageFloats(window)) << 2;
  const yStep = (<usize>(positions * outputs)) << 2;
  const patches = patchesIn(scratch, window);
  const rest = gemmScratch(window, scratch);
  zeroFloats(scratch, paddedFloats(window));
  for (let i = 0; i < count; ++i) {
    copyIn(scratch, x, window);
    visitPatches<Gather>(patches, scratch, window);
    gemm(y, patches, weight, positions, outputs, patch, rest, false, true);
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
  const padded = paddedFloats(window);
  const patches = patchesIn(scratch, window);
  const rest = gemmScratch(window, scratch);
  const dxStep = (<usize>imageFloats(window)) << 2;
  const dyStep = (<usize>(positions * outputs)) << 2;
  for (let i = 0; i < count; ++i) {
    gemm(patches, dy, weight, positions, patch, outputs, rest, false, false);
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
  const patches = patchesIn(scratch, window);
  const rest = gemmScratch(window, scratch);
  const xStep = (<usize>imageFloats(window)) << 2;
  const dyStep = (<usize>(positions * outputs)) << 2;
  const first = group * CONV_GROUP;
  const turns = patch < outputs;
  const total = turns ? turnedGradient(window, scratch) : sum;
  zeroFloats(total, outputs * patch);
  zeroFloats(scratch, paddedFloats(window));
  for (let i = first; i < min(count, first + CONV_GROUP); ++i) {
    copyIn(scratch, x + <usize>i * xStep, window);
    visitPatches<Gather>(patches, scratch, window);
    const dyi = dy + <usize>i * dyStep;
    if (turns) accumulate(total, patches, dyi, patch, outputs, positions, rest, true, false);
    else accumulate(total, dyi, patches, outputs, patch, positions, rest, true, false);
  }
  if (turns) transpose(sum, (<usize>patch) << 2, total, (<usize>outputs) << 2, patch, outputs);
}
