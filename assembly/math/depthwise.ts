/**
 * Depthwise convolution: every channel has kernels of its own. Vectors run across channels, four
 * vectors at once. Four pixels that share the loads of the kernel took 5 to 17% longer with 32 and
 * 64 channels, and 20% less time with 8.
 *
 * With a multiplier m, channel o of the output reads channel o/m of the image. Scratch then holds
 * one image with every channel m times, and the loops below see as many channels on both sides.
 *
 * Output pixels and input pixels are computed by the same loop. A pixel sums products over its
 * sources in the other image, along each axis in arithmetic progression. Scratch begins with a
 * table of these: for every row and column the first source, the first row or column of the kernel,
 * and their number. The padding takes no part.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import { depthwiseTableBytes, spannedPixels } from '../../src/memory-layout/nn-layout';
import { multiplyAdd } from './gemm-kernel';
import { loadLanes, storeLanes, zeroFloats } from './partial';
import { imageFloats, positionsOf } from './window';

/** Returns the image with repeated channels in scratch. */
function repeatedImage(window: WindowRecord, scratch: usize): usize {
  const rows = max(window.inHeight, window.outHeight);
  const columns = max(window.inWidth, window.outWidth);
  return scratch + <usize>depthwiseTableBytes(rows, columns);
}

/** repeated[p][c·m + k] = image[p][c] for k below m */
function repeatChannels(repeated: usize, image: usize, window: WindowRecord): void {
  const multiplier = window.outChannels / window.inChannels;
  for (const end = image + ((<usize>imageFloats(window)) << 2); image < end; image += 4) {
    const value = load<f32>(image);
    for (let k = multiplier; k > 0; --k) {
      store<f32>(repeated, value);
      repeated += 4;
    }
  }
}

/** image[p][c] = the sum of repeated[p][c·m + k] over k below m, ascending */
function sumChannels(image: usize, repeated: usize, window: WindowRecord): void {
  const multiplier = window.outChannels / window.inChannels;
  for (const end = image + ((<usize>imageFloats(window)) << 2); image < end; image += 4) {
    let sum: f32 = 0;
    for (let k = multiplier; k > 0; --k) {
      sum += load<f32>(repeated);
      repeated += 4;
    }
    store<f32>(image, sum);
  }
}

/** Returns ⌈a/b⌉ for b > 0, and 0 for a < 0. */
function ceilDivide(a: i32, b: i32): i32 {
  return a > 0 ? (a + b - 1) / b : 0;
}

function greatestCommonDivisor(a: i32, b: i32): i32 {
  while (b) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** Bytes of an entry of the table: first source, first of the kernel, and their number. */
const ENTRY: usize = 12;

function writeEntry(entry: usize, source: i32, tap: i32, count: i32): usize {
  store<i32>(entry, source);
  store<i32>(entry, tap, 4);
  store<i32>(entry, max(0, count), 8);
  return entry + ENTRY;
}

/** Writes the sources of output pixels along an axis: one a row of the kernel, ascending. */
// biome-ignore format: one line a role
function writeForward(
  table: usize, outputs: i32, inputs: i32, size: i32, stride: i32, dilation: i32, before: i32,
): usize {
  for (let o = 0; o < outputs; ++o) {
    const start = o * stride - before;
    const first = ceilDivide(-start, dilation);
    const count = min(size, ceilDivide(inputs - start, dilation)) - first;
    table = writeEntry(table, start + first * dilation, first, count);
  }
  return table;
}

/** Writes the sources of input pixels along an axis: output pixels that read them, ascending. */
// biome-ignore format: one line a role
function writeBackward(
  table: usize, outputs: i32, inputs: i32, size: i32, stride: i32, dilation: i32, before: i32,
): usize {
  const step = dilation / greatestCommonDivisor(stride, dilation);
  const span = <i32>spannedPixels(size, dilation);
  for (let i = 0; i < inputs; ++i) {
    const reach = i + before;
    const last = min(outputs - 1, reach / stride);
    let o = ceilDivide(reach - span + 1, stride);
    while (o <= last && (reach - o * stride) % dilation !== 0) ++o;
    table = writeEntry(table, o, (reach - o * stride) / dilation, (last - o + step) / step);
  }
  return table;
}

/** Stores one pixel of sixteen channels. */
// biome-ignore format: one line a role
function sumSixteen(
  out: usize, from: usize, weight: usize,
  rows: i32, columns: i32, down: usize, right: usize, tapDown: usize, tapRight: usize,
): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let y = rows; y > 0; --y) {
    let p = from;
    let w = weight;
    for (let x = columns; x > 0; --x) {
      s0 = multiplyAdd(s0, v128.load(p), v128.load(w));
      s1 = multiplyAdd(s1, v128.load(p, 16), v128.load(w, 16));
      s2 = multiplyAdd(s2, v128.load(p, 32), v128.load(w, 32));
      s3 = multiplyAdd(s3, v128.load(p, 48), v128.load(w, 48));
      p += right;
      w += tapRight;
    }
    from += down;
    weight += tapDown;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
}

