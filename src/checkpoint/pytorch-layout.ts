/**
 * Parameters whose elements PyTorch keeps in another order, since its images are channels first and
 * those of this library channels last.
 *
 *     a kernel          here [filters, rows, columns, channels], there [filters, channels, rows, columns]
 *     a dense weight    [outputs, inputs] in both; after a flatten, an input is (row, column, channel)
 *                       here and (channel, row, column) there
 *
 * No shape tells one from the other: 3 × 3 kernels over 3 channels have the same in both. Hence it
 * is said by the caller, and where it is not, what may differ is refused.
 */
import { ArgumentError } from '../errors';
import type { StateDict } from '../optimizers/state-dict';
import { checkOptions, describe, fail } from '../validate';

/** Which parameters PyTorch keeps in another order. */
export interface PyTorchLayoutOptions {
  /**
   * The kernels of convolutions: `'all'` parameters of four dimensions, `'none'` of them, or those
   * with these names. Kernels are permuted, with their moments; others of four dimensions are taken
   * as they are.
   * @default none; an error where there is a parameter of four dimensions
   */
  convolutions?: 'all' | 'none' | readonly string[];
  /**
   * Weights of dense layers right after a `flatten` of images: by name the [channels, rows,
   * columns] of those. Their columns are permuted. `{}` if there is no such layer.
   * @default {}; an error where there are both kernels and parameters of two dimensions
   */
  flattened?: Readonly<Record<string, readonly [channels: number, rows: number, columns: number]>>;
}

/** How one parameter lies in PyTorch. */
export interface PyTorchLayout {
  readonly theirShape: readonly number[];
  /** A copy in the order of this library. */
  toOurs(data: Float32Array): Float32Array;
  /** A copy in the order of PyTorch. */
  toTheirs(data: Float32Array): Float32Array;
}

type Params = StateDict['params'];

/**
 * The layouts of those that differ, by name.
 * @throws ArgumentError for options that are missing or do not fit
 */
export function layoutsOf(
  params: Params,
  options: PyTorchLayoutOptions,
): ReadonlyMap<string, PyTorchLayout> {
  checkOptions('options', options, ['convolutions', 'flattened']);
  const layouts = new Map<string, PyTorchLayout>();
  for (const name of kernelsOf(params, options.convolutions)) {
    const [filters, rows, columns, channels] = params[name].shape as [
      number,
      number,
      number,
      number,
    ];
    const theirShape = [filters, channels, rows, columns];
    layouts.set(name, layoutOf(theirShape, filters, channels, rows * columns));
  }
  const dense = Object.keys(params).filter((name) => params[name].shape.length === 2);
  if (layouts.size > 0 && dense.length > 0 && options.flattened === undefined) {
    const expected =
      'the [channels, rows, columns] of the images that are flattened before a dense layer, by the name of ' +
      'its weight, or {} if none are: PyTorch flattens channels first';
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
): readonly string[] {
  const path = 'options.convolutions';
  const candidates = Object.keys(params).filter((name) => params[name].shape.length === 4);
  if (convolutions === undefined) {
    if (candidates.length === 0) return [];
    const expected =
      "'all', 'none' or a list of names, which says whether parameters of four dimensions are kernels of " +
      'convolutions: PyTorch has those as [filters, channels, rows, columns], this library as [filters, ' +
      'rows, columns, channels]';
    throw new ArgumentError(
      path,
      expected,
      `nothing, with ${candidates.slice(0, 4).map(describe).join(', ')}`,
    );
  }
  if (convolutions === 'none') return [];
  if (convolutions === 'all') return candidates;
  if (!Array.isArray(convolutions)) fail(path, "'all', 'none' or a list of names", convolutions);
  for (const [index, name] of convolutions.entries()) {
    if (!candidates.includes(name))
      fail(`${path}[${index}]`, 'the name of a parameter of four dimensions', name);
  }
  return convolutions;
}

function checkFlattened(flattened: unknown): Record<string, readonly [number, number, number]> {
  if (typeof flattened !== 'object' || flattened === null || Array.isArray(flattened)) {
    fail('options.flattened', 'an object by parameter name', flattened);
  }
  return flattened as Record<string, readonly [number, number, number]>;
}

/** Of `outer` matrices that are [channels, places] there and [places, channels] here. */
function layoutOf(
  theirShape: readonly number[],
  outer: number,
  channels: number,
  places: number,
): PyTorchLayout {
  return {
    theirShape,
    toOurs: (data) => transposeEach(data, outer, channels, places),
    toTheirs: (data) => transposeEach(data, outer, places, channels),
  };
}

/** `count` matrices of `rows` × `columns`, each transposed. */
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
