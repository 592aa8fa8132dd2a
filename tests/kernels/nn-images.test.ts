/**
 * Convolution and pooling of the shipped nn binaries: bit for bit the reference's, and near the
 * sums that define them.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  CONV_GROUP,
  convScratchBytes,
  depthwiseScratchBytes,
} from '../../src/memory-layout/nn-layout';
import { Bench } from './arena';
import { KINDS, ordinary, strange } from './values';
import { type Geometry, sizesOf, windowRecord } from './windows';

const bench = new Bench();
beforeEach(() => bench.reset());

const plain: Geometry = {
  height: 5,
  width: 6,
  channels: 3,
  kernel: [3, 3],
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  outputs: 4,
};
const sequence: Geometry = { ...plain, height: 1, width: 13, kernel: [1, 3], outputs: 7 };
const CONVOLUTIONS: readonly [string, Geometry][] = [
  ['no padding', plain],
  ['padding 1', { ...plain, padding: [1, 1, 1, 1] }],
  ['stride 2, uneven padding', { ...plain, stride: [2, 2], padding: [0, 1, 1, 0] }],
  ['one channel', { ...plain, channels: 1, padding: [1, 1, 1, 1], outputs: 16 }],
  ['kernel 1', { ...plain, kernel: [1, 1], outputs: 1 }],
  ['kernel 1, more outputs', { ...plain, kernel: [1, 1], outputs: 21 }],
  ['kernel 1, padding', { ...plain, kernel: [1, 1], padding: [0, 1, 1, 0] }],
  [
    'kernel 1, stride 2, as many outputs as pixels',
    { ...plain, kernel: [1, 1], height: 4, width: 5, stride: [2, 2], padding: [2, 2, 2, 2] },
  ],
  ['kernel and stride 2: no pixel twice', { ...plain, height: 4, kernel: [2, 2], stride: [2, 2] }],
  ['kernel 2×3, stride 1×2', { ...plain, kernel: [2, 3], stride: [1, 2], channels: 5 }],
  [
    'kernel wider than the image',
    { ...plain, height: 2, width: 2, kernel: [5, 5], padding: [2, 2, 2, 2] },
  ],
  [
    'kernel entirely in the padding',
    { ...plain, height: 1, width: 1, kernel: [2, 2], stride: [2, 2], padding: [3, 3, 3, 3] },
  ],
  ['a sequence', { ...sequence }],
  ['a sequence, more outputs than a patch has', { ...sequence, channels: 2, outputs: 11 }],
  ['a sequence, stride 2, padding', { ...sequence, stride: [1, 2], padding: [0, 0, 1, 3] }],
  ['a sequence, stride 5: pixels left out', { ...sequence, stride: [1, 5], channels: 1 }],
  ['a sequence of 16 floats a stride', { ...sequence, stride: [1, 4], channels: 4, outputs: 40 }],
  ['a sequence, dilation 2', { ...sequence, dilation: [1, 2], padding: [0, 0, 4, 0] }],
  ['a sequence, patches of more than a block', { ...sequence, channels: 131, outputs: 18 }],
  ['one row of patches', { ...plain, kernel: [1, 3], stride: [5, 1], padding: [1, 0, 0, 1] }],
  ['many channels', { ...plain, channels: 17, outputs: 19, padding: [1, 1, 1, 1] }],
  ['dilation 2', { ...plain, dilation: [2, 2], padding: [2, 2, 2, 2] }],
  ['dilation 1×3, stride 2', { ...plain, dilation: [1, 3], stride: [2, 2], padding: [0, 1, 2, 3] }],
];

const size = (max: number) => fc.integer({ min: 1, max });
const pair = (max: number) => fc.tuple(size(max), size(max));
const pad = fc.integer({ min: 0, max: 2 });
const GEOMETRIES: fc.Arbitrary<Geometry> = fc
  .record({
    height: size(7),
    width: size(7),
    channels: size(6),
    kernel: pair(4),
    stride: pair(3),
    dilation: pair(3),
    padding: fc.tuple(pad, pad, pad, pad),
    outputs: size(6),
  })
  .filter((geometry) => {
    const { outHeight, outWidth } = sizesOf(geometry);
    return outHeight > 0 && outWidth > 0;
  });

function convolve(
  geometry: Geometry,
  count: number,
  make: (n: number, seed: number) => Float32Array,
) {
  bench.reset();
  const { padded, positions, patch, image, weights } = sizesOf(geometry);
  const outputs = count * positions * geometry.outputs;
  const [xs, ws, dys] = [make(count * image, 1), make(weights, 2), make(outputs, 3)];
  const [x, w, dy] = [
    bench.buffer(count * image, xs),
    bench.buffer(weights, ws),
    bench.buffer(outputs, dys),
  ];
  const [y, dx, dw] = [
    bench.buffer(outputs),
    bench.buffer(count * image, ordinary(count * image, 4)),
    bench.buffer(weights),
  ];
  const window = bench.buffer(16, windowRecord(geometry));
  const scratch = bench.scratch(convScratchBytes(padded, positions, patch, geometry.outputs, 1));
  bench.run(
    (k) => k.conv2d(y.address, x.address, w.address, window.address, count, scratch.address),
    scratch,
  );
  bench.run(
    (k) =>
      k.conv2dInputGrad(dx.address, dy.address, w.address, window.address, count, scratch.address),
    scratch,
  );
  bench.run(
    (k) =>
      k.conv2dWeightGrad(dw.address, dy.address, x.address, window.address, count, scratch.address),
    scratch,
  );
  for (const [buffer, n] of [
    [y, outputs],
    [dx, count * image],
    [dw, weights],
    [scratch, 0],
  ] as const) {
    bench.expectTidy(buffer, n);
  }
  return {
    xs,
    ws,
    dys,
    y: bench.read(y, outputs),
    dx: bench.read(dx, count * image),
    dw: bench.read(dw, weights),
  };
}

/** y, dx and dw from the definition, in f64. */
function defined(
  geometry: Geometry,
  count: number,
  xs: Float32Array,
  ws: Float32Array,
  dys: Float32Array,
) {
  const { height, width, channels, kernel, stride, padding, outputs, dilation } = geometry;
  const [down, right] = dilation ?? [1, 1];
  const { outHeight, outWidth } = sizesOf(geometry);
  const [y, dx, dw] = [
    new Float64Array(dys.length),
    new Float64Array(xs.length),
    new Float64Array(ws.length),
  ];
  let o = 0;
  for (let i = 0; i < count; i++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let out = 0; out < outputs; out++, o++)
          for (let ky = 0; ky < kernel[0]; ky++)
            for (let kx = 0; kx < kernel[1]; kx++)
              for (let c = 0; c < channels; c++) {
                const [iy, ix] = [
                  oy * stride[0] + ky * down - padding[0],
                  ox * stride[1] + kx * right - padding[2],
                ];
                if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
                const from = ((i * height + iy) * width + ix) * channels + c;
                const at = ((out * kernel[0] + ky) * kernel[1] + kx) * channels + c;
                y[o] += xs[from]! * ws[at]!;
                dx[from] += dys[o]! * ws[at]!;
                dw[at] += dys[o]! * xs[from]!;
              }
  return { y, dx, dw };
}

