/** Gated recurrent unit (Cho et al. 2014). */
import { checkBoolean, checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import {
  checkGated,
  type Frame,
  frameOf,
  GATED_OPTIONS,
  type GatedOptions,
  hardOf,
  parametersOf,
} from './recurrent';
import { type Cell, planRecurrent } from './recurrent-pass';

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
    const parameters = parametersOf(layer, frame);
    if (resetAfter && frame.useBias)
      parameters.push({ name: 'recurrentBias', shape: [frame.width] });
    const cell = resetAfter ? cellResetAfter : cellResetBefore;
    return planRecurrent(frame, cell(frame, hardOf(layer)), parameters);
  },
};

/** Keeps the recurrent products of all steps, whose places their gradients take. */
function cellResetAfter({ units, steps, width, outputFloats }: Frame, hard: number): Cell {
  return {
    keptFloats: steps * width,
    secondFloats: 0,
    roomFloats: 0,
    carries: true,
    stateRows: width,
    forward(at, kernels) {
      kernels.gruStep(
        at.gates,
        at.keeps ? at.kept + 4 * at.step * width : 0,
        steps * width,
        at.product,
        at.hidden,
        at.before,
        steps * units,
        at.y,
        outputFloats,
        at.lengths,
        at.step,
        at.count,
        units,
        hard,
      );
    },
    backward(at, kernels) {
      kernels.gruStepGrad(
        at.gates,
        at.kept + 4 * at.step * width,
        steps * width,
        at.product,
        at.before,
        steps * units,
        at.hidden,
        at.carry,
        at.y,
        outputFloats,
        at.lengths,
        at.step,
        at.count,
        units,
        hard,
      );
    },
    recurrentGradients({ kept, count, own }, gradients, _sums, before, kernels) {
      const rows = count * steps;
      if (gradients[1]) kernels.gemmTN(gradients[1], kept, before, width, units, rows, own);
      if (gradients[3]) kernels.biasGrad(gradients[3], kept, rows, width);
    },
  };
}

/**
 * Keeps the reset states of all steps. The second state is the reset one; the room is for the
 * gradients of two gates of all steps.
 */
function cellResetBefore({ units, steps, width, outputFloats }: Frame, hard: number): Cell {
  const gateRows = 2 * units;
  return {
    keptFloats: steps * units,
    secondFloats: units,
    roomFloats: steps * gateRows,
    carries: true,
    stateRows: gateRows,
    forward(at, kernels) {
      kernels.gruGates(
        at.gates,
        steps * width,
        at.product,
        at.hidden,
        at.second,
        at.before,
        at.keeps ? at.kept + 4 * at.step * units : 0,
        steps * units,
        at.count,
        units,
        hard,
      );
      at.multiply(at.second, gateRows, units, kernels);
      kernels.gruCandidate(
        at.gates,
        steps * width,
        at.product,
        at.hidden,
        at.y,
        outputFloats,
        at.lengths,
        at.step,
        at.count,
        units,
      );
    },
    backward(at, kernels) {
      kernels.gruCandidateGrad(
        at.gates,
        steps * width,
        at.product,
        at.before,
        steps * units,
        at.hidden,
        at.carry,
        at.y,
        outputFloats,
        at.lengths,
        at.step,
        at.count,
        units,
        hard,
      );
      at.multiplyBack(at.second, gateRows, units, kernels);
      kernels.gruGatesGrad(
        at.gates,
        steps * width,
        at.product,
        at.second,
        at.before,
        steps * units,
        at.carry,
        at.lengths,
        at.step,
        at.count,
        units,
        hard,
      );
    },
    recurrentGradients({ kept, count, own, room }, gradients, sums, before, kernels) {
      if (!gradients[1]) return;
      const rows = count * steps;
      const ofCandidate = gradients[1] + 4 * gateRows * units;
      kernels.copyColumns(room, gateRows, sums, width, gateRows, rows);
      kernels.gemmTN(gradients[1], room, before, gateRows, units, rows, own);
      kernels.copyColumns(room, units, sums + 4 * gateRows, width, units, rows);
      kernels.gemmTN(ofCandidate, room, kept, units, units, rows, own);
    },
  };
}

export default kind;
