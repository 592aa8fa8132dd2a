/**
 * Plain loops over images, height × width × channels: convolution with padding 'same', and max
 * pooling.
 */
import type { PlainLayer, Trainable } from './plain-layer';
import type { LayerOf, PlannedLayer } from './workloads';

/** Creates a convolution. */
export function convLayer(
  { from, filters, size }: PlannedLayer<LayerOf<'conv'>>,
  batch: number,
  weight: Trainable,
  bias: Trainable,
): PlainLayer {
  const [height, width, channels] = from as readonly [number, number, number];
  const pad = (size - 1) >> 1;
  const [image, map] = [height * width * channels, height * width * filters];
  const [y, dx] = [new Float32Array(batch * map), new Float32Array(batch * image)];

  /** Calls `each` for every place of the window in the image, with addresses of one element. */
  function visit(r: number, each: (out: number, at: number, place: number) => void): void {
    for (let oy = 0; oy < height; oy++) {
      for (let ox = 0; ox < width; ox++) {
        const out = r * map + (oy * width + ox) * filters;
        for (let ky = 0; ky < size; ky++) {
          const iy = oy + ky - pad;
          if (iy < 0 || iy >= height) continue;
          for (let kx = 0; kx < size; kx++) {
            const ix = ox + kx - pad;
            if (ix < 0 || ix >= width) continue;
            each(out, r * image + (iy * width + ix) * channels, (ky * size + kx) * channels);
          }
        }
      }
    }
  }

  const patch = size * size * channels;
  return {
    parameters: [weight, bias],
    forward(x, count) {
      const w = weight.values;
      for (let i = 0; i < count * map; i++) y[i] = bias.values[i % filters]!;
      const add = (out: number, at: number, place: number) => {
        for (let f = 0; f < filters; f++) {
          let sum = 0;
          for (let c = 0; c < channels; c++) sum += w[f * patch + place + c]! * x[at + c]!;
          y[out + f]! += sum;
        }
      };
      for (let r = 0; r < count; r++) visit(r, add);
      return y;
    },
    backward(x, dy, count, wanted) {
      const [w, dw, db] = [weight.values, weight.grad, bias.grad];
      dw.fill(0);
      db.fill(0);
      if (wanted) dx.fill(0);
      for (let i = 0; i < count * map; i++) db[i % filters]! += dy[i]!;
      const add = (out: number, at: number, place: number) => {
        for (let f = 0; f < filters; f++) {
          const g = dy[out + f]!;
          for (let c = 0; c < channels; c++) {
            dw[f * patch + place + c]! += g * x[at + c]!;
            if (wanted) dx[at + c]! += g * w[f * patch + place + c]!;
          }
        }
      };
      for (let r = 0; r < count; r++) visit(r, add);
      return dx;
    },
  };
}

/** Creates a max pooling. */
export function maxPoolLayer(
  { from, to, size }: PlannedLayer<LayerOf<'maxPool'>>,
  batch: number,
): PlainLayer {
  const [height, width, channels] = from as readonly [number, number, number];
  const [outHeight, outWidth] = to as readonly [number, number];
  const [image, map] = [height * width * channels, outHeight * outWidth * channels];
  const [y, dx] = [new Float32Array(batch * map), new Float32Array(batch * image)];
  const place = new Int32Array(batch * map);
  return {
    parameters: [],
    forward(x, count) {
      let out = 0;
      for (let r = 0; r < count; r++) {
        for (let oy = 0; oy < outHeight; oy++) {
          for (let ox = 0; ox < outWidth; ox++) {
            for (let c = 0; c < channels; c++, out++) {
              let best = r * image + (oy * size * width + ox * size) * channels + c;
              for (let ky = 0; ky < size; ky++) {
                for (let kx = 0; kx < size; kx++) {
                  const at = r * image + ((oy * size + ky) * width + ox * size + kx) * channels + c;
                  if (x[at]! > x[best]!) best = at;
                }
              }
              y[out] = x[best]!;
              place[out] = best;
            }
          }
        }
      }
      return y;
    },
    backward(_x, dy, count) {
      dx.fill(0);
      for (let i = 0; i < count * map; i++) dx[place[i]!]! += dy[i]!;
      return dx;
    },
  };
}
