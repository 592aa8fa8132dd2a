/** Multi-head attention (Vaswani et al. 2017). */
import { ATTENTION_RECORD_SIZE, AttentionRecord } from '../../../build/nn-records';
import { ArgumentError } from '../../errors';
import { elementCount } from '../../math/shape';
import {
  alignedBytes,
  attentionScratchBytes,
  floatsBytes,
  gemmScratchBytes,
} from '../../memory-layout/nn-layout';
import {
  checkBoolean,
  checkInteger,
  checkNoMore,
  checkNumber,
  checkOptions,
  describe,
} from '../../validate';
import { checkInitializer, type Initializer, initializerFor } from './initial';
import {
  type ArrayPlan,
  checked,
  type InputValues,
  type LayerArrays,
  type LayerKind,
  MAX_UNITS,
  type Pass,
  PLAIN,
  type Shape,
} from './layer';

/**
 * The description of multi-head attention: y = concat(head₁, head₂, …)·Wₒᵀ + bₒ, with headₕ =
 * softmax(qₕ·kₕᵀ/√keyDim)·vₕ of the projections q = x·W_qᵀ + b_q, k and v, of which each head has
 * `keyDim` columns.
 */
export interface MultiHeadAttentionLayer extends Readonly<MultiHeadAttentionOptions> {
  readonly kind: 'multiHeadAttention';
}

/** Options of `multiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Number of heads, an integer in [1, 2^24]. */
  heads: number;
  /**
   * Floats of a query or key per head, an integer in [1, 2^24].
   * @default the features of the query divided by the heads
   */
  keyDim?: number;
  /** Floats of a value per head, an integer in [1, 2^24]. @default keyDim */
  valueDim?: number;
  /** Whether query i attends to keys 0 to i only. @default false */
  causal?: boolean;
  /** Whether the projections have biases. @default true */
  useBias?: boolean;
  /** Probability that training drops an attention probability, in [0, 1). @default 0 */
  dropout?: number;
  /**
   * Whether the last input is a padding mask: for each key 1, or 0 where it is left out; or, in
   * shape [1], the number of keys from the first on that take part. @default false
   */
  paddingMask?: boolean;
  /** Initial values of the four weights. @default 'glorotUniform' */
  kernelInitializer?: Initializer;
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

const FIELDS = [
  'heads',
  'keyDim',
  'valueDim',
  'causal',
  'useBias',
  'dropout',
  'paddingMask',
  'kernelInitializer',
];

/**
 * Describes multi-head attention over sequences [steps, features]. With one input it is
 * self-attention; in a graph it takes the inputs query, value (and key), in the order of Keras, and
 * a padding mask after them with `paddingMask: true`. The keys are the values unless given.
 * The output has the steps and features of the query. A query to which no key is left gets the
 * output's bias.
 *
 * Parameters: `queryWeight` [heads·keyDim, features], `queryBias` [heads·keyDim]; the same for
 * `key` and `value`; `outputWeight` [features, heads·valueDim], `outputBias` [features]. The rows
 * of the first three belong to the heads in turn. Weights are Glorot uniform and biases zero.
 *
 * @throws ArgumentError for options out of range
 * @example
 * const x = input('x', [64, 32]);
 * const attended = x.apply(layerNorm()).apply(multiHeadAttention({ heads: 4, causal: true }));
 * const sum = apply(add(), [x, attended]);
 */
export function multiHeadAttention(options: MultiHeadAttentionOptions): MultiHeadAttentionLayer;
export function multiHeadAttention(
  options: MultiHeadAttentionOptions,
  ...extra: unknown[]
): MultiHeadAttentionLayer {
  const hint =
    'query, value and key are the inputs of a node: apply(multiHeadAttention(…), [q, v])';
  checkNoMore('multiHeadAttention(options)', extra, hint);
  checkOptions('options', options, [...FIELDS, 'name']);
  return checked(kind, { kind: 'multiHeadAttention', ...options });
}