describe('conv2d and its gradients', () => {
  it.each(CONVOLUTIONS)('%s: the reference’s bits for any values', (_, geometry) => {
    for (const make of Object.values(KINDS)) convolve(geometry, 2, make);
  });

  it('any number of images, the weight gradient group by group', () => {
    for (const count of [1, CONV_GROUP - 1, CONV_GROUP, CONV_GROUP + 1, 2 * CONV_GROUP + 3])
      convolve(plain, count, strange);
  });

  it.each(CONVOLUTIONS)('%s: what the definition says', (_, geometry) => {
    const count = CONV_GROUP + 2;
    const { xs, ws, dys, ...actual } = convolve(geometry, count, ordinary);
    const expected = defined(geometry, count, xs, ws, dys);
    for (const name of ['y', 'dx', 'dw'] as const) {
      actual[name].forEach((value, i) => {
        expect(Math.abs(value - expected[name][i]!), `${name}[${i}]`).toBeLessThan(2e-5);
      });
    }
  });

  it('any geometry', () => {
    fc.assert(
      fc.property(
        GEOMETRIES,
        size(3),
        (geometry, count) => void convolve(geometry, count, strange),
      ),
      { numRuns: 60 },
    );
  });
});

/** Runs the depthwise kernels on images whose channels have `multiplier` outputs each. */
function convolveDepthwise(
  plan: Geometry,
  multiplier: number,
  count: number,
  make: (n: number, seed: number) => Float32Array,
) {
  bench.reset();
  const geometry = { ...plan, outputs: plan.channels * multiplier };
  const { positions, image, patch, outHeight, outWidth } = sizesOf(geometry);
  const [outputs, weights] = [count * positions * geometry.outputs, patch * multiplier];
  const [x, w, dy] = [
    bench.buffer(count * image, make(count * image, 1)),
    bench.buffer(weights, make(weights, 2)),
    bench.buffer(outputs, make(outputs, 3)),
  ];
  const [y, dx, dw] = [
    bench.buffer(outputs, ordinary(outputs, 4)),
    bench.buffer(count * image, ordinary(count * image, 5)),
    bench.buffer(weights, ordinary(weights, 6)),
  ];
  const window = bench.buffer(16, windowRecord(geometry));
  const [rows, columns] = [Math.max(plan.height, outHeight), Math.max(plan.width, outWidth)];
  const repeated = multiplier > 1 ? image * multiplier : 0;
  const scratch = bench.scratch(depthwiseScratchBytes(rows, columns, repeated));
  const [at, room] = [window.address, scratch.address];
  bench.run((k) => k.depthwiseConv2d(y.address, x.address, w.address, at, count, room), scratch);
  bench.run(
    (k) => k.depthwiseConv2dInputGrad(dx.address, dy.address, w.address, at, count, room),
    scratch,
  );
  bench.run(
    (k) => k.depthwiseConv2dWeightGrad(dw.address, dy.address, x.address, at, count, room),
    scratch,
  );
  for (const [buffer, n] of [
    [y, outputs],
    [dx, count * image],
    [dw, weights],
    [scratch, 0],
  ] as const) {
    bench.expectTidy(buffer, n);
  }
}

