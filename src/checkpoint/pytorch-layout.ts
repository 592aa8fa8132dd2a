/**
 * Conversion of parameters whose elements PyTorch keeps in another order, since its images are
 * channels first and those of this library are channels last.
 *
 *                    this library                         PyTorch
 *     kernel         [filters, rows, columns, channels]   [filters, channels, rows, columns]
 *       of conv1d    [filters, steps, channels]           [filters, channels, steps]
 *       depthwise    [rows, columns, channels, m]         [channels·m, 1, rows, columns]
 *     dense weight   [outputs, inputs]                    [outputs, inputs]
 *       after a flatten, input = (row, column, channel)   (channel, row, column)
 *
 * Shapes do not tell the two orders apart: 3 × 3 kernels over 3 channels have the same shape in
 * both. So the caller has to name these parameters; without that, a parameter whose order may
 * differ is an error.
 */
import { ArgumentError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { checkOptions, describe, fail } from '../validate';

/** Parameters that PyTorch keeps in another order. */
export interface PyTorchLayoutOptions {
  /**
   * Kernels of convolutions: `'all'` parameters of three or four dimensions, `'none'` of them, or a
   * list of names. Kernels and their moments are permuted; other such parameters are not.
   * @default undefined: an error if a parameter has three or four dimensions
   */
  convolutions?: 'all' | 'none' | readonly string[];
  /** Names of the kernels of depthwise convolutions, also those of separable ones. @default [] */
  depthwise?: readonly string[];
  /**
   * Weights of dense layers that directly follow a `flatten` of images: for each name, the
   * [channels, rows, columns] of the images. The columns of these weights are permuted. `{}` if
   * there is no such layer.
   * @default undefined: an error if there are both kernels and parameters of two dimensions
   */
  flattened?: Readonly<Record<string, readonly [channels: number, rows: number, columns: number]>>;
}

/** The layout of one parameter in PyTorch. */
export interface PyTorchLayout {
  readonly theirShape: readonly number[];
  /** Returns a copy in the order of this library. */
  toOurs(data: Float32Array): Float32Array;
  /** Returns a copy in the order of PyTorch. */
  toTheirs(data: Float32Array): Float32Array;
}

type Params = StateDict['params'];

/**
 * Returns the layouts of the parameters whose order differs, by name.
 *
 * @throws ArgumentError for options that are missing or do not fit
 */
export function layoutsOf(
  params: Params,
  options: PyTorchLayoutOptions,
): ReadonlyMap<string, PyTorchLayout> {
  checkOptions('options', options, ['convolutions', 'depthwise', 'flattened']);
  const layouts = new Map<string, PyTorchLayout>();
  const { depthwise = [] } = options;
  if (!Array.isArray(depthwise)) fail('options.depthwise', 'a list of names', depthwise);
  for (const [index, name] of depthwise.entries()) {
    const path = `options.depthwise[${index}]`;
    if (!Object.hasOwn(params, name) || params[name].shape.length !== 4)
      fail(path, 'the name of a parameter of four dimensions', name);
    const [rows, columns, channels, multiplier] = params[name].shape;
    const outputs = channels * multiplier;
    layouts.set(name, layoutOf([outputs, 1, rows, columns], 1, outputs, rows * columns));
  }
  for (const name of kernelsOf(params, options.convolutions, depthwise)) {
    const [filters, ...rest] = params[name].shape;
    const channels = rest.pop()!;
    const positions = rest.reduce((product, size) => product * size, 1);
    layouts.set(name, layoutOf([filters, channels, ...rest], filters, channels, positions));
  }
  const dense = Object.keys(params).filter((name) => params[name].shape.length === 2);
  if (layouts.size > 0 && dense.length > 0 && options.flattened === undefined) {
    const expected =
      'the [channels, rows, columns] of images that are flattened before a dense layer, by the ' +
      "name of the layer's weight, or {} if there are none (PyTorch flattens channels first)";
    throw new ArgumentError(
      'options.flattened',
      expected,
      `nothing, with ${dense.map(describe).join(', ')}`,
    );
  }
  for (const [name, sizes] of Object.entries(checkFlattened(options.flattened ?? {}))) {
    const path = `options.flattened.${name}`;
    if (!dense.includes(name)) fail(path, 'the name of a parameter of two dimensions', name);
    const [outputs, inputs] = params[name].shape as [number, number];
    const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) > 0;
    const fits = Array.isArray(sizes) && sizes.length === 3 && sizes.every(isSize);
    if (!fits || sizes[0] * sizes[1] * sizes[2] !== inputs) {
      fail(path, `[channels, rows, columns] whose product is ${inputs}`, sizes);
    }
    layouts.set(name, layoutOf([outputs, inputs], outputs, sizes[0], sizes[1] * sizes[2]));
  }
  return layouts;
}

function kernelsOf(
  params: Params,
  convolutions: PyTorchLayoutOptions['convolutions'],
  depthwise: readonly string[],
): readonly string[] {
  const path = 'options.convolutions';
  const candidates = Object.keys(params).filter((name) => {
    const { length } = params[name].shape;
    return (length === 3 || length === 4) && !depthwise.includes(name);
  });
  if (convolutions === undefined) {
    if (candidates.length === 0) return [];
    const expected =
      "'all', 'none' or a list of names: which parameters of 3 or 4 dimensions are kernels of " +
      'convolutions (PyTorch keeps those as [filters, channels, rows, columns], this library as ' +
      '[filters, rows, columns, channels])';
    throw new ArgumentError(
      path,
      expected,
      `nothing, with ${candidates.slice(0, 4).map(describe).join(', ')}`,
    );
  }
  if (convolutions === 'none') return [];
  if (convolutions === 'all') {
    const other = candidates.find((name) => /depthwise/i.test(name));
    if (other !== undefined)
      fail('options.depthwise', "a list of the depthwise kernels beside 'all'", other);
    return candidates;
  }
  if (!Array.isArray(convolutions)) fail(path, "'all', 'none' or a list of names", convolutions);
  for (const [index, name] of convolutions.entries()) {
    if (!candidates.includes(name))
      fail(`${path}[${index}]`, 'the name of a parameter of 3 or 4 dimensions', name);
  }
  return convolutions;
}

function checkFlattened(flattened: unknown): Record<string, readonly [number, number, number]> {
  if (typeof flattened !== 'object' || flattened === null || Array.isArray(flattened)) {
    fail('options.flattened', 'an object by parameter name', flattened);
  }
  return flattened as Record<string, readonly [number, number, number]>;
}

/**
 * Returns the layout of `outer` matrices that are [channels, positions] in PyTorch and [positions,
 * channels] in this library.
 */
function layoutOf(
  theirShape: readonly number[],
  outer: number,
  channels: number,
  positions: number,
): PyTorchLayout {
  return {
    theirShape,
    toOurs: (data) => transposeEach(data, outer, channels, positions),
    toTheirs: (data) => transposeEach(data, outer, positions, channels),
  };
}

/** Returns a copy of `count` matrices of `rows` × `columns`, each transposed. */
function transposeEach(
  data: Float32Array,
  count: number,
  rows: number,
  columns: number,
): Float32Array {
  const result = new Float32Array(data.length);
  for (let matrix = 0, at = 0; matrix < count; matrix++) {
    const start = matrix * rows * columns;
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) result[at++] = data[start + row * columns + column]!;
    }
  }
  return result;
}
