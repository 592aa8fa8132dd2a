/**
 * The loops that run every pooling over images (height × width × channels), four channels at a
 * time. Each pooling is a class in assembly/nn. Windows that reach into the padding are cut to the
 * image; each covers a pixel of it.
 */
import { WindowRecord } from '../../build/assembly/nn-records';
import { loadLanes, zeroFloats } from './partial';
import { imageFloats } from './window';

/**
 * The computation of one output pixel for a group of channels. Never instantiated: see
 * activation.ts.
 */
@unmanaged
export class Pooling {
  /**
   * @param in0 address of the window's first pixel in the image; height and width count those in it
   * @param out address of the output pixel
   * @param index address of its element in the index buffer, or 0
   * @param row bytes of an image row
   * @param pixel bytes of a pixel
   * @param lanes channels, 1…4
   */
  // biome-ignore format: one line a role
  visit(
    in0: usize, out: usize, index: usize,
    height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
  ): void {}

  /**
   * The same for four channels of 2 × 2 windows that do not overlap: gradients are stored, because
   * there is nothing to add to.
   */
  poolTwoByTwo(in0: usize, out: usize, index: usize, row: usize, pixel: usize): void {}
}

/** The sum of a window, from its first pixel on, for poolings that need it. */
@unmanaged
export class SummingPooling extends Pooling {
  // biome-ignore format: one line a role
  @inline
  protected sum(
    in0: usize, height: i32, width: i32, row: usize, pixel: usize, lanes: i32,
  ): v128 {
    let sum = f32x4.splat(0);
    for (let y = 0; y < height; ++y) {
      let p = in0;
      for (let x = 0; x < width; ++x) {
        sum = f32x4.add(sum, loadLanes(p, lanes));
        p += pixel;
      }
      in0 += row;
    }
    return sum;
  }

  @inline
  protected sumOfFour(in0: usize, row: usize, pixel: usize): v128 {
    const first = f32x4.add(f32x4.splat(0), v128.load(in0));
    const upper = f32x4.add(first, v128.load(in0 + pixel));
    return f32x4.add(f32x4.add(upper, v128.load(in0 + row)), v128.load(in0 + row + pixel));
  }
}

/** Returns whether windows are 2 × 2 and adjacent, as in most networks. */
function isTwoByTwo(window: WindowRecord): bool {
  const square = window.height === 2 && window.width === 2;
  const adjacent = window.strideY === 2 && window.strideX === 2;
  return square && adjacent && !(window.padTop | window.padLeft);
}

/** Returns whether `Pooling.poolTwoByTwo` stores every element of an image's gradient. */
function storesAll(window: WindowRecord): bool {
  const odd = window.inHeight | window.inWidth;
  return isTwoByTwo(window) && !(odd & 1) && !(window.inChannels & 3);
}

/**
 * Visits every output pixel of `count` images: `input` is x or dx, `out` y or dy; index may be 0.
 */
export function pool<P extends Pooling>(
  out: usize,
  index: usize,
  input: usize,
  window: WindowRecord,
  count: i32,
): void {
  const channels = window.inChannels;
  const windowHeight = window.height;
  const windowWidth = window.width;
  const outHeight = window.outHeight;
  const outWidth = window.outWidth;
  const pixel = (<usize>channels) << 2;
  const inHeight = window.inHeight;
  const inWidth = window.inWidth;
  const row = <usize>inWidth * pixel;
  const right = <usize>window.strideX * pixel;
  const image = (<usize>imageFloats(window)) << 2;
  const wholeVectors = isTwoByTwo(window) ? channels & ~3 : 0;
  for (let i = 0; i < count; ++i) {
    let y = -window.padTop;
    for (let oy = 0; oy < outHeight; ++oy) {
      const top = max(0, y);
      const height = min(inHeight, y + windowHeight) - top;
      const wholeRow = height === windowHeight ? wholeVectors : 0;
      let x = -window.padLeft;
      let edge = input + <usize>top * row + <usize>x * pixel;
      for (let ox = 0; ox < outWidth; ++ox) {
        let in0 = edge;
        let width = windowWidth;
        let fourAtATime = wholeRow;
        if (x < 0 || x + windowWidth > inWidth) {
          const left = max(0, x);
          width = min(inWidth, x + windowWidth) - left;
          in0 += <usize>(left - x) * pixel;
          fourAtATime = 0;
        }
        let c = 0;
        for (; c < fourAtATime; c += 4) {
          const at = (<usize>c) << 2;
          changetype<P>(0).poolTwoByTwo(in0 + at, out + at, index ? index + at : 0, row, pixel);
        }
        for (; c < channels; c += 4) {
          const at = (<usize>c) << 2;
          const lanes = min(4, channels - c);
          const place = index ? index + at : 0;
          changetype<P>(0).visit(in0 + at, out + at, place, height, width, row, pixel, lanes);
        }
        x += window.strideX;
        edge += right;
        out += pixel;
        if (index) index += pixel;
      }
      y += window.strideY;
    }
    input += image;
  }
}

/**
 * The same for gradients, which add to dx. dx is zeroed first unless every element of it is stored.
 */
export function poolGradient<P extends Pooling>(
  dx: usize,
  dy: usize,
  index: usize,
  window: WindowRecord,
  count: i32,
): void {
  if (!storesAll(window)) zeroFloats(dx, imageFloats(window) * count);
  pool<P>(dy, index, dx, window, count);
}