/** Stores one pixel of eight channels. */
// biome-ignore format: one line a role
function sumEight(
  out: usize, from: usize, weight: usize,
  rows: i32, columns: i32, down: usize, right: usize, tapDown: usize, tapRight: usize,
): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  for (let y = rows; y > 0; --y) {
    let p = from;
    let w = weight;
    for (let x = columns; x > 0; --x) {
      s0 = multiplyAdd(s0, v128.load(p), v128.load(w));
      s1 = multiplyAdd(s1, v128.load(p, 16), v128.load(w, 16));
      p += right;
      w += tapRight;
    }
    from += down;
    weight += tapDown;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
}

/** Stores one pixel of 1…4 channels. */
// biome-ignore format: one line a role
function sumFour(
  out: usize, from: usize, weight: usize, lanes: i32,
  rows: i32, columns: i32, down: usize, right: usize, tapDown: usize, tapRight: usize,
): void {
  let sum = f32x4.splat(0);
  for (let y = rows; y > 0; --y) {
    let p = from;
    let w = weight;
    for (let x = columns; x > 0; --x) {
      sum = multiplyAdd(sum, loadLanes(p, lanes), loadLanes(w, lanes));
      p += right;
      w += tapRight;
    }
    from += down;
    weight += tapDown;
  }
  storeLanes(out, sum, lanes);
}

/**
 * Computes an image of `height` × `width` from its sources in another, whose rows are `width2`
 * pixels long.
 * @param stepY rows from one source of a pixel to the next, and
 * @param tapY rows of the kernel from one to the next; stepX and tapX are columns
 */
// biome-ignore format: one line a role
function computeImage(
  out: usize, height: i32, width: i32, source: usize, width2: i32, weight: usize, table: usize,
  stepY: i32, tapY: i32, stepX: i32, tapX: i32, window: WindowRecord,
): void {
  const channels = window.outChannels;
  const pixel = (<usize>channels) << 2;
  const row2 = <usize>width2 * pixel;
  const kernelRow = <usize>window.width * pixel;
  const down = <usize>stepY * row2;
  const right = <usize>stepX * pixel;
  const tapDown = <usize>tapY * kernelRow;
  const tapRight = <usize>tapX * pixel;
  const columnTable = table + <usize>height * ENTRY;
  for (let y = 0; y < height; ++y) {
    const rows = load<i32>(table, 8);
    const from = source + <usize>load<i32>(table) * row2;
    const taps = weight + <usize>load<i32>(table, 4) * kernelRow;
    for (let x = 0; x < width; ++x) {
      const entry = columnTable + <usize>x * ENTRY;
      const columns = load<i32>(entry, 8);
      const p = from + <usize>load<i32>(entry) * pixel;
      const w = taps + <usize>load<i32>(entry, 4) * pixel;
      let c = 0;
      for (; c + 16 <= channels; c += 16) {
        const q = (<usize>c) << 2;
        sumSixteen(out + q, p + q, w + q, rows, columns, down, right, tapDown, tapRight);
      }
      if (c + 8 <= channels) {
        const q = (<usize>c) << 2;
        sumEight(out + q, p + q, w + q, rows, columns, down, right, tapDown, tapRight);
        c += 8;
      }
      for (; c < channels; c += 4) {
        const q = (<usize>c) << 2;
        const lanes = min(4, channels - c);
        sumFour(out + q, p + q, w + q, lanes, rows, columns, down, right, tapDown, tapRight);
      }
      out += pixel;
    }
    table += ENTRY;
  }
}

/** y = the sums of x·W over each window, channel by channel */
// biome-ignore format: one line a role
export function depthwiseConv2d(
  y: usize, x: usize, weight: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  const height = window.outHeight;
  const width = window.outWidth;
  // biome-ignore format: one line a role
  const columns = writeForward(
    scratch, height, window.inHeight, window.height, window.strideY, window.dilationY,
    window.padTop,
  );
  // biome-ignore format: one line a role
  writeForward(
    columns, width, window.inWidth, window.width, window.strideX, window.dilationX, window.padLeft,
  );
  const repeats = window.outChannels !== window.inChannels;
  const repeated = repeatedImage(window, scratch);
  for (let i = 0; i < count; ++i) {
    if (repeats) repeatChannels(repeated, x, window);
    // biome-ignore format: one line a role
    computeImage(
      y, height, width, repeats ? repeated : x, window.inWidth, weight, scratch,
      window.dilationY, 1, window.dilationX, 1, window,
    );
    x += (<usize>imageFloats(window)) << 2;
    y += (<usize>(height * width * window.outChannels)) << 2;
  }
}