/** A projection: y = x·Wᵀ + b for every step. */
interface Projection {
  readonly name: string;
  /** Place of its input among those of the layer; -1 for the output, which projects the heads. */
  readonly slot: number;
  readonly steps: number;
  readonly inputs: number;
  readonly units: number;
}

/** An attention planned for the shapes of its inputs. */
interface Attention {
  readonly record: Int32Array;
  readonly heads: number;
  readonly useBias: boolean;
  readonly dropout: number;
  /** Query, key, value and output, as their parameters stand in the layer. */
  readonly projections: readonly Projection[];
  /** Probabilities per sample. */
  readonly perSample: number;
  /** Floats of the padding mask per sample; 0 without one. */
  readonly maskFloats: number;
  /** Place of the mask among the inputs. */
  readonly mask: number;
  /** Floats of all inputs' largest, per sample. */
  readonly largestInput: number;
  /** Bytes of scratch of the attention's own kernels. */
  readonly ownScratch: number;
  /** Place of the layer in the model, which its dropout draws by. */
  readonly index: number;
  /** Addresses in the running pass, which sets them anew and so allocates nothing. */
  readonly places: Places;
}

const [QUERY, KEY, VALUE, OUTPUT] = [0, 1, 2, 3];

const kind: LayerKind<MultiHeadAttentionLayer> = {
  kind: 'multiHeadAttention',
  prefix: 'attention',
  fields: FIELDS,
  merges: true,
  family: 'attention',
  check({ heads, keyDim = 1, valueDim = 1, dropout = 0, ...layer }, nameOf) {
    checkInitializer(nameOf('kernelInitializer'), layer.kernelInitializer ?? 'glorotUniform');
    checkInteger(nameOf('heads'), heads, 1, MAX_UNITS);
    checkInteger(nameOf('keyDim'), keyDim, 1, MAX_UNITS);
    checkInteger(nameOf('valueDim'), valueDim, 1, MAX_UNITS);
    checkNumber(nameOf('dropout'), dropout, '[0, 1)', (value) => value >= 0 && value < 1);
    for (const name of ['causal', 'useBias', 'paddingMask'] as const)
      if (layer[name] !== undefined) checkBoolean(nameOf(name), layer[name]);
  },
  plan(layer, input, path, { index, inputs }) {
    const { kernelInitializer = 'glorotUniform' } = layer;
    const attention = planAttention(layer, inputs, path, index);
    return {
      ...PLAIN,
      output: input,
      parameters: attention.projections.flatMap((each) =>
        parametersOf(each, attention.useBias, kernelInitializer),
      ),
      backwardReads: { input: true, output: false },
      inputValues: inputValuesOf(attention),
      record: attention.record,
      keptFloats: (batchSize, training) =>
        placesOf(attention, 0, batchSize, training, training).end / 4,
      scratchBytes: (batchSize, threads) => scratchBytes(attention, batchSize, threads),
      forward: (arrays, pass) => forward(attention, arrays, pass),
      backward: (arrays, pass) => backward(attention, arrays, pass),
    };
  },
};

