/**
 * Initial values of parameters. A model draws them from one random sequence, in the order of its
 * parameters; so they depend on the layers and the seed alone.
 */
import type { Prng } from '../../math/prng';
import { checkChoice, checkNumber, checkObject, checkOptions, fail } from '../../validate';
import type { ArrayPlan } from './layer';

/** The initializers that draw around zero with a spread that the fans alone decide. */
const SCALED = {
  heUniform: [2, 'fanIn', 'uniform'],
  heNormal: [2, 'fanIn', 'truncatedNormal'],
  glorotUniform: [1, 'fanAvg', 'uniform'],
  glorotNormal: [1, 'fanAvg', 'truncatedNormal'],
  lecunUniform: [1, 'fanIn', 'uniform'],
  lecunNormal: [1, 'fanIn', 'truncatedNormal'],
} as const;

const MODES = ['fanIn', 'fanOut', 'fanAvg'] as const;
const DISTRIBUTIONS = ['uniform', 'truncatedNormal', 'untruncatedNormal'] as const;

/** Fields of the other initializers. */
const FIELDS = {
  zeros: [],
  ones: [],
  constant: ['value'],
  uniform: ['min', 'max'],
  normal: ['mean', 'stddev'],
  truncatedNormal: ['mean', 'stddev'],
  varianceScaling: ['scale', 'mode', 'distribution'],
  orthogonal: ['gain'],
} as const;

/**
 * Initial values of a parameter, as plain data: a kind, with numbers where it takes some. A string
 * stands for the kind with its defaults: `'heNormal'`.
 */
export type Initializer =
  | Exclude<keyof typeof SCALED | keyof typeof FIELDS, 'constant'>
  /** The same value everywhere. */
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform in [min, max), by default in [-0.05, 0.05). */
  | { readonly kind: 'uniform'; readonly min?: number; readonly max?: number }
  /** Normal, or normal and drawn again beyond two deviations; by default mean 0, stddev 0.05. */
  | {
      readonly kind: 'normal' | 'truncatedNormal';
      readonly mean?: number;
      readonly stddev?: number;
    }
  /**
   * Mean 0 and variance scale/n, where n is the number of inputs (`fanIn`) or outputs (`fanOut`) of
   * a unit, or the mean of both (`fanAvg`). Normal values are drawn again beyond two deviations,
   * and widened so that the variance holds, unless the distribution is `untruncatedNormal`. By
   * default scale is 1, mode 'fanIn' and distribution 'truncatedNormal'.
   */
  | {
      readonly kind: 'varianceScaling';
      readonly scale?: number;
      readonly mode?: (typeof MODES)[number];
      readonly distribution?: (typeof DISTRIBUTIONS)[number];
    }
  /**
   * gain times a random matrix [first size, all others] whose rows are orthonormal, or its columns
   * if it has more rows than columns. By default gain is 1.
   */
  | { readonly kind: 'orthogonal'; readonly gain?: number }
  | { readonly kind: keyof typeof SCALED | 'zeros' | 'ones' };

/** The array whose initial values an initializer draws. */
export interface InitializedArray {
  /** Inputs of one unit; of a convolution, times the positions of its window. */
  readonly fanIn: number;
  /** Outputs that one input reaches; of a convolution, times the positions of its window. */
  readonly fanOut: number;
  readonly shape: readonly number[];
}

type Fill = (values: Float32Array, prng: Prng) => void;

/** Any initializer, with its fields as optional. */
interface AnyInitializer {
  readonly kind: keyof typeof SCALED | keyof typeof FIELDS;
  readonly value?: number;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly stddev?: number;
  readonly scale?: number;
  readonly mode?: (typeof MODES)[number];
  readonly distribution?: (typeof DISTRIBUTIONS)[number];
  readonly gain?: number;
}

const asObject = (spec: Initializer) =>
  (typeof spec === 'string' ? { kind: spec } : spec) as AnyInitializer;

