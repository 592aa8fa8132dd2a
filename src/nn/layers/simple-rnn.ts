/** Plain recurrent layer (Elman 1990). */
import { checkChoice, checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerArrays, type LayerKind, type Pass, PLAIN } from './layer';
import {
  blockBytes,
  blocksFrom,
  checkRecurrent,
  clearLengthsGradient,
  type Frame,
  frameOf,
  inputValuesOf,
  lengthsOf,
  needsStateGradient,
  parametersOf,
  productScratchBytes,
  projectGradients,
  projectInputs,
  RECURRENT_OPTIONS,
  type RecurrentOptions,
  readState,
  readStateGradient,
  stepAt,
  writeState,
  writeStateGradient,
} from './recurrent';

/** The description of a plain recurrent layer: h ← tanh(x·Wᵀ + h·Uᵀ + b). */
export interface SimpleRnnLayer extends Readonly<SimpleRnnOptions> {
  readonly kind: 'simpleRnn';
  /** Size of the hidden state, an integer in [1, 2^24]. */
  readonly units: number;
}

/** Options of `simpleRnn`. */
export interface SimpleRnnOptions extends RecurrentOptions {
  /** Activation of the hidden state. @default 'tanh' */
  activation?: 'tanh' | 'relu';
}

/**
 * Describes a plain recurrent layer over sequences: [steps, features] → [units], or [steps, units]
 * with `returnSequences`.
 *
 * Parameters: `inputWeight` [units, features] and `recurrentWeight` [units, units], uniform in
 * ±1/√units; `bias` [units], zero. PyTorch has two biases; their sum is this one.
 *
 * The state of a sample is h, [units].
 *
 * @param units size of the hidden state, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example sequential([simpleRnn(16), dense(1)])
 */
export function simpleRnn(units: number, options?: SimpleRnnOptions): SimpleRnnLayer;
export function simpleRnn(
  units: number,
  options: SimpleRnnOptions = {},
  ...extra: unknown[]
): SimpleRnnLayer {
  checkNoMore('simpleRnn(units, options)', extra, 'its steps are those of the layer before');
  checkOptions('options', options, [...FIELDS, 'name']);
  return checked(kind, { kind: 'simpleRnn', units, ...options });
}

const FIELDS = [...RECURRENT_OPTIONS, 'activation'];

const kind: LayerKind<SimpleRnnLayer> = {
  kind: 'simpleRnn',
  prefix: 'simpleRnn',
  fields: ['units', ...FIELDS],
  merges: true,
  family: 'recurrent',
  check(layer, nameOf) {
    checkRecurrent(layer, nameOf);
    const { activation = 'tanh' } = layer;
    checkChoice(nameOf('activation'), activation, ['tanh', 'relu']);
  },
  plan(layer, _input, path, { inputs }) {
    const frame = frameOf(layer, 1, 1, inputs, path);
    const rectify = layer.activation === 'relu' ? 1 : 0;
    return {
      ...PLAIN,
      output: frame.output,
      parameters: parametersOf(layer, frame),
      backwardReads: { input: true, output: false },
      inputValues: inputValuesOf(frame),
      keptFloats: (batchSize, training) => blockBytes(keptSizes(frame, batchSize, training)) / 4,
      scratchBytes: (batchSize) =>
        blockBytes(scratchSizes(frame, batchSize)) + productScratchBytes(frame, batchSize),
      forward: (arrays, pass) => forward(frame, rectify, arrays, pass),
      backward: (arrays, pass) => backward(frame, rectify, arrays, pass),
    };
  },
};

/** Sums of all steps, which become hidden states; for backward those before all steps. */
function keptSizes({ steps, units }: Frame, count: number, training: boolean): number[] {
  const floats = count * steps * units;
  return training ? [floats, floats] : [floats];
}

/** A product of one step; two states, or their gradients; the transposed recurrent weights. */
function scratchSizes({ units }: Frame, count: number): number[] {
  const state = count * units;
  return [state, state, state, units * units, 0];
}

function forward(
  frame: Frame,
  rectify: number,
  arrays: LayerArrays,
  { kernels, count }: Pass,
): void {
  const { steps, units, sequences, outputFloats } = frame;
  const { x, y, dy, inputs, weights } = arrays;
  // A network that computes no gradients has no room for what backward reads.
  const keeps = dy !== 0;
  const [sums, before] = blocksFrom(arrays.kept, keptSizes(frame, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, count));
  const [product, hidden, , recurrent, own] = scratch;
  projectInputs(frame, sums, x, weights, kernels, count, own);
  if (steps > 1) kernels.transpose(recurrent, weights[1], units, units);
  readState(frame, hidden, 0, inputs, kernels, count);
  for (let order = 0; order < steps; order++) {
    const step = stepAt(frame, order);
    if (steps > 1) kernels.gemmNN(product, hidden, recurrent, count, units, units, own);
    else kernels.gemmNT(product, hidden, weights[1], count, units, units, own);
    kernels.rnnStep(
      sums + 4 * step * units,
      steps * units,
      product,
      hidden,
      rectify,
      keeps ? before + 4 * step * units : 0,
      steps * units,
      sequences ? y + 4 * step * units : 0,
      outputFloats,
      lengthsOf(frame, inputs),
      step,
      count,
      units,
    );
  }
  writeState(frame, hidden, 0, y, kernels, count);
}

function backward(
  frame: Frame,
  rectify: number,
  arrays: LayerArrays,
  { kernels, count }: Pass,
): void {
  const { steps, units, sequences, outputFloats } = frame;
  const { dy, inputs, inputGradients, weights, gradients } = arrays;
  const [sums, before] = blocksFrom(arrays.kept, keptSizes(frame, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, count));
  const [product, dhidden, room, , own] = scratch;
  const state = count * units;
  const lengths = lengthsOf(frame, inputs);
  const carry = lengths === 0 ? 0 : room;
  const needsState = needsStateGradient(frame, inputGradients);
  readStateGradient(frame, dhidden, 0, dy, kernels, count);
  if (carry) kernels.fill(carry, 0, state);
  for (let order = steps - 1; order >= 0; order--) {
    const step = stepAt(frame, order);
    kernels.rnnStepGrad(
      sums + 4 * step * units,
      steps * units,
      product,
      rectify,
      dhidden,
      carry,
      sequences ? dy + 4 * step * units : 0,
      outputFloats,
      lengths,
      step,
      count,
      units,
    );
    if (order > 0 || needsState)
      kernels.gemmNN(dhidden, product, weights[1], count, units, units, own);
  }
  if (needsState) {
    if (carry) kernels.add(dhidden, dhidden, carry, state);
    writeStateGradient(frame, dhidden, 0, inputGradients, kernels, count);
  }
  clearLengthsGradient(frame, inputGradients, kernels, count);
  if (gradients[1]) kernels.gemmTN(gradients[1], sums, before, units, units, count * steps, own);
  projectGradients(frame, sums, arrays, kernels, count, own);
}

export default kind;