describe('depthwiseConv2d and its gradients', () => {
  it.each(CONVOLUTIONS)('%s: the reference’s bits for any values', (_, geometry) => {
    for (const multiplier of [1, 3])
      for (const make of Object.values(KINDS)) convolveDepthwise(geometry, multiplier, 2, make);
  });

  it('whole vectors, four pixels at a time', () => {
    const wide: Geometry = { ...plain, width: 19, channels: 37, padding: [1, 1, 1, 1] };
    for (const stride of [1, 2, 3])
      for (const dilation of [1, 2, 3])
        convolveDepthwise({ ...wide, stride: [1, stride], dilation: [1, dilation] }, 1, 3, strange);
  });

  it('any geometry', () => {
    fc.assert(
      fc.property(
        GEOMETRIES,
        size(3),
        size(3),
        (geometry, multiplier, count) =>
          void convolveDepthwise(geometry, multiplier, count, strange),
      ),
      { numRuns: 100 },
    );
  });
});

const POOLS: readonly [string, Geometry][] = [
  ['2×2', { ...plain, kernel: [2, 2], stride: [2, 2], height: 6, channels: 8, outputs: 8 }],
  [
    '2×2, odd rest left out, whole vectors',
    { ...plain, kernel: [2, 2], stride: [2, 2], channels: 12, outputs: 12 },
  ],
  [
    '2×2, a vector and a half',
    { ...plain, kernel: [2, 2], stride: [2, 2], height: 4, channels: 6, outputs: 6 },
  ],
  ['odd rest left out', { ...plain, kernel: [2, 2], stride: [2, 2], channels: 3, outputs: 3 }],
  ['overlapping', { ...plain, kernel: [3, 2], stride: [1, 1], channels: 7, outputs: 7 }],
  ['gaps', { ...plain, kernel: [1, 2], stride: [2, 3], channels: 5, outputs: 5 }],
  ['the whole image', { ...plain, kernel: [5, 6], channels: 1, outputs: 1 }],
  [
    'padding',
    { ...plain, kernel: [3, 4], stride: [2, 1], padding: [1, 2, 3, 0], channels: 5, outputs: 5 },
  ],
  [
    '2×2, cut at the end',
    { ...plain, kernel: [2, 2], stride: [2, 2], padding: [0, 1, 0, 0], channels: 9, outputs: 9 },
  ],
  [
    '2×2, cut at the beginning',
    { ...plain, kernel: [2, 2], stride: [2, 2], padding: [1, 0, 1, 1], channels: 8, outputs: 8 },
  ],
];

