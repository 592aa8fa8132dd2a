/** Reading a window record (src/abi/nn-layout.ts), and the two copies between images and patches. */
import {
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
} from '../../src/abi/nn-layout';
import { addFloats, copyFloats, zeroFloats } from './partial';

/** Floats of one input image. */
export function imageFloats(window: usize): i32 {
  return load<i32>(window, WINDOW_IN_HEIGHT) * load<i32>(window, WINDOW_IN_WIDTH) * load<i32>(window, WINDOW_IN_CHANNELS);
}

/** Output pixels of one image. */
export function positionsOf(window: usize): i32 {
  return load<i32>(window, WINDOW_OUT_HEIGHT) * load<i32>(window, WINDOW_OUT_WIDTH);
}

/** Floats of one patch: kernel rows × kernel columns × channels. */
export function patchFloats(window: usize): i32 {
  return load<i32>(window, WINDOW_HEIGHT) * load<i32>(window, WINDOW_WIDTH) * load<i32>(window, WINDOW_IN_CHANNELS);
}

/** What happens between a patch and its image, run by run: a run is what a kernel row covers of an image row. Never instantiated. */
@unmanaged
export class Run {
  /** One run that reaches over the edge: `before` floats of padding, `length` of the image, `after` of padding. */
  ragged(patch: usize, image: usize, before: i32, length: i32, after: i32): void {}

  /**
   * All of a patch that lies within the image: `rows` runs of `floats`, one after the other in the patch, in the image
   * `rowBytes` apart. @param end where the image ends
   */
  whole(patch: usize, image: usize, rowBytes: usize, rows: i32, floats: i32, end: usize): void {}
}

/** patch = image, zeros where it is padding. Up to 12 bytes after a run may be overwritten: the next run's, or slack. */
@unmanaged
export class Gather extends Run {
  ragged(patch: usize, image: usize, before: i32, length: i32, after: i32): void {
    zeroFloats(patch, before);
    patch += (<usize>before) << 2;
    copyFloats(patch, image, length);
    zeroFloats(patch + ((<usize>length) << 2), after);
  }

  @inline
  whole(patch: usize, image: usize, rowBytes: usize, rows: i32, floats: i32, end: usize): void {
    const runBytes = (<usize>floats) << 2;
    const overrun = image + <usize>(rows - 1) * rowBytes + runBytes + 12 > end;
    for (; rows > 0; --rows) {
      if (overrun) {
        copyFloats(patch, image, floats);
      } else {
        // Whole vectors, past the run's end if need be: a short run would cost more in its parts than in its copying.
        let q: usize = 0;
        do v128.store(patch + q, v128.load(image + q));
        while ((q += 16) < runBytes);
      }
      patch += runBytes;
      image += rowBytes;
    }
  }
}

/** image = image + patch, nowhere where it is padding */
@unmanaged
export class Scatter extends Run {
  ragged(patch: usize, image: usize, before: i32, length: i32, after: i32): void {
    addFloats(image, patch + ((<usize>before) << 2), length);
  }

  @inline
  whole(patch: usize, image: usize, rowBytes: usize, rows: i32, floats: i32, end: usize): void {
    for (let y = 0; y < rows; ++y) {
      addFloats(image, patch, floats);
      patch += (<usize>floats) << 2;
      image += rowBytes;
    }
  }
}

/** Visits the runs of every patch of an image: patches by output row and column, in each the kernel rows from the top. */
export function visitPatches<R extends Run>(patches: usize, image: usize, window: usize): void {
  const height = load<i32>(window, WINDOW_IN_HEIGHT);
  const width = load<i32>(window, WINDOW_IN_WIDTH);
  const channels = load<i32>(window, WINDOW_IN_CHANNELS);
  const kernelHeight = load<i32>(window, WINDOW_HEIGHT);
  const kernelWidth = load<i32>(window, WINDOW_WIDTH);
  const outHeight = load<i32>(window, WINDOW_OUT_HEIGHT);
  const outWidth = load<i32>(window, WINDOW_OUT_WIDTH);
  const strideY = load<i32>(window, WINDOW_STRIDE_Y);
  const strideX = load<i32>(window, WINDOW_STRIDE_X);
  const padLeft = load<i32>(window, WINDOW_PAD_LEFT);
  const rowBytes = (<usize>(width * channels)) << 2;
  const runFloats = kernelWidth * channels;
  const runBytes = (<usize>runFloats) << 2;
  const end = image + <usize>height * rowBytes;
  let top = -load<i32>(window, WINDOW_PAD_TOP);
  for (let oy = 0; oy < outHeight; ++oy) {
    let left = -padLeft;
    const inside = top >= 0 && top + kernelHeight <= height;
    const row = image + <usize>top * rowBytes;
    for (let ox = 0; ox < outWidth; ++ox) {
      if (inside && left >= 0 && left + kernelWidth <= width) {
        changetype<R>(0).whole(patches, row + ((<usize>(left * channels)) << 2), rowBytes, kernelHeight, runFloats, end);
        patches += <usize>kernelHeight * runBytes;
      } else {
        // What of the kernel's columns [left, left + kernelWidth) lies in the image's [0, width).
        const before = min(kernelWidth, max(0, -left)) * channels;
        const after = min(runFloats - before, max(0, left + kernelWidth - width) * channels);
        const length = runFloats - before - after;
        const column = left * channels + before;
        for (let y = top; y < top + kernelHeight; ++y) {
          if (<u32>y < <u32>height) {
            const source = image + <usize>y * rowBytes + ((<usize>column) << 2);
            changetype<R>(0).ragged(patches, source, before, length, after);
          } else {
            changetype<R>(0).ragged(patches, image, runFloats, 0, 0);
          }
          patches += runBytes;
        }
      }
      left += strideX;
    }
    top += strideY;
  }
}