/**
 * Checks an initializer, which errors name `argument`.
 * @throws ArgumentError
 */
export function checkInitializer(argument: string, spec: unknown): void {
  const kinds = [...Object.keys(SCALED), ...Object.keys(FIELDS)];
  const expected = `an initializer (${kinds.join(', ')})`;
  const given = typeof spec === 'string' ? { kind: spec } : checkObject(argument, spec, expected);
  if (!kinds.includes(given.kind as string)) fail(argument, expected, given.kind ?? spec);
  const all = given as unknown as AnyInitializer;
  checkOptions(argument, all, ['kind', ...(FIELDS[all.kind as keyof typeof FIELDS] ?? [])]);
  if (all.kind === 'constant' && all.value === undefined)
    fail(argument, "a value, as in { kind: 'constant', value: 1 }", spec);
  const { min = -0.05, max = 0.05, mode = 'fanIn', distribution = 'uniform' } = all;
  const { value = 0, mean = 0, gain = 1, stddev = 1, scale = 1 } = all;
  for (const [field, number] of Object.entries({ value, mean, gain, min, max }))
    checkNumber(`${argument}.${field}`, number, '(-2^64, 2^64)', (x) => Math.abs(x) < 2 ** 64);
  if (min > max) fail(`${argument}.min`, `a number up to max = ${max}`, min);
  checkNumber(`${argument}.stddev`, stddev, '[0, 2^64)', (x) => x >= 0 && x < 2 ** 64);
  checkNumber(`${argument}.scale`, scale, '(0, 2^64)', (x) => x > 0 && x < 2 ** 64);
  checkChoice(`${argument}.mode`, mode, MODES);
  checkChoice(`${argument}.distribution`, distribution, DISTRIBUTIONS);
}

/** Returns the function that sets the initial values of an array by a checked initializer. */
export function initializerFor(spec: Initializer, array: InitializedArray): Fill {
  const all = asObject(spec);
  const { min = -0.05, max = 0.05, mean = 0, stddev = 0.05, value = 0, gain = 1 } = all;
  switch (all.kind) {
    case 'zeros':
    case 'constant':
      return (values) => values.fill(value);
    case 'ones':
      return ones;
    case 'uniform':
      return drawing((prng) => min + (max - min) * prng.uniform());
    case 'normal':
      return drawing((prng) => mean + stddev * prng.normal());
    case 'truncatedNormal':
      return drawing((prng) => mean + stddev * truncatedNormal(prng));
    case 'orthogonal':
      return (values, prng) => orthogonal(values, prng, array.shape[0], gain);
    case 'varianceScaling': {
      const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' } = all;
      return varianceScaling(array, scale, mode, distribution);
    }
    default: {
      const [scale, mode, distribution] = SCALED[all.kind as keyof typeof SCALED];
      return varianceScaling(array, scale, mode, distribution);
    }
  }
}

/** Sets all values to one. */
export function ones(values: Float32Array): void {
  values.fill(1);
}

function drawing(draw: (prng: Prng) => number): Fill {
  return (values, prng) => {
    for (let i = 0; i < values.length; i++) values[i] = draw(prng);
  };
}

/** Draws from the standard normal distribution until the number is within ±2. */
function truncatedNormal(prng: Prng): number {
  let value = prng.normal();
  while (Math.abs(value) > 2) value = prng.normal();
  return value;
}

/** Standard deviation of the standard normal distribution between -2 and 2. */
const TRUNCATED_DEVIATION = 0.8796256610342398;

/** Draws with mean 0 and variance scale/fan. */
function varianceScaling(
  { fanIn, fanOut }: InitializedArray,
  scale: number,
  mode: (typeof MODES)[number],
  distribution: (typeof DISTRIBUTIONS)[number],
): Fill {
  const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
  if (distribution === 'uniform') {
    const bound = Math.sqrt((3 * scale) / fan);
    return drawing((prng) => bound * (2 * prng.uniform() - 1));
  }
  const deviation = Math.sqrt(scale / fan);
  if (distribution === 'untruncatedNormal') return drawing((prng) => deviation * prng.normal());
  return drawing((prng) => (deviation / TRUNCATED_DEVIATION) * truncatedNormal(prng));
}

