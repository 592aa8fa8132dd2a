/**
 * 2-D convolution as matrix products over patches, image by image, so that the patches of one image
 * stay in cache and scratch does not grow with the batch. Weights are [out channels][kernel
 * rows][kernel columns][in channels]: a row is a patch's shape.
 *
 * Scratch: ┌ an image with its padding ┐┌ its patches ┐┌ a weight gradient's transpose ┐┌ gemm's ┐┌
 * sums of groups ┐
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

/** Where an image's patches begin in scratch. */
function patchesIn(scratch: usize, window: WindowRecord): usize {
  return scratch + <usize>convCopyBytes(paddedFloats(window));
}

/** Where the transpose of a weight gradient goes. */
function turnedGradient(window: WindowRecord, scratch: usize): usize {
  return (
    patchesIn(scratch, window) + <usize>convCopyBytes(positionsOf(window) * patchFloats(window))
  );
}

/** Where gemm's part of scratch begins. */
function gemmScratch(window: WindowRecord, scratch: usize): usize {
  return (
    turnedGradient(window, scratch) +
    <usize>convGradientBytes(patchFloats(window), window.outChannels)
  );
}

/**
 * Where in a scratch of convolutions there is room for a group's weight gradient; `slot` is below
 * the number of sums.
 */
export function groupGradient(window: WindowRecord, scratch: usize, slot: u32): usize {
  const patch = patchFloats(window);
  const outputs = window.outChannels;
  const sums =
    scratch + <usize>convSumsOffset(paddedFloats(window), positionsOf(window), patch, outputs);
  return sums + <usize>slot * <usize>convGradientBytes(patch, outputs);
}

/** y = patches(x)·Wᵀ */
export function conv2d(
  y: usize,
  x: usize,
  weight: usize,
  window: WindowRecord,
  count: i32,
  scratch: usize,
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
 * dx = scattered sums of dy·W: a pixel's sum is over output pixels, then kernel places, ascending.
 */
export function conv2dInputGrad(
  dx: usize,
  dy: usize,
  weight: usize,
  window: WindowRecord,
  count: i32,
  scratch: usize,
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
 * dW = dyᵀ·patches(x): over CONV_GROUP images one accumulator, over images and output pixels
 * ascending; then group by group.
 */
export function conv2dWeightGrad(
  dw: usize,
  dy: usize,
  x: usize,
  window: WindowRecord,
  count: i32,
  scratch: usize,
): void {
  const weights = window.outChannels * patchFloats(window);
  for (let group = 0; group * CONV_GROUP < count; ++group) {
    const target = group === 0 ? dw : groupGradient(window, scratch, 0);
    weightGradientOfGroup(target, group, dy, x, window, count, scratch);
    if (group > 0) addFloats(dw, target, weights);
  }
}

/**
 * sum = what the images of one group give; `dy` and `x` are those of all images. Of dy and patches
 * the product transposes the narrower one: where that is the patches, its result is the transpose
 * of dW, of the same bits.
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