function planAttention(
  layer: MultiHeadAttentionLayer,
  inputs: readonly Shape[],
  path: string,
  index: number,
): Attention {
  const { heads, useBias = true, dropout = 0, causal = false } = layer;
  const mask = checkInputs(layer, inputs, path);
  const keyDim = layer.keyDim ?? inputs[0][1] / heads;
  const valueDim = layer.valueDim ?? keyDim;
  if (heads * Math.max(keyDim, valueDim) > MAX_UNITS)
    throw new ArgumentError(path, 'heads of at most 2^24 floats together', `${heads} heads`);
  const value = Math.min(1, mask - 1);
  const project = (name: string, slot: number, dim: number): Projection => {
    const [steps, features] = inputs[slot];
    return { name, slot, steps, inputs: features, units: heads * dim };
  };
  const query = project('query', 0, keyDim);
  const key = project('key', mask === 3 ? 2 : value, keyDim);
  const { steps: queries, inputs: units } = query;
  const output = { name: 'output', slot: -1, steps: queries, inputs: heads * valueDim, units };
  const keys = key.steps;
  const maskFloats = layer.paddingMask ? inputs[mask][0] : 0;
  const record = new Int32Array(ATTENTION_RECORD_SIZE / 4);
  const sizes = { heads, queries, keys, keyDim, valueDim, causal: causal ? 1 : 0, maskFloats };
  Object.assign(new AttentionRecord({ i32: record }), sizes);
  return {
    record,
    heads,
    useBias,
    dropout,
    projections: [query, key, project('value', value, valueDim), output],
    perSample: heads * queries * keys,
    maskFloats,
    mask,
    largestInput: Math.max(...inputs.map(elementCount)),
    ownScratch: attentionScratchBytes(queries, keys, keyDim, valueDim),
    index,
    places: new Places(),
  };
}

/** Addresses of what forward keeps, and their end. `dropped` is p without dropout. */
class Places {
  q = 0;
  k = 0;
  v = 0;
  attended = 0;
  p = 0;
  dropped = 0;
  end = 0;
}

/**
 * Sets `places` to the addresses of what forward keeps, from `kept` on, and returns it. Without a
 * backward pass all samples use the same room for probabilities.
 */
function placesOf(
  { projections, perSample, dropout, places }: Attention,
  kept: number,
  count: number,
  hasBackward: boolean,
  training: boolean,
): Places {
  const query = projections[QUERY];
  const key = projections[KEY];
  const value = projections[VALUE];
  const drops = hasBackward && training && dropout > 0;
  places.q = kept;
  places.k = places.q + floatsBytes(count * query.steps * query.units);
  places.v = places.k + floatsBytes(count * key.steps * key.units);
  places.attended = places.v + floatsBytes(count * value.steps * value.units);
  places.p = places.attended + floatsBytes(count * query.steps * value.units);
  const end = places.p + floatsBytes((hasBackward ? count : 1) * perSample);
  places.dropped = drops ? end : places.p;
  places.end = drops ? end + floatsBytes(count * perSample) : end;
  return places;
}

/** Bytes of a gradient by an input before it is added to another one. */
const partBytes = ({ largestInput }: Attention, count: number) => floatsBytes(count * largestInput);

function scratchBytes(attention: Attention, batchSize: number, threads: number): number {
  const products = attention.projections.map(({ steps, units, inputs }) => {
    const rows = batchSize * steps;
    return Math.max(
      gemmScratchBytes(rows, units, inputs),
      gemmScratchBytes(units, inputs, rows),
      gemmScratchBytes(rows, inputs, units),
    );
  });
  const shared = Math.max(threads * alignedBytes(Math.max(...products)), attention.ownScratch);
  return Math.ceil((partBytes(attention, batchSize) + shared) / threads);
}

