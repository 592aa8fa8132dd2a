/** The oracle of assembly/math/conv.ts, window.ts and pool.ts. */
import {
  CONV_GROUP,
  WINDOW_HEIGHT,
  WINDOW_IN_CHANNELS,
  WINDOW_IN_HEIGHT,
  WINDOW_IN_WIDTH,
  WINDOW_OUT_CHANNELS,
  WINDOW_OUT_HEIGHT,
  WINDOW_OUT_WIDTH,
  WINDOW_PAD_LEFT,
  WINDOW_PAD_TOP,
  WINDOW_STRIDE_X,
  WINDOW_STRIDE_Y,
  WINDOW_WIDTH,
} from '../../../memory-layout/nn-layout';
import type { Arithmetic } from './arithmetic';
import { at, type OracleMemory } from './memory';

type Floats = Float32Array | Float64Array;

/** A window record, read. */
function readWindow({ i32 }: OracleMemory, address: number) {
  const field = (offset: number) => i32[at(address + offset)]!;
  const [inWidth, inChannels] = [field(WINDOW_IN_WIDTH), field(WINDOW_IN_CHANNELS)];
  const inHeight = field(WINDOW_IN_HEIGHT);
  const [height, width] = [field(WINDOW_HEIGHT), field(WINDOW_WIDTH)];
  const [strideY, strideX] = [field(WINDOW_STRIDE_Y), field(WINDOW_STRIDE_X)];
  const [padTop, padLeft] = [field(WINDOW_PAD_TOP), field(WINDOW_PAD_LEFT)];
  const [outHeight, outWidth] = [field(WINDOW_OUT_HEIGHT), field(WINDOW_OUT_WIDTH)];
  const positions = outHeight * outWidth;
  const image = inHeight * inWidth * inChannels;
  /** Index in an image of element `element` of the patch at `position`; -1 in the padding. */
  const source = (position: number, element: number): number => {
    const pixel = Math.floor(element / inChannels);
    const y = Math.floor(position / outWidth) * strideY - padTop + Math.floor(pixel / width);
    const x = (position % outWidth) * strideX - padLeft + (pixel % width);
    if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) return -1;
    return (y * inWidth + x) * inChannels + (element % inChannels);
  };
  return {
    inChannels,
    image,
    positions,
    patch: height * width * inChannels,
    outputs: field(WINDOW_OUT_CHANNELS),
    source,
  };
}

type Window = ReturnType<typeof readWindow>;

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

function convolutions(memory: OracleMemory, { round }: Arithmetic) {
  return {
    conv2d(
      y: number,
      x: number,
      weight: number,
      window: number,
      count: number,
      _scratch: number,
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
    conv2dInputGrad(
      dx: number,
      dy: number,
      weight: number,
      window: number,
      count: number,
      _scratch: number,
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
    conv2dWeightGrad(
      dw: number,
      dy: number,
      x: number,
      window: number,
      count: number,
      _scratch: number,
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

/**
 * Visits every output element of `count` images: its index, and those in the input that its window
 * covers, in order.
 */
function visitWindows(
  shape: Window,
  count: number,
  visit: (out: number, inputs: number[]) => void,
): void {
  const { positions, patch, inChannels, image, source } = shape;
  for (let i = 0; i < count; ++i) {
    for (let p = 0; p < positions; ++p) {
      for (let c = 0; c < inChannels; ++c) {
        const inputs: number[] = [];
        for (let e = c; e < patch; e += inChannels) inputs.push(i * image + source(p, e));
        visit((i * positions + p) * inChannels + c, inputs);
      }
    }
  }
}

function pooling(memory: OracleMemory, { round }: Arithmetic) {
  return {
    maxPool2d(y: number, index: number, x: number, window: number, count: number): void {
      const { f32: f, i32 } = memory;
      visitWindows(readWindow(memory, window), count, (out, inputs) => {
        let [best, place] = [f[at(x) + inputs[0]!]!, 0];
        for (const [w, input] of inputs.entries()) {
          const value = f[at(x) + input]!;
          if (value > best || Number.isNaN(value)) [best, place] = [value, w];
        }
        f[at(y) + out] = best;
        if (index) i32[at(index) + out] = place;
      });
    },
    maxPool2dGrad(dx: number, dy: number, index: number, window: number, count: number): void {
      const { f32: f, i32 } = memory;
      const shape = readWindow(memory, window);
      f.fill(0, at(dx), at(dx) + count * shape.image);
      visitWindows(shape, count, (out, inputs) => {
        f[at(dx) + inputs[i32[at(index) + out]!]!]! += f[at(dy) + out]!;
      });
    },
    avgPool2d(y: number, x: number, window: number, count: number): void {
      const f = memory.f32;
      visitWindows(readWindow(memory, window), count, (out, inputs) => {
        let sum = 0;
        for (const input of inputs) sum = round(sum + f[at(x) + input]!);
        f[at(y) + out] = sum * round(1 / inputs.length);
      });
    },
    avgPool2dGrad(dx: number, dy: number, window: number, count: number): void {
      const f = memory.f32;
      const shape = readWindow(memory, window);
      f.fill(0, at(dx), at(dx) + count * shape.image);
      visitWindows(shape, count, (out, inputs) => {
        const share = round(f[at(dy) + out]! * round(1 / inputs.length));
        for (const input of inputs) f[at(dx) + input]! += share;
      });
    },
    globalAvgPool(y: number, x: number, count: number, pixels: number, channels: number): void {
      const f = memory.f32;
      for (let o = 0; o < count * channels; ++o) {
        const first = at(x) + Math.floor(o / channels) * pixels * channels + (o % channels);
        let sum = 0;
        for (let p = 0; p < pixels; ++p) sum += f[first + p * channels]!;
        f[at(y) + o] = sum / pixels;
      }
    },
    globalAvgPoolGrad(
      dx: number,
      dy: number,
      count: number,
      pixels: number,
      channels: number,
    ): void {
      const f = memory.f32;
      for (let k = 0; k < count * pixels * channels; ++k) {
        const image = Math.floor(k / (pixels * channels));
        f[at(dx) + k] = f[at(dy) + image * channels + (k % channels)]! * round(1 / pixels);
      }
    },
  };
}

export function images(memory: OracleMemory, arithmetic: Arithmetic) {
  return { ...convolutions(memory, arithmetic), ...pooling(memory, arithmetic) };
}
