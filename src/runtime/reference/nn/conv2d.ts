/** 2-D convolution and its gradients. */
import { CONV_GROUP } from '../../../memory-layout/nn-layout';
import type { Arithmetic } from '../math/arithmetic';
import { at, type Floats, type ReferenceMemory } from '../math/memory';
import { readWindow, type Window } from '../math/window';

/** The patches of the image at index x, one a row. */
function patchesOf(f: Floats, x: number, { positions, patch, source }: Window): Floats {
  const patches = f.slice(0, positions * patch);
  for (let p = 0; p < positions; ++p) {
    for (let e = 0; e < patch; ++e) {
      const from = source(p, e);
      patches[p * patch + e] = from < 0 ? 0 : f[x + from]!;
    }
  }
  return patches;
}

/** Σ a·b from 0 over `n` terms whose indices advance by the given steps. */
function dotFrom(
  start: number,
  a: Floats,
  b: Floats,
  i: number,
  iStep: number,
  j: number,
  jStep: number,
  n: number,
  round: (x: number) => number,
): number {
  let sum = start;
  for (let k = 0; k < n; ++k) sum = round(sum + round(a[i + k * iStep]! * b[j + k * jStep]!));
  return sum;
}

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /**
     * y = W ∗ x for `count` images of height × width × channels, as the window record says
     * (memory-layout/nn-records.js). W is [out channels][rows][columns][in channels]. Each sum is
     * one f32 accumulator over a weight row, ascending. `scratch` is the address of
     * convScratchBytes.
     */
    // biome-ignore format: one line a role
    conv2d(
      y: number, x: number, weight: number, window: number, count: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const shape = readWindow(memory, window);
      const { positions, patch, outputs, image } = shape;
      for (let i = 0; i < count; ++i) {
        const patches = patchesOf(f, at(x) + i * image, shape);
        for (let p = 0; p < positions; ++p) {
          for (let o = 0; o < outputs; ++o) {
            const sum = dotFrom(
              0,
              patches,
              f,
              p * patch,
              1,
              at(weight) + o * patch,
              1,
              patch,
              round,
            );
            f[at(y) + (i * positions + p) * outputs + o] = sum;
          }
        }
      }
    },
    /** dx = the gradient of conv2d by x. */
    // biome-ignore format: one line a role
    conv2dInputGrad(
      dx: number, dy: number, weight: number, window: number, count: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const { positions, patch, outputs, image, source } = readWindow(memory, window);
      f.fill(0, at(dx), at(dx) + count * image);
      for (let i = 0; i < count; ++i) {
        for (let p = 0; p < positions; ++p) {
          const g = at(dy) + (i * positions + p) * outputs;
          for (let e = 0; e < patch; ++e) {
            const to = source(p, e);
            if (to < 0) continue;
            const share = dotFrom(0, f, f, g, 1, at(weight) + e, patch, outputs, round);
            f[at(dx) + i * image + to]! += share;
          }
        }
      }
    },
    /**
     * dw = the gradient of conv2d by W: one f32 accumulator over each CONV_GROUP images; the sums
     * of the groups are added in order.
     */
    // biome-ignore format: one line a role
    conv2dWeightGrad(
      dw: number, dy: number, x: number, window: number, count: number, _scratch: number,
    ): void {
      const f = memory.f32;
      const shape = readWindow(memory, window);
      const { positions, patch, outputs, image } = shape;
      for (let first = 0; first < count; first += CONV_GROUP) {
        const sums = f.slice(0, outputs * patch).fill(0);
        for (let i = first; i < Math.min(count, first + CONV_GROUP); ++i) {
          const patches = patchesOf(f, at(x) + i * image, shape);
          const g = at(dy) + i * positions * outputs;
          for (let o = 0; o < outputs; ++o) {
            for (let e = 0; e < patch; ++e) {
              const so = o * patch + e;
              sums[so] = dotFrom(sums[so]!, f, patches, g + o, outputs, e, patch, positions, round);
            }
          }
        }
        for (let k = 0; k < sums.length; ++k)
          f[at(dw) + k] = first === 0 ? sums[k]! : f[at(dw) + k]! + sums[k]!;
      }
    },
  };
}