describe.each(POOLS)('pooling, %s', (_, geometry) => {
  const { positions, image } = sizesOf(geometry);
  const count = 3;
  const outputs = count * positions * geometry.channels;

  it.each(Object.entries(KINDS))('the reference’s bits, %s values', (_, make) => {
    const [x, dy] = [
      bench.buffer(count * image, make(count * image, 1)),
      bench.buffer(outputs, make(outputs, 2)),
    ];
    const [y, index] = [bench.buffer(outputs), bench.buffer(outputs, new Int32Array(outputs))];
    const dx = bench.buffer(count * image, ordinary(count * image, 3));
    const window = bench.buffer(16, windowRecord(geometry));
    bench.run((k) => k.maxPool2d(y.address, index.address, x.address, window.address, count));
    bench.run((k) => k.maxPool2dGrad(dx.address, dy.address, index.address, window.address, count));
    bench.run((k) => k.maxPool2d(y.address, 0, x.address, window.address, count));
    bench.run((k) => k.avgPool2d(y.address, x.address, window.address, count));
    bench.run((k) => k.avgPool2dGrad(dx.address, dy.address, window.address, count));
    bench.run((k) => k.upSampling2d(dx.address, dy.address, window.address, count));
    bench.run((k) => k.upSampling2dGrad(y.address, x.address, window.address, count));
    for (const buffer of [y, index]) bench.expectTidy(buffer, outputs);
    bench.expectTidy(dx, count * image);
  });
});

it.each([1, 2])(
  'maxPool2d with a stride of %i takes the first of equals, and the last NaN',
  (step) => {
    const stride = [step, step] as const;
    const geometry: Geometry = {
      ...plain,
      height: 2,
      width: 2,
      channels: 4,
      kernel: [2, 2],
      stride,
      outputs: 4,
    };
    const pixels = [
      [1, 0, 5, Number.NaN],
      [3, -0, Number.NaN, 2],
      [3, 0, 6, Number.NaN],
      [2, 0, 7, 9],
    ];
    const x = bench.buffer(16, Float32Array.from(pixels.flat()));
    const [y, index] = [bench.buffer(4), bench.buffer(4, new Int32Array(4))];
    const window = bench.buffer(16, windowRecord(geometry));
    bench.run((k) => k.maxPool2d(y.address, index.address, x.address, window.address, 1));
    expect([...bench.read(y, 4)]).toEqual([3, 0, Number.NaN, Number.NaN]);
    expect([...bench.readInts(index, 4)]).toEqual([1, 0, 1, 2]);
  },
);

it.each([
  [1, 1],
  [2, 2],
  [3, 4],
])('bilinear2d by %i × %i: the reference’s bits', (rows, columns) => {
  for (const make of Object.values(KINDS)) {
    for (const channels of [1, 4, 7]) {
      bench.reset();
      const [count, height, width] = [2, 3, 2];
      const geometry: Geometry = {
        ...plain,
        height: height * rows,
        width: width * columns,
        channels,
        kernel: [rows, columns],
        stride: [rows, columns],
        outputs: channels,
      };
      const [small, large] = [count * height * width * channels, count * sizesOf(geometry).image];
      const [x, dy] = [bench.buffer(small, make(small, 1)), bench.buffer(large, make(large, 2))];
      const [y, dx] = [bench.buffer(large), bench.buffer(small, ordinary(small, 3))];
      const window = bench.buffer(16, windowRecord(geometry));
      bench.run((k) => k.bilinear2d(y.address, x.address, window.address, count));
      bench.run((k) => k.bilinear2dGrad(dx.address, dy.address, window.address, count));
      bench.expectTidy(y, large);
      bench.expectTidy(dx, small);
    }
  }
});

it('globalAvgPool is the mean, and spreads its gradient evenly', () => {
  for (const make of Object.values(KINDS)) {
    for (const channels of [1, 3, 4, 10]) {
      bench.reset();
      const [count, pixels] = [3, 7];
      const values = make(count * pixels * channels, 1);
      const x = bench.buffer(values.length, values);
      const y = bench.buffer(count * channels);
      bench.run((k) => k.globalAvgPool(y.address, x.address, count, pixels, channels));
      const first = Array.from({ length: pixels }, (_, p) => values[p * channels]!).reduce(
        (a, b) => a + b,
        0,
      );
      expect(bench.read(y, 1)[0]).toBe(Math.fround(first / pixels));
      bench.run((k) => k.globalAvgPoolGrad(x.address, y.address, count, pixels, channels));
      bench.expectTidy(x, values.length);
      bench.expectTidy(y, count * channels);
    }
  }
});
