/** Long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000). */
import { checkBoolean, checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerArrays, type LayerKind, type Pass, PLAIN } from './layer';
import {
  blockBytes,
  blocksFrom,
  checkGated,
  clearLengthsGradient,
  type Frame,
  frameOf,
  GATED_OPTIONS,
  type GatedOptions,
  hardOf,
  inputValuesOf,
  lengthsOf,
  needsStateGradient,
  parametersOf,
  productScratchBytes,
  projectGradients,
  projectInputs,
  readState,
  readStateGradient,
  stepAt,
  writeState,
  writeStateGradient,
} from './recurrent';

/**
 * The description of a long short-term memory: (i f g o) = x·Wᵀ + h·Uᵀ + b;
 * c ← σ(f)·c + σ(i)·tanh g; h ← σ(o)·tanh c.
 */
export interface LstmLayer extends Readonly<LstmOptions> {
  readonly kind: 'lstm';
  /** Size of the hidden state and of the cell, an integer in [1, 2^24]. */
  readonly units: number;
}

/** Options of `lstm`. */
export interface LstmOptions extends GatedOptions {
  /**
   * Whether the bias of the forget gate begins with 1, as in Keras, so that the cell remembers from
   * the start; otherwise all biases begin with 0.
   * @default true
   */
  unitForgetBias?: boolean;
}

/**
 * Describes a long short-term memory over sequences: [steps, features] → [units], or
 * [steps, units] with `returnSequences`.
 *
 * Parameters, with gates in the order i f g o: `inputWeight` [4·units, features] and
 * `recurrentWeight` [4·units, units], uniform in ±1/√units; `bias` [4·units], 1 for the forget gate
 * and 0 for the others. PyTorch has two biases; their sum is this one.
 *
 * The state of a sample is h followed by c: [2·units] as an input (`initialState`) and as an output
 * (`returnState`).
 *
 * @param units size of the hidden state, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example sequential([lstm(64, { returnSequences: true }), lstm(64), dense(96)])
 */
export function lstm(units: number, options?: LstmOptions): LstmLayer;
export function lstm(units: number, options: LstmOptions = {}, ...extra: unknown[]): LstmLayer {
  checkNoMore('lstm(units, options)', extra, 'its steps are those of the layer before');
  checkOptions('options', options, [...FIELDS, 'name']);
  return checked(kind, { kind: 'lstm', units, ...options });
}

const FIELDS = [...GATED_OPTIONS, 'unitForgetBias'];

const kind: LayerKind<LstmLayer> = {
  kind: 'lstm',
  prefix: 'lstm',
  fields: ['units', ...FIELDS],
  merges: true,
  family: 'recurrent',
  check(layer, nameOf) {
    checkGated(layer, nameOf);
    const { unitForgetBias = true } = layer;
    checkBoolean(nameOf('unitForgetBias'), unitForgetBias);
  },
  plan(layer, _input, path, { inputs }) {
    const frame = frameOf(layer, 4, 2, inputs, path);
    const { units } = frame;
    const hard = hardOf(layer);
    const { unitForgetBias = true } = layer;
    const forget = (values: Float32Array) => values.fill(1, units, 2 * units);
    return {
      ...PLAIN,
      output: frame.output,
      parameters: parametersOf(layer, frame, unitForgetBias ? { initialise: forget } : {}),
      backwardReads: { input: true, output: false },
      inputValues: inputValuesOf(frame),
      keptFloats: (batchSize, training) => blockBytes(keptSizes(frame, batchSize, training)) / 4,
      scratchBytes: (batchSize) =>
        blockBytes(scratchSizes(frame, batchSize)) + productScratchBytes(frame, batchSize),
      forward: (arrays, pass) => forward(frame, hard, arrays, pass),
      backward: (arrays, pass) => backward(frame, hard, arrays, pass),
    };
  },
};

/** Gates of all steps; for backward the hidden states before all steps, and all cells. */
function keptSizes({ steps, width, units }: Frame, count: number, training: boolean): number[] {
  const rows = count * steps;
  return training ? [rows * width, rows * units, (steps + 1) * count * units] : [rows * width];
}

