/** Gated recurrent unit (Cho et al. 2014). */
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
 * The description of a gated recurrent unit: r = σ(Wr·x + Ur·h + br); z = σ(Wz·x + Uz·h + bz);
 * n = tanh(Wn·x + bn + r·(Un·h + cn)); h ← (1 - z)·n + z·h.
 */
export interface GruLayer extends Readonly<GruOptions> {
  readonly kind: 'gru';
  /** Size of the hidden state, an integer in [1, 2^24]. */
  readonly units: number;
}

/** Options of `gru`. */
export interface GruOptions extends GatedOptions {
  /**
   * Whether the reset gate multiplies after the recurrent product, r·(Un·h + cn), as in PyTorch,
   * cuDNN and Keras, which takes one product per step; otherwise before it, Un·(r·h), as in
   * TensorFlow.js and the original paper.
   * @default true
   */
  resetAfter?: boolean;
}

/**
 * Describes a gated recurrent unit over sequences: [steps, features] → [units], or [steps, units]
 * with `returnSequences`.
 *
 * Parameters, with gates in the order r z n: `inputWeight` [3·units, features] and
 * `recurrentWeight` [3·units, units], uniform in ±1/√units; `bias` [3·units], zero; with
 * `resetAfter` also `recurrentBias` [3·units], zero, which is added to the recurrent product. These
 * are PyTorch's four arrays.
 *
 * The state of a sample is h, [units].
 *
 * @param units size of the hidden state, an integer in [1, 2^24]
 * @throws ArgumentError for options out of range
 * @example sequential([gru(32, { returnSequences: true }), gru(32), dense(4)])
 */
export function gru(units: number, options?: GruOptions): GruLayer;
export function gru(units: number, options: GruOptions = {}, ...extra: unknown[]): GruLayer {
  checkNoMore('gru(units, options)', extra, 'its steps are those of the layer before');
  checkOptions('options', options, [...FIELDS, 'name']);
  return checked(kind, { kind: 'gru', units, ...options });
}

const FIELDS = [...GATED_OPTIONS, 'resetAfter'];

const kind: LayerKind<GruLayer> = {
  kind: 'gru',
  prefix: 'gru',
  fields: ['units', ...FIELDS],
  merges: true,
  family: 'recurrent',
  check(layer, nameOf) {
    checkGated(layer, nameOf);
    const { resetAfter = true } = layer;
    checkBoolean(nameOf('resetAfter'), resetAfter);
  },
  plan(layer, _input, path, { inputs }) {
    const frame = frameOf(layer, 3, 1, inputs, path);
    const { resetAfter = true } = layer;
    const hard = hardOf(layer);
    const parameters = parametersOf(layer, frame);
    if (resetAfter && frame.useBias)
      parameters.push({ name: 'recurrentBias', shape: [frame.width] });
    return {
      ...PLAIN,
      output: frame.output,
      parameters,
      backwardReads: { input: true, output: false },
      inputValues: inputValuesOf(frame),
      keptFloats: (batchSize, training) =>
        blockBytes(keptSizes(frame, resetAfter, batchSize, training)) / 4,
      scratchBytes: (batchSize) =>
        blockBytes(scratchSizes(frame, resetAfter, batchSize)) +
        productScratchBytes(frame, batchSize),
      forward: (arrays, pass) => (resetAfter ? forward : forwardBefore)(frame, hard, arrays, pass),
      backward: (arrays, pass) =>
        (resetAfter ? backward : backwardBefore)(frame, hard, arrays, pass),
    };
  },
};

/**
 * Gates of all steps; for backward the hidden states before all steps, and the recurrent products
 * of all steps or, if the reset gate multiplies before, the reset states.
 */
function keptSizes(
  { steps, width, units }: Frame,
  resetAfter: boolean,
  count: number,
  training: boolean,
): number[] {
  const rows = count * steps;
  if (!training) return [rows * width];
  return [rows * width, rows * units, rows * (resetAfter ? width : units)];
}

