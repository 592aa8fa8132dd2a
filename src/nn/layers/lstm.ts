/** Long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000). */
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
import { type Cell, gradientsOfSums, planRecurrent } from './recurrent-pass';

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
    const { unitForgetBias = true } = layer;
    const forget = (values: Float32Array) => values.fill(1, units, 2 * units);
    const parameters = parametersOf(layer, frame, unitForgetBias ? { initialise: forget } : {});
    return planRecurrent(frame, lstmCell(frame, hardOf(layer)), parameters);
  },
};

/** Keeps all cells; the second state is the cell. */
function lstmCell({ units, steps, width, outputFloats }: Frame, hard: number): Cell {
  return {
    keptFloats: (steps + 1) * units,
    secondFloats: units,
    roomFloats: 0,
    carries: false,
    stateRows: width,
    forward(at, kernels) {
      kernels.lstmStep(
        at.gates,
        steps * width,
        at.product,
        at.secondBefore(at.order),
        at.secondBefore(at.order + 1),
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
      kernels.lstmStepGrad(
        at.gates,
        steps * width,
        at.product,
        at.secondBefore(at.order),
        at.secondBefore(at.order + 1),
        at.hidden,
        at.second,
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
    recurrentGradients: gradientsOfSums,
  };
}

export default kind;