/** A product of one step; three states, or their gradients; the transposed recurrent weights. */
function scratchSizes({ width, units }: Frame, count: number): number[] {
  const state = count * units;
  return [count * width, state, state, state, width * units, 0];
}

function forward(frame: Frame, hard: number, arrays: LayerArrays, pass: Pass): void {
  const { kernels, count } = pass;
  const { steps, width, units, sequences, outputFloats } = frame;
  const { x, y, dy, inputs, weights } = arrays;
  // A network that computes no gradients has no room for what backward reads.
  const keeps = dy !== 0;
  const [gates, before, cells] = blocksFrom(arrays.kept, keptSizes(frame, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, count));
  const [product, hidden, cell, , recurrent, own] = scratch;
  const cellStep = keeps ? 4 * count * units : 0;
  const first = keeps ? cells : cell;
  const lengths = lengthsOf(frame, inputs);
  projectInputs(frame, gates, x, weights, kernels, count, own);
  if (steps > 1) kernels.transpose(recurrent, weights[1], width, units);
  readState(frame, hidden, 0, inputs, kernels, count);
  readState(frame, first, 1, inputs, kernels, count);
  for (let order = 0; order < steps; order++) {
    const step = stepAt(frame, order);
    if (steps > 1) kernels.gemmNN(product, hidden, recurrent, count, width, units, own);
    else kernels.gemmNT(product, hidden, weights[1], count, width, units, own);
    kernels.lstmStep(
      gates + 4 * step * width,
      steps * width,
      product,
      first + order * cellStep,
      first + (order + 1) * cellStep,
      hidden,
      keeps ? before + 4 * step * units : 0,
      steps * units,
      sequences ? y + 4 * step * units : 0,
      outputFloats,
      lengths,
      step,
      count,
      units,
      hard,
    );
  }
  writeState(frame, hidden, 0, y, kernels, count);
  writeState(frame, first + steps * cellStep, 1, y, kernels, count);
}

function backward(frame: Frame, hard: number, arrays: LayerArrays, pass: Pass): void {
  const { kernels, count } = pass;
  const { steps, width, units, sequences, outputFloats } = frame;
  const { dy, inputs, inputGradients, weights, gradients } = arrays;
  const [gates, before, cells] = blocksFrom(arrays.kept, keptSizes(frame, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, count));
  const [product, dhidden, dcell, room, , own] = scratch;
  const state = count * units;
  const lengths = lengthsOf(frame, inputs);
  const carry = lengths === 0 ? 0 : room;
  const needsState = needsStateGradient(frame, inputGradients);
  readStateGradient(frame, dhidden, 0, dy, kernels, count);
  readStateGradient(frame, dcell, 1, dy, kernels, count);
  if (carry) kernels.fill(carry, 0, state);
  for (let order = steps - 1; order >= 0; order--) {
    const step = stepAt(frame, order);
    const cell = cells + 4 * order * state;
    kernels.lstmStepGrad(
      gates + 4 * step * width,
      steps * width,
      product,
      cell,
      cell + 4 * state,
      dhidden,
      dcell,
      carry,
      sequences ? dy + 4 * step * units : 0,
      outputFloats,
      lengths,
      step,
      count,
      units,
      hard,
    );
    if (order > 0 || needsState)
      kernels.gemmNN(dhidden, product, weights[1], count, units, width, own);
  }
  if (needsState) {
    if (carry) kernels.add(dhidden, dhidden, carry, state);
    writeStateGradient(frame, dhidden, 0, inputGradients, kernels, count);
    writeStateGradient(frame, dcell, 1, inputGradients, kernels, count);
  }
  clearLengthsGradient(frame, inputGradients, kernels, count);
  if (gradients[1]) kernels.gemmTN(gradients[1], gates, before, width, units, count * steps, own);
  projectGradients(frame, gates, arrays, kernels, count, own);
}

export default kind;