/**
 * A product of one step; two states, or their gradients; the transposed recurrent weights. If the
 * reset gate multiplies before: the reset states and the gradients of two gates of all steps too.
 */
function scratchSizes(
  { steps, width, units }: Frame,
  resetAfter: boolean,
  count: number,
): number[] {
  const state = count * units;
  const sizes = [count * width, state, state, width * units];
  return resetAfter ? [...sizes, 0] : [...sizes, state, 2 * state * steps, 0];
}

function forward(frame: Frame, hard: number, arrays: LayerArrays, pass: Pass): void {
  const { kernels, count } = pass;
  const { steps, width, units, sequences, outputFloats } = frame;
  const { x, y, dy, inputs, weights } = arrays;
  // A network that computes no gradients has no room for what backward reads.
  const keeps = dy !== 0;
  const [gates, before, sums] = blocksFrom(arrays.kept, keptSizes(frame, true, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, true, count));
  const [product, hidden, , recurrent, own] = scratch;
  const lengths = lengthsOf(frame, inputs);
  projectInputs(frame, gates, x, weights, kernels, count, own);
  if (steps > 1) kernels.transpose(recurrent, weights[1], width, units);
  readState(frame, hidden, 0, inputs, kernels, count);
  for (let order = 0; order < steps; order++) {
    const step = stepAt(frame, order);
    if (steps > 1) kernels.gemmNN(product, hidden, recurrent, count, width, units, own);
    else kernels.gemmNT(product, hidden, weights[1], count, width, units, own);
    if (frame.useBias) kernels.biasAdd(product, weights[3], count, width);
    kernels.gruStep(
      gates + 4 * step * width,
      keeps ? sums + 4 * step * width : 0,
      steps * width,
      product,
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
}

function backward(frame: Frame, hard: number, arrays: LayerArrays, pass: Pass): void {
  const { kernels, count } = pass;
  const { steps, width, units, sequences, outputFloats } = frame;
  const { dy, inputs, inputGradients, weights, gradients } = arrays;
  const [gates, before, sums] = blocksFrom(arrays.kept, keptSizes(frame, true, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, true, count));
  const [product, dhidden, carry, , own] = scratch;
  const state = count * units;
  const rows = count * steps;
  const needsState = needsStateGradient(frame, inputGradients);
  readStateGradient(frame, dhidden, 0, dy, kernels, count);
  kernels.fill(carry, 0, state);
  for (let order = steps - 1; order >= 0; order--) {
    const step = stepAt(frame, order);
    kernels.gruStepGrad(
      gates + 4 * step * width,
      sums + 4 * step * width,
      steps * width,
      product,
      before + 4 * step * units,
      steps * units,
      dhidden,
      carry,
      sequences ? dy + 4 * step * units : 0,
      outputFloats,
      lengthsOf(frame, inputs),
      step,
      count,
      units,
      hard,
    );
    if (order > 0 || needsState)
      kernels.gemmNN(dhidden, product, weights[1], count, units, width, own);
  }
  endBackward(frame, arrays, dhidden, carry, kernels, count);
  if (gradients[1]) kernels.gemmTN(gradients[1], sums, before, width, units, rows, own);
  if (gradients[3]) kernels.biasGrad(gradients[3], sums, rows, width);
  projectGradients(frame, gates, arrays, kernels, count, own);
}

/** Writes the gradients of the initial state and the lengths, where they are needed. */
function endBackward(
  frame: Frame,
  { inputGradients }: LayerArrays,
  dhidden: number,
  carry: number,
  kernels: Pass['kernels'],
  count: number,
): void {
  if (needsStateGradient(frame, inputGradients)) {
    kernels.add(dhidden, dhidden, carry, count * frame.units);
    writeStateGradient(frame, dhidden, 0, inputGradients, kernels, count);
  }
  clearLengthsGradient(frame, inputGradients, kernels, count);
}

/** forward where the reset gate multiplies before the product. */
function forwardBefore(frame: Frame, hard: number, arrays: LayerArrays, pass: Pass): void {
  const { kernels, count } = pass;
  const { steps, width, units, sequences, outputFloats } = frame;
  const { x, y, dy, inputs, weights } = arrays;
  const keeps = dy !== 0;
  const [gates, before, resets] = blocksFrom(arrays.kept, keptSizes(frame, false, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, false, count));
  const [product, hidden, , recurrent, reset, , own] = scratch;
  // The rows of r and z, transposed, and after them those of n.
  const ofGates = recurrent;
  const ofCandidate = recurrent + 8 * units * units;
  const candidateWeight = weights[1] + 8 * units * units;
  projectInputs(frame, gates, x, weights, kernels, count, own);
  kernels.transpose(ofGates, weights[1], 2 * units, units);
  kernels.transpose(ofCandidate, candidateWeight, units, units);
  readState(frame, hidden, 0, inputs, kernels, count);
  for (let order = 0; order < steps; order++) {
    const step = stepAt(frame, order);
    const at = gates + 4 * step * width;
    kernels.gemmNN(product, hidden, ofGates, count, 2 * units, units, own);
    kernels.gruGates(
      at,
      steps * width,
      product,
      hidden,
      reset,
      keeps ? before + 4 * step * units : 0,
      keeps ? resets + 4 * step * units : 0,
      steps * units,
      count,
      units,
      hard,
    );
    kernels.gemmNN(product, reset, ofCandidate, count, units, units, own);
    kernels.gruCandidate(
      at,
      steps * width,
      product,
      hidden,
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

/** backward where the reset gate multiplies before the product. */
function backwardBefore(frame: Frame, hard: number, arrays: LayerArrays, pass: Pass): void {
  const { kernels, count } = pass;
  const { steps, width, units, sequences, outputFloats } = frame;
  const { dy, inputs, inputGradients, weights, gradients } = arrays;
  const [gates, before, resets] = blocksFrom(arrays.kept, keptSizes(frame, false, count, true));
  const scratch = blocksFrom(arrays.scratch, scratchSizes(frame, false, count));
  const [product, dhidden, carry, , dreset, columns, own] = scratch;
  const rows = count * steps;
  const candidateOffset = 8 * units * units;
  const candidateWeight = weights[1] + candidateOffset;
  const lengths = lengthsOf(frame, inputs);
  const needsState = needsStateGradient(frame, inputGradients);
  readStateGradient(frame, dhidden, 0, dy, kernels, count);
  kernels.fill(carry, 0, count * units);
  for (let order = steps - 1; order >= 0; order--) {
    const step = stepAt(frame, order);
    const at = gates + 4 * step * width;
    const beforeAt = before + 4 * step * units;
    kernels.gruCandidateGrad(
      at,
      steps * width,
      product,
      beforeAt,
      steps * units,
      dhidden,
      carry,
      sequences ? dy + 4 * step * units : 0,
      outputFloats,
      lengths,
      step,
      count,
      units,
      hard,
    );
    kernels.gemmNN(dreset, product, candidateWeight, count, units, units, own);
    kernels.gruGatesGrad(
      at,
      steps * width,
      product,
      dreset,
      beforeAt,
      steps * units,
      carry,
      lengths,
      step,
      count,
      units,
      hard,
    );
    if (order > 0 || needsState)
      kernels.gemmNN(dhidden, product, weights[1], count, units, 2 * units, own);
  }
  endBackward(frame, arrays, dhidden, carry, kernels, count);
  if (gradients[1]) {
    const ofCandidate = gradients[1] + candidateOffset;
    kernels.copyColumns(columns, 2 * units, gates, width, 2 * units, rows);
    kernels.gemmTN(gradients[1], columns, before, 2 * units, units, rows, own);
    kernels.copyColumns(columns, units, gates + 8 * units, width, units, rows);
    kernels.gemmTN(ofCandidate, columns, resets, units, units, rows, own);
  }
  projectGradients(frame, gates, arrays, kernels, count, own);
}

export default kind;