/** dx = for each pixel the sum of dy·W over the output pixels that read it, ascending */
// biome-ignore format: one line a role
export function depthwiseConv2dInputGrad(
  dx: usize, dy: usize, weight: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  const height = window.inHeight;
  const width = window.inWidth;
  // biome-ignore format: one line a role
  const columns = writeBackward(
    scratch, window.outHeight, height, window.height, window.strideY, window.dilationY,
    window.padTop,
  );
  // biome-ignore format: one line a role
  writeBackward(
    columns, window.outWidth, width, window.width, window.strideX, window.dilationX,
    window.padLeft,
  );
  const commonY = greatestCommonDivisor(window.strideY, window.dilationY);
  const commonX = greatestCommonDivisor(window.strideX, window.dilationX);
  const repeats = window.outChannels !== window.inChannels;
  const repeated = repeatedImage(window, scratch);
  for (let i = 0; i < count; ++i) {
    // biome-ignore format: one line a role
    computeImage(
      repeats ? repeated : dx, height, width, dy, window.outWidth, weight, scratch,
      window.dilationY / commonY, -window.strideY / commonY,
      window.dilationX / commonX, -window.strideX / commonX, window,
    );
    if (repeats) sumChannels(dx, repeated, window);
    dx += (<usize>imageFloats(window)) << 2;
    dy += (<usize>(positionsOf(window) * window.outChannels)) << 2;
  }
}

/** dw[c] += Σ dy[k][c]·x[k][c] over `n` pixels, from 0, for `channels` channels */
// biome-ignore format: one line a role
function addRow(
  dw: usize, dy: usize, dyStep: usize, x: usize, xStep: usize, n: i32, channels: i32,
): void {
  let c = 0;
  for (; c + 16 <= channels; c += 16) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let p = x;
    let q = dy;
    for (let k = n; k > 0; --k) {
      s0 = multiplyAdd(s0, v128.load(q), v128.load(p));
      s1 = multiplyAdd(s1, v128.load(q, 16), v128.load(p, 16));
      s2 = multiplyAdd(s2, v128.load(q, 32), v128.load(p, 32));
      s3 = multiplyAdd(s3, v128.load(q, 48), v128.load(p, 48));
      p += xStep;
      q += dyStep;
    }
    v128.store(dw, f32x4.add(v128.load(dw), s0));
    v128.store(dw, f32x4.add(v128.load(dw, 16), s1), 16);
    v128.store(dw, f32x4.add(v128.load(dw, 32), s2), 32);
    v128.store(dw, f32x4.add(v128.load(dw, 48), s3), 48);
    dw += 64;
    dy += 64;
    x += 64;
  }
  for (; c < channels; c += 4) {
    const lanes = min(4, channels - c);
    let sum = f32x4.splat(0);
    let p = x;
    let q = dy;
    for (let k = n; k > 0; --k) {
      sum = multiplyAdd(sum, loadLanes(q, lanes), loadLanes(p, lanes));
      p += xStep;
      q += dyStep;
    }
    storeLanes(dw, f32x4.add(loadLanes(dw, lanes), sum), lanes);
    dw += 16;
    dy += 16;
    x += 16;
  }
}

/** dw = the sums of dy·x over rows of output pixels; those of the rows are added in order */
// biome-ignore format: one line a role
export function depthwiseConv2dWeightGrad(
  dw: usize, dy: usize, x: usize, window: WindowRecord, count: i32, scratch: usize,
): void {
  weightGradientOfChannels(dw, dy, x, window, count, scratch, 0, window.outChannels);
}

/** Computes channels [begin, end) of the same dw: one task of a shared call. */
// biome-ignore format: one line a role
export function weightGradientOfChannels(
  dw: usize, dy: usize, x: usize, window: WindowRecord, count: i32, scratch: usize,
  begin: i32, end: i32,
): void {
  const channels = window.outChannels;
  const pixel = (<usize>channels) << 2;
  const row = <usize>window.inWidth * pixel;
  const width = window.outWidth;
  const stride = window.strideX;
  const repeats = channels !== window.inChannels;
  const repeated = repeatedImage(window, scratch);
  const part = end - begin;
  const skipped = (<usize>begin) << 2;
  dw += skipped;
  dy += skipped;
  for (let tap = 0; tap < window.height * window.width; ++tap)
    zeroFloats(dw + <usize>tap * pixel, part);
  for (let i = 0; i < count; ++i) {
    if (repeats) repeatChannels(repeated, x, window);
    const image = (repeats ? repeated : x) + skipped;
    for (let oy = 0; oy < window.outHeight; ++oy) {
      let sum = dw;
      for (let ky = 0; ky < window.height; ++ky) {
        const iy = oy * window.strideY - window.padTop + ky * window.dilationY;
        const inside = iy >= 0 && iy < window.inHeight;
        for (let kx = 0; kx < window.width; ++kx) {
          // Output column o reads column o·stride - before of the image.
          const before = window.padLeft - kx * window.dilationX;
          const first = ceilDivide(before, stride);
          const n = min(width, ceilDivide(window.inWidth + before, stride)) - first;
          if (inside && n > 0) {
            const from = image + <usize>iy * row + <usize>(first * stride - before) * pixel;
            const dyFrom = dy + <usize>first * pixel;
            addRow(sum, dyFrom, pixel, from, <usize>stride * pixel, n, part);
          }
          sum += pixel;
        }
      }
      dy += <usize>width * pixel;
    }
    x += (<usize>imageFloats(window)) << 2;
  }
}