function forward(attention: Attention, arrays: LayerArrays, pass: Pass): void {
  const { projections, perSample, dropout, maskFloats } = attention;
  const { y, dy, inputs, record, kept, scratch } = arrays;
  const { kernels, count, key, step } = pass;
  const { q, k, v, attended, p, dropped } = placesOf(
    attention,
    kept,
    count,
    dy !== 0,
    pass.training,
  );
  const query = projections[QUERY];
  const keys = projections[KEY];
  const value = projections[VALUE];
  project(attention, QUERY, q, inputs[query.slot], arrays, pass);
  project(attention, KEY, k, inputs[keys.slot], arrays, pass);
  project(attention, VALUE, v, inputs[value.slot], arrays, pass);
  const stepOfP = dy === 0 ? 0 : 4 * perSample;
  const stepOfV = 4 * value.steps * value.units;
  const stepOfResult = 4 * query.steps * value.units;
  const mask = maskFloats && inputs[attention.mask];
  for (let i = 0; i < count; i++) {
    const ofQ = q + 4 * i * query.steps * query.units;
    const ofK = k + 4 * i * keys.steps * keys.units;
    const ofMask = mask && mask + 4 * i * maskFloats;
    const ofP = p + i * stepOfP;
    kernels.attentionScores(ofP, ofQ, ofK, ofMask, record, scratch);
    if (dropped === p)
      kernels.attentionValues(attended + i * stepOfResult, ofP, v + i * stepOfV, record, scratch);
  }
  if (dropped !== p) {
    const n = count * perSample;
    const threshold = Math.floor(dropout * 2 ** 32);
    const scale = 1 / (1 - dropout);
    kernels.dropout(dropped, p, n, threshold, scale, key[0], key[1], attention.index, step);
    for (let i = 0; i < count; i++) {
      const to = attended + i * stepOfResult;
      kernels.attentionValues(to, dropped + i * stepOfP, v + i * stepOfV, record, scratch);
    }
  }
  project(attention, OUTPUT, y, attended, arrays, pass);
}

/** The gradients take the places of what forward has kept. */
function backward(attention: Attention, arrays: LayerArrays, pass: Pass): void {
  const { projections, perSample, maskFloats } = attention;
  const { dy, inputs, inputGradients, weights, kept, record, scratch } = arrays;
  const { kernels, count } = pass;
  const { q, k, v, attended, p, dropped } = placesOf(attention, kept, count, true, pass.training);
  const products = scratch + partBytes(attention, count);
  const query = projections[QUERY];
  const key = projections[KEY];
  const value = projections[VALUE];
  const output = projections[OUTPUT];
  learn(attention, OUTPUT, dy, attended, arrays, pass);
  const weight = weights[weightOf(attention, OUTPUT)];
  const rows = count * output.steps;
  kernels.gemmNN(attended, dy, weight, rows, output.inputs, output.units, products);
  for (let i = 0; i < count; i++) {
    const ofQ = q + 4 * i * query.steps * query.units;
    const ofK = k + 4 * i * key.steps * key.units;
    const ofV = v + 4 * i * value.steps * value.units;
    const d = attended + 4 * i * output.steps * output.inputs;
    const before = p + 4 * i * perSample;
    const after = dropped + 4 * i * perSample;
    // biome-ignore format: results on one line, operands on the next
    kernels.attentionGrad(
      ofQ, ofK, ofV,
      d, before, after, ofQ, ofK, ofV, record, products,
    );
  }
  learn(attention, QUERY, q, inputs[query.slot], arrays, pass);
  learn(attention, KEY, k, inputs[key.slot], arrays, pass);
  learn(attention, VALUE, v, inputs[value.slot], arrays, pass);
  propagate(attention, QUERY, q, false, arrays, pass);
  propagate(attention, KEY, k, key.slot === query.slot, arrays, pass);
  propagate(attention, VALUE, v, value.slot === key.slot, arrays, pass);
  // Which keys take part has no gradient.
  if (maskFloats && inputGradients[attention.mask])
    kernels.fill(inputGradients[attention.mask], 0, count * maskFloats);
}

/** Place of a projection's weight among the parameters; its bias comes after it. */
const weightOf = ({ useBias }: Attention, place: number) => (useBias ? 2 : 1) * place;

/** to = x·Wᵀ + b */
function project(
  attention: Attention,
  place: number,
  to: number,
  x: number,
  { weights, scratch }: LayerArrays,
  { kernels, count }: Pass,
): void {
  const { steps, units, inputs } = attention.projections[place];
  const weight = weightOf(attention, place);
  kernels.gemmNT(to, x, weights[weight], count * steps, units, inputs, scratch);
  if (attention.useBias) kernels.biasAdd(to, weights[weight + 1], count * steps, units);
}

