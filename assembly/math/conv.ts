/**
 * 2-D convolution as matrix products over patches, image by image, so that the patches of one image stay in cache and scratch
 * does not grow with the batch. Weights are [out channels][kernel rows][kernel columns][in channels]: a row is a patch's shape.
 *
 * Scratch: ┌ patches of an image ┐┌ a group's weight gradient ┐┌ gemm's ┐
 */
import { CONV_GROUP, convPatchBytes, WINDOW_OUT_CHANNELS } from '../../src/abi/nn-layout';
import { accumulate, gemm } from './gemm';
import { addFloats, zeroFloats } from './partial';
import { Gather, imageFloats, patchFloats, positionsOf, Scatter, visitPatches } from './window';

/** Bytes of n f32, to a whole turn. */
function bytesOf(n: i32): usize {
  return (<usize>((n + 15) & ~15)) << 2;
}

/** Where the group's weight gradient begins in scratch. */
function patchBytes(positions: i32, patch: i32): usize {
  return <usize>convPatchBytes(positions, patch);
}

/** y = patches(x)·Wᵀ */
export function convolve(y: usize, x: usize, weight: usize, window: usize, count: i32, scratch: usize): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = load<i32>(window, WINDOW_OUT_CHANNELS);
  const xStep = (<usize>imageFloats(window)) << 2;
  const yStep = (<usize>(positions * outputs)) << 2;
  const rest = scratch + patchBytes(positions, patch) + bytesOf(outputs * patch);
  for (let i = 0; i < count; ++i) {
    visitPatches<Gather>(scratch, x, window);
    gemm(y, scratch, weight, positions, outputs, patch, rest, false, true);
    x += xStep;
    y += yStep;
  }
}

/** dx = scattered sums of dy·W: a pixel's sum is over output pixels, then kernel places, ascending. */
export function convolveInputGradient(dx: usize, dy: usize, weight: usize, window: usize, count: i32, scratch: usize): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = load<i32>(window, WINDOW_OUT_CHANNELS);
  const pixels = imageFloats(window);
  const rest = scratch + patchBytes(positions, patch) + bytesOf(outputs * patch);
  for (let i = 0; i < count; ++i) {
    gemm(scratch, dy, weight, positions, patch, outputs, rest, false, false);
    zeroFloats(dx, pixels);
    visitPatches<Scatter>(scratch, dx, window);
    dx += (<usize>pixels) << 2;
    dy += (<usize>(positions * outputs)) << 2;
  }
}

/** dW = dyᵀ·patches(x): over CONV_GROUP images one accumulator, over images and output pixels ascending; then group by group. */
export function convolveWeightGradient(dw: usize, dy: usize, x: usize, window: usize, count: i32, scratch: usize): void {
  const positions = positionsOf(window);
  const patch = patchFloats(window);
  const outputs = load<i32>(window, WINDOW_OUT_CHANNELS);
  const weights = outputs * patch;
  const sum = scratch + patchBytes(positions, patch);
  const rest = sum + bytesOf(weights);
  for (let first = 0; first < count; first += CONV_GROUP) {
    const target = first === 0 ? dw : sum;
    zeroFloats(target, weights);
    for (let i = first; i < min(count, first + CONV_GROUP); ++i) {
      visitPatches<Gather>(scratch, x, window);
      accumulate(target, dy, scratch, outputs, patch, positions, rest, true, false);
      x += (<usize>imageFloats(window)) << 2;
      dy += (<usize>(positions * outputs)) << 2;
    }
    if (first > 0) addFloats(dw, sum, weights);
  }
}
