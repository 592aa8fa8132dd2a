/** Plain recurrent layer (Elman 1990). */
import { checkChoice, checkNoMore, checkOptions } from '../../validate';
import { checked, type LayerKind } from './layer';
import {
  checkRecurrent,
  type Frame,
  frameOf,
  parametersOf,
  RECURRENT_OPTIONS,
  type RecurrentOptions,
} from './recurrent';
import { type Cell, gradientsOfSums, planRecurrent } from './recurrent-pass';

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
    return planRecurrent(frame, rnnCell(frame, rectify), parametersOf(layer, frame));
  },
};

/** The sums become hidden states, so that nothing else is kept. */
function rnnCell({ units, steps, outputFloats }: Frame, rectify: number): Cell {
  return {
    keptFloats: 0,
    secondFloats: 0,
    roomFloats: 0,
    carries: false,
    stateRows: units,
    forward(at, kernels) {
      kernels.rnnStep(
        at.gates,
        steps * units,
        at.product,
        at.hidden,
        rectify,
        at.before,
        steps * units,
        at.y,
        outputFloats,
        at.lengths,
        at.step,
        at.count,
        units,
      );
    },
    backward(at, kernels) {
      kernels.rnnStepGrad(
        at.gates,
        steps * units,
        at.product,
        rectify,
        at.hidden,
        at.carry,
        at.y,
        outputFloats,
        at.lengths,
        at.step,
        at.count,
        units,
      );
    },
    recurrentGradients: gradientsOfSums,
  };
}

export default kind;