/** Computes the gradients of a projection's parameters from the gradient `d` of its result. */
function learn(
  attention: Attention,
  place: number,
  d: number,
  x: number,
  { gradients, scratch }: LayerArrays,
  { kernels, count }: Pass,
): void {
  const { steps, units, inputs } = attention.projections[place];
  const products = scratch + partBytes(attention, count);
  const weight = weightOf(attention, place);
  const rows = count * steps;
  if (gradients[weight]) kernels.gemmTN(gradients[weight], d, x, units, inputs, rows, products);
  if (attention.useBias && gradients[weight + 1])
    kernels.biasGrad(gradients[weight + 1], d, rows, units);
}

/** Computes the gradient by a projection's input, and adds it to what is there if `adds`. */
function propagate(
  attention: Attention,
  place: number,
  d: number,
  adds: boolean,
  { inputGradients, weights, scratch }: LayerArrays,
  { kernels, count }: Pass,
): void {
  const { slot, steps, units, inputs } = attention.projections[place];
  const dx = inputGradients[slot];
  if (dx === 0) return;
  const to = adds ? scratch : dx;
  const products = scratch + partBytes(attention, count);
  const rows = count * steps;
  kernels.gemmNN(to, d, weights[weightOf(attention, place)], rows, inputs, units, products);
  if (adds) kernels.add(dx, dx, to, rows * inputs);
}

/**
 * Checks the number and shapes of the inputs.
 * @returns the number of inputs besides the mask
 */
function checkInputs(
  { heads, keyDim, paddingMask = false }: MultiHeadAttentionLayer,
  inputs: readonly Shape[],
  path: string,
): number {
  const count = inputs.length - (paddingMask ? 1 : 0);
  if (count < 1 || count > 3) {
    const expected = `one to three inputs (query, value, key)${paddingMask ? ' and a mask' : ''}`;
    throw new ArgumentError(path, expected, `${inputs.length}`);
  }
  const sequences = inputs.slice(0, count);
  const odd = sequences.find((shape) => shape.length !== 2);
  if (odd) throw new ArgumentError(path, 'sequences [steps, features]', describe([...odd]));
  const [[, features]] = sequences;
  if (keyDim === undefined && features % heads !== 0) {
    const expected = `features that ${heads} heads divide, or keyDim`;
    throw new ArgumentError(path, expected, `${features}`);
  }
  const [keys] = sequences[Math.min(1, count - 1)];
  if (count === 3 && sequences[2][0] !== keys) {
    const expected = `a key of as many steps as the value, ${keys}`;
    throw new ArgumentError(path, expected, describe([...sequences[2]]));
  }
  if (!paddingMask) return count;
  const shape = inputs[count];
  if (shape.length !== 1 || (shape[0] !== 1 && shape[0] !== keys)) {
    const expected = `a mask [${keys}], or a number of keys [1], as the last input`;
    throw new ArgumentError(path, expected, describe([...shape]));
  }
  return count;
}

/** Returns what the values of the mask must be, if there is one. */
function inputValuesOf({ mask, maskFloats, projections }: Attention): (InputValues | undefined)[] {
  const { steps } = projections[KEY];
  const values: (InputValues | undefined)[] = [];
  if (maskFloats > 0)
    values[mask] =
      maskFloats === 1
        ? {
            expected: `a number of keys: an integer in [0, ${steps}]`,
            accepts: (value) => Number.isInteger(value) && value >= 0 && value <= steps,
          }
        : { expected: '0 or 1', accepts: (value) => value === 0 || value === 1 };
  return values;
}

function parametersOf(
  { name, units, inputs }: Projection,
  useBias: boolean,
  initializer: Initializer,
): readonly ArrayPlan[] {
  const weight = {
    name: `${name}Weight`,
    shape: [units, inputs],
    initialise: initializerFor(initializer, {
      shape: [units, inputs],
      fanIn: inputs,
      fanOut: units,
    }),
  };
  return useBias ? [weight, { name: `${name}Bias`, shape: [units] }] : [weight];
}

export default kind;
