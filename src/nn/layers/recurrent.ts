/** What the descriptions of recurrent layers share: options, shapes, and initial values. */
import { ArgumentError } from '../../errors';
import { elementCount } from '../../math/shape';
import { checkBoolean, checkChoice, checkInteger, describe } from '../../validate';
import { checkInitializer, type Initializer, initializerFor } from './initial';
import type { ArrayPlan, InputValues, LayerSpec, Shape } from './layer';
import { MAX_UNITS } from './layer';

/** Options that all recurrent layers have. */
export interface RecurrentOptions {
  /** Whether the output has all steps, [steps, units], or the last alone. @default false */
  returnSequences?: boolean;
  /**
   * Whether the output holds the final states too. Without `returnSequences` it then consists of
   * them; with it, they follow the steps as further rows.
   * @default false
   */
  returnState?: boolean;
  /**
   * Whether the layer reads the steps from the last to the first. The outputs stay at the steps
   * that they belong to.
   * @default false
   */
  goBackwards?: boolean;
  /** Whether the second input is the states before the first step. @default false */
  initialState?: boolean;
  /**
   * Whether the last input, of shape [1], is the number of steps that each sample has: an integer
   * in [0, steps]. Later steps are padding: they change no state and have no gradient, and their
   * outputs are 0.
   * @default false
   */
  lengths?: boolean;
  /** Whether the layer has biases. @default true */
  useBias?: boolean;
  /** Initial values of the input weights. @default uniform in ±1/√units, as in PyTorch */
  kernelInitializer?: Initializer;
  /** Initial values of the recurrent weights (Keras: orthogonal). @default as the input weights */
  recurrentInitializer?: Initializer;
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

const SWITCHES = [
  'returnSequences',
  'returnState',
  'goBackwards',
  'initialState',
  'lengths',
  'useBias',
] as const satisfies readonly (keyof RecurrentOptions)[];

/** The names of the options, besides `name`. */
export const RECURRENT_OPTIONS = [
  ...SWITCHES,
  'kernelInitializer',
  'recurrentInitializer',
] as const satisfies readonly (keyof RecurrentOptions)[];

/** The description of a layer with such options. */
export interface RecurrentSpec extends LayerSpec, Readonly<RecurrentOptions> {
  readonly units: number;
}

/** Checks the units and the common options of a description. */
export function checkRecurrent(layer: RecurrentSpec, nameOf: (field: string) => string): void {
  checkInteger(nameOf('units'), layer.units, 1, MAX_UNITS);
  for (const option of SWITCHES)
    if (layer[option] !== undefined) checkBoolean(nameOf(option), layer[option]);
  for (const option of ['kernelInitializer', 'recurrentInitializer'] as const)
    if (layer[option] !== undefined) checkInitializer(nameOf(option), layer[option]);
}

/** Options of recurrent layers with gates. */
export interface GatedOptions extends RecurrentOptions {
  /**
   * Function of the gates: the logistic function, or 0.2·x + 0.5 within [0, 1], which is the
   * default of TensorFlow.js.
   * @default 'sigmoid'
   */
  recurrentActivation?: 'sigmoid' | 'hardSigmoid';
}

/** The names of the options of layers with gates. */
export const GATED_OPTIONS = [...RECURRENT_OPTIONS, 'recurrentActivation'] as const;

/** Checks the units and the common options of a layer with gates. */
export function checkGated(
  layer: RecurrentSpec & Readonly<GatedOptions>,
  nameOf: (field: string) => string,
): void {
  checkRecurrent(layer, nameOf);
  const { recurrentActivation = 'sigmoid' } = layer;
  checkChoice(nameOf('recurrentActivation'), recurrentActivation, ['sigmoid', 'hardSigmoid']);
}

/** Returns 1 if the gates are hard, else 0. */
export function hardOf({ recurrentActivation }: Readonly<GatedOptions>): number {
  return recurrentActivation === 'hardSigmoid' ? 1 : 0;
}

/** The sizes of a recurrent layer, all in floats or steps. */
export interface Frame {
  readonly units: number;
  readonly features: number;
  readonly steps: number;
  /** Floats of a row of gates: units times gates. */
  readonly width: number;
  readonly output: Shape;
  /** Floats of the output per sample. */
  readonly outputFloats: number;
  readonly sequences: boolean;
  /** Number of states that the output ends with, of `states`. */
  readonly endStates: number;
  readonly states: number;
  /** Places of the further inputs; 0 for none. */
  readonly stateInput: number;
  readonly lengthsInput: number;
  readonly backwards: boolean;
  readonly useBias: boolean;
}

/**
 * Returns the sizes of a layer.
 * @param gates number of gates
 * @param states number of states: 1, or 2 with a cell
 * @throws ArgumentError naming `path` for inputs that do not fit
 */
export function frameOf(
  layer: RecurrentSpec,
  gates: number,
  states: number,
  inputs: readonly Shape[],
  path: string,
): Frame {
  const { units, returnSequences = false, returnState = false, useBias = true } = layer;
  const { goBackwards = false, initialState = false, lengths = false } = layer;
  const [input] = inputs;
  if (input.length !== 2)
    throw new ArgumentError(path, 'a sequence [steps, features]', describe(input));
  const names = ['the sequence'];
  if (initialState) names.push('the initial state');
  if (lengths) names.push('the lengths');
  if (inputs.length !== names.length) {
    const expected = `${names.length} input${names.length > 1 ? 's' : ''} (${names.join(', ')})`;
    throw new ArgumentError(path, expected, `${inputs.length}`);
  }
  const stateInput = initialState ? 1 : 0;
  const lengthsInput = lengths ? names.length - 1 : 0;
  const checkSize = (place: number, size: number, what: string) => {
    if (place === 0 || (inputs[place].length === 1 && inputs[place][0] === size)) return;
    throw new ArgumentError(path, `${what} of shape [${size}]`, describe(inputs[place]));
  };
  checkSize(stateInput, states * units, 'an initial state');
  checkSize(lengthsInput, 1, 'lengths');
  const [steps, features] = input;
  const endStates = returnState ? states : returnSequences ? 0 : 1;
  const output = returnSequences ? [steps + endStates, units] : [endStates * units];
  return {
    units,
    features,
    steps,
    width: gates * units,
    output,
    outputFloats: elementCount(output),
    sequences: returnSequences,
    endStates,
    states,
    stateInput,
    lengthsInput,
    backwards: goBackwards,
    useBias,
  };
}

/** Returns the parameters of a layer: input weights, recurrent weights, and a bias if any. */
export function parametersOf(
  { kernelInitializer, recurrentInitializer }: RecurrentSpec,
  { width, units, features, useBias }: Frame,
  bias: Partial<ArrayPlan> = {},
): ArrayPlan[] {
  const bound = 1 / Math.sqrt(units);
  const byUnits: Initializer = { kind: 'uniform', min: -bound, max: bound };
  const weight = (name: string, inputs: number, initializer: Initializer = byUnits): ArrayPlan => {
    const shape = [width, inputs];
    const fans = { shape, fanIn: inputs, fanOut: units };
    return { name, shape, initialise: initializerFor(initializer, fans) };
  };
  const weights = [
    weight('inputWeight', features, kernelInitializer),
    weight('recurrentWeight', units, recurrentInitializer),
  ];
  return useBias ? [...weights, { name: 'bias', shape: [width], ...bias }] : weights;
}

/** Returns what the values of the lengths must be, if there are any. */
export function inputValuesOf({ lengthsInput, steps }: Frame): (InputValues | undefined)[] {
  const values: (InputValues | undefined)[] = [];
  if (lengthsInput > 0)
    values[lengthsInput] = {
      expected: `a number of steps: an integer in [0, ${steps}]`,
      accepts: (value) => Number.isInteger(value) && value >= 0 && value <= steps,
    };
  return values;
}