/**
 * Sets the values to gain times a matrix of `rows` rows, uniform among those with orthonormal rows
 * (or columns): normal vectors, each made orthogonal to those before it. Normal matrices are
 * conditioned well enough for float64 to do so in one pass.
 */
function orthogonal(values: Float32Array, prng: Prng, rows: number, gain: number): void {
  const columns = values.length / rows;
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    const vector = Float64Array.from({ length }, () => prng.normal());
    for (const other of vectors) addTo(vector, other, -dot(vector, other));
    const norm = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < length; i++) vector[i] /= norm;
    vectors.push(vector);
  }
  const [ofVector, ofElement] = rows <= columns ? [columns, 1] : [1, columns];
  for (const [k, vector] of vectors.entries())
    for (let i = 0; i < length; i++) values[k * ofVector + i * ofElement] = gain * vector[i];
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** a ← a + factor·b */
function addTo(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] += factor * b[i];
}

/** Options of every layer with a kernel and biases. */
export interface KernelOptions {
  /** Whether the layer adds a bias to each output. @default true */
  useBias?: boolean;
  /** Initial values of `weight`. @default 'heUniform' */
  kernelInitializer?: Initializer;
  /** Initial values of `bias`. @default 'zeros' */
  biasInitializer?: Initializer;
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/** The fields of `KernelOptions` but `name`, which every layer has. */
export const KERNEL_FIELDS = ['useBias', 'kernelInitializer', 'biasInitializer'] as const;

/** Checks options of a layer function against a habit of other libraries, and for unknown ones. */
export function checkKernelOptions(options: unknown, known: readonly string[]): void {
  const advice = 'an activation is a layer of its own, such as relu()';
  const given = checkObject('options', options, `an options object (${advice})`);
  if (given.activation !== undefined)
    fail('options.activation', `nothing (${advice})`, given.activation);
  checkOptions('options', options, ['name', ...KERNEL_FIELDS, ...known]);
}

/** Checks the fields of `KernelOptions`; `nameOf` as of `LayerKind.check`. */
export function checkKernel(
  { useBias = true, kernelInitializer = 'heUniform', biasInitializer }: Readonly<KernelOptions>,
  nameOf: (field: string) => string,
): void {
  if (typeof useBias !== 'boolean') fail(nameOf('useBias'), 'true or false', useBias);
  checkInitializer(nameOf('kernelInitializer'), kernelInitializer);
  if (biasInitializer === undefined) return;
  const argument = nameOf('biasInitializer');
  checkInitializer(argument, biasInitializer);
  if (!useBias) fail(argument, 'nothing, since useBias is false', biasInitializer);
  if (asObject(biasInitializer).kind === 'orthogonal')
    fail(argument, 'an initializer of vectors', 'orthogonal');
}

/**
 * Returns the parameters of a layer: `weight` of the given shape and fans, and `bias`, one for each
 * of `outputs`, unless the layer has none.
 */
export function kernelParameters(
  { useBias = true, kernelInitializer = 'heUniform', biasInitializer }: Readonly<KernelOptions>,
  weight: InitializedArray,
  outputs: number,
): ArrayPlan[] {
  const initialise = initializerFor(kernelInitializer, weight);
  const parameters: ArrayPlan[] = [{ name: 'weight', shape: weight.shape, initialise }];
  if (!useBias) return parameters;
  const bias = { name: 'bias', shape: [outputs] };
  // The fans of a vector are its length, as in Keras.
  const array = { fanIn: outputs, fanOut: outputs, shape: bias.shape };
  const draw = biasInitializer && { initialise: initializerFor(biasInitializer, array) };
  parameters.push({ ...bias, ...draw });
  return parameters;
}
