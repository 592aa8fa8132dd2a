/** A recurrent layer in both directions (Schuster and Paliwal 1997). */
import { ArgumentError } from '../../errors';
import { elementCount } from '../../math/shape';
import { floatsBytes } from '../../memory-layout/nn-layout';
import type { NNKernels } from '../../runtime/kernels-nn';
import { checkChoice, checkNoMore, checkOptions, describe, fail } from '../../validate';
import gru, { type GruLayer } from './gru';
import {
  checked,
  type LayerArrays,
  type LayerKind,
  type LayerSpec,
  PLAIN,
  type PlannedLayer,
  positionsOf,
  type Shape,
} from './layer';
import lstm, { type LstmLayer } from './lstm';
import type { RecurrentSpec } from './recurrent';
import simpleRnn, { type SimpleRnnLayer } from './simple-rnn';

/** The description of a recurrent layer that reads its sequences in both directions. */
export interface BidirectionalLayer extends Readonly<BidirectionalOptions> {
  readonly kind: 'bidirectional';
  readonly layer: LstmLayer | GruLayer | SimpleRnnLayer;
}

/** Options of `bidirectional`. */
export interface BidirectionalOptions {
  /**
   * How the outputs of the directions become one: side by side along the last axis, the forward one
   * first; or their sum, mean or product by elements.
   * @default 'concat'
   */
  merge?: 'concat' | 'sum' | 'average' | 'multiply';
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * Describes a recurrent layer in both directions: `layer` reads the steps forwards, and a second
 * layer like it, with weights of its own, backwards. With `returnSequences` the outputs of a step
 * are merged; without it, the output of the last step and that of the first, where the second layer
 * ends. The layer must not set `goBackwards`.
 *
 * With `initialState` in the layer, the second input holds the states of the forward layer and then
 * those of the backward one, as in Keras: [4·units] for an `lstm` (h, c, h, c), [2·units] for
 * others. With `returnState`, which takes `merge: 'concat'`, the output ends with the final states:
 * without `returnSequences` it is such a vector; with it, each further row holds a state of both
 * directions, forward first.
 *
 * Parameters: those of the two layers, as `forward.inputWeight`, … and `backward.inputWeight`, ….
 *
 * @param layer an `lstm`, `gru` or `simpleRnn`
 * @throws ArgumentError for other layers and options out of range
 * @example sequential([embedding(96, 16), bidirectional(gru(32)), dense(2)])
 */
export function bidirectional(
  layer: BidirectionalLayer['layer'],
  options?: BidirectionalOptions,
): BidirectionalLayer;
export function bidirectional(
  layer: BidirectionalLayer['layer'],
  options: BidirectionalOptions = {},
  ...extra: unknown[]
): BidirectionalLayer {
  checkNoMore('bidirectional(layer, options)', extra, 'the size is that of the layer in it');
  checkOptions('options', options, ['merge', 'name']);
  return checked(kind, { kind: 'bidirectional', layer, ...options });
}

/** The kinds that may stand within. */
const KINDS = { gru, lstm, simpleRnn } as const;

const kindOf = (layer: LayerSpec) =>
  KINDS[layer.kind as keyof typeof KINDS] as unknown as LayerKind<LayerSpec>;

const kind: LayerKind<BidirectionalLayer> = {
  kind: 'bidirectional',
  prefix: 'bidirectional',
  fields: ['layer', 'merge'],
  merges: true,
  family: 'recurrent',
  check({ layer, merge = 'concat' }, nameOf) {
    const path = nameOf('layer');
    if (!Object.hasOwn(KINDS, (layer as LayerSpec | undefined)?.kind ?? ''))
      fail(path, `a recurrent layer (${Object.keys(KINDS).join(', ')})`, layer);
    checkOptions(path, layer, ['kind', 'name', ...kindOf(layer).fields]);
    kindOf(layer).check(layer, (field) => `${path}.${field}`);
    if (layer.goBackwards) fail(`${path}.goBackwards`, 'false in both directions', true);
    checkChoice(nameOf('merge'), merge, ['concat', 'sum', 'average', 'multiply']);
    // Merged otherwise, the states would be no states.
    if (layer.returnState && merge !== 'concat')
      fail(`${path}.returnState`, "false unless merge is 'concat'", true);
  },
  plan({ layer, merge = 'concat' }, input, path, context) {
    const stateFloats = (layer.kind === 'lstm' ? 2 : 1) * layer.units;
    const inputs = inputsOfEach(layer, stateFloats, context.inputs, path);
    const plan = (goBackwards: boolean) => {
      const directed: RecurrentSpec = { ...layer, goBackwards };
      return kindOf(layer).plan(directed, input, path, { ...context, inputs });
    };
    const floats = layer.initialState ? stateFloats : 0;
    return new Both([plan(false), plan(true)], merge, elementCount(input), floats).plan();
  },
};

/** Returns the shapes of the inputs of each direction, which has half of the initial states. */
function inputsOfEach(
  { initialState }: BidirectionalLayer['layer'],
  stateFloats: number,
  inputs: readonly Shape[],
  path: string,
): readonly Shape[] {
  if (!initialState || inputs.length < 2) return inputs;
  const [sequence, states, ...others] = inputs;
  if (states.length !== 1 || states[0] !== 2 * stateFloats)
    throw new ArgumentError(path, `initial states of shape [${2 * stateFloats}]`, describe(states));
  return [sequence, [stateFloats], ...others];
}

/** The arrays of a direction. Each pass sets all of them, and so allocates none. */
class Direction implements LayerArrays {
  x = 0;
  y = 0;
  dx = 0;
  dy = 0;
  readonly inputs: number[] = [];
  readonly inputGradients: number[] = [];
  readonly weights: number[] = [];
  readonly gradients: number[] = [];
  readonly statistics = [];
  readonly nextStatistics = [];
  kept = 0;
  readonly record = 0;
  scratch = 0;
  /** Initial states of the direction, or the gradient by them. */
  states = 0;
  readonly layer: PlannedLayer;

  constructor(layer: PlannedLayer) {
    this.layer = layer;
  }
}

/** The two planned layers and how they share the arrays of a pass. */
class Both {
  readonly #forwards: Direction;
  readonly #backwards: Direction;
  readonly #merge: NonNullable<BidirectionalOptions['merge']>;
  /** Floats per sample of the input, of the initial states, and of the output of one direction. */
  readonly #inputFloats: number;
  readonly #stateFloats: number;
  readonly #floats: number;

  constructor(
    [forwards, backwards]: readonly [PlannedLayer, PlannedLayer],
    merge: NonNullable<BidirectionalOptions['merge']>,
    inputFloats: number,
    stateFloats: number,
  ) {
    this.#forwards = new Direction(forwards);
    this.#backwards = new Direction(backwards);
    this.#merge = merge;
    this.#inputFloats = inputFloats;
    this.#stateFloats = stateFloats;
    this.#floats = elementCount(forwards.output);
  }

  plan(): PlannedLayer {
    const [a, b] = [this.#forwards, this.#backwards];
    const { output, inputValues = [], parameters } = a.layer;
    const width = output[output.length - 1];
    const prefixed = (direction: string) =>
      parameters.map((each) => ({ ...each, name: `${direction}.${each.name}` }));
    const rowsPerSample = positionsOf(output);
    return {
      ...PLAIN,
      output: this.#merge === 'concat' ? [...output.slice(0, -1), 2 * width] : output,
      parameters: [...prefixed('forward'), ...prefixed('backward')],
      backwardReads: { input: true, output: false },
      inputValues,
      keptFloats: (batchSize, training) => {
        const inner = floatsBytes(a.layer.keptFloats(batchSize, training));
        return (2 * floatsBytes(batchSize * this.#floats) + 2 * inner) / 4;
      },
      scratchBytes: (batchSize, threads) =>
        this.#roomBytes(batchSize) + a.layer.scratchBytes(batchSize, threads),
      forward: (arrays, pass) => {
        const { kernels, count } = pass;
        this.#begin(arrays, count);
        this.#splitStates(arrays, kernels, count);
        a.layer.forward(a, pass);
        b.layer.forward(b, pass);
        this.#mergeOutputs(kernels, arrays.y, count * rowsPerSample, width);
      },
      backward: (arrays, pass) => {
        const { kernels, count } = pass;
        const { dx } = arrays;
        this.#begin(arrays, count);
        this.#splitGradient(kernels, arrays, count * rowsPerSample, width);
        a.layer.backward(a, pass);
        b.dx = dx === 0 ? 0 : arrays.scratch;
        b.inputGradients[0] = b.dx;
        b.layer.backward(b, pass);
        if (dx !== 0) kernels.add(dx, dx, b.dx, count * this.#inputFloats);
        this.#joinStateGradients(arrays, kernels, count);
      },
    };
  }

  /** Bytes of a gradient by the output of a direction, then of one by the input. */
  #gradientBytes(count: number): number {
    return floatsBytes(count * Math.max(this.#floats, this.#inputFloats));
  }

  /** Bytes of scratch: that of gradients, and two directions' initial states. */
  #roomBytes(count: number): number {
    return this.#gradientBytes(count) + 2 * floatsBytes(count * this.#stateFloats);
  }

  /** Sets the arrays of both directions, except gradients by outputs. */
  #begin(arrays: LayerArrays, count: number): void {
    const outputBytes = floatsBytes(count * this.#floats);
    const { layer } = this.#forwards;
    const keptBytes = floatsBytes(layer.keptFloats(count, arrays.dy !== 0));
    const states = arrays.scratch + this.#gradientBytes(count);
    for (let index = 0; index < 2; index++) {
      const each = index === 0 ? this.#forwards : this.#backwards;
      each.x = arrays.x;
      each.y = arrays.kept + index * outputBytes;
      each.dx = arrays.dx;
      each.dy = arrays.dy;
      each.kept = arrays.kept + 2 * outputBytes + index * keptBytes;
      each.scratch = arrays.scratch + this.#roomBytes(count);
      each.states = states + index * floatsBytes(count * this.#stateFloats);
      for (let i = 0; i < arrays.inputs.length; i++) {
        each.inputs[i] = arrays.inputs[i];
        // The gradient by lengths is zeroed once.
        each.inputGradients[i] = index === 0 || i === 0 ? (arrays.inputGradients[i] ?? 0) : 0;
      }
      if (this.#stateFloats > 0) {
        each.inputs[1] = each.states;
        each.inputGradients[1] = arrays.inputGradients[1] ? each.states : 0;
      }
      const half = layer.parameters.length;
      for (let i = 0; i < half; i++) {
        each.weights[i] = arrays.weights[index * half + i];
        each.gradients[i] = arrays.gradients[index * half + i] ?? 0;
      }
    }
  }

  /** Copies the initial states of each direction. */
  #splitStates({ inputs }: LayerArrays, kernels: NNKernels, count: number): void {
    const n = this.#stateFloats;
    if (n === 0) return;
    kernels.copyColumns(this.#forwards.states, n, inputs[1], 2 * n, n, count);
    kernels.copyColumns(this.#backwards.states, n, inputs[1] + 4 * n, 2 * n, n, count);
  }

  #joinStateGradients({ inputGradients }: LayerArrays, kernels: NNKernels, count: number): void {
    const n = this.#stateFloats;
    if (n === 0 || !inputGradients[1]) return;
    kernels.copyColumns(inputGradients[1], 2 * n, this.#forwards.states, n, n, count);
    kernels.copyColumns(inputGradients[1] + 4 * n, 2 * n, this.#backwards.states, n, n, count);
  }

  #mergeOutputs(kernels: NNKernels, y: number, rows: number, width: number): void {
    const [a, b] = [this.#forwards.y, this.#backwards.y];
    const n = rows * width;
    if (this.#merge === 'concat') {
      kernels.copyColumns(y, 2 * width, a, width, width, rows);
      kernels.copyColumns(y + 4 * width, 2 * width, b, width, width, rows);
    } else if (this.#merge === 'multiply') {
      kernels.multiply(y, a, b, n);
    } else {
      kernels.add(y, a, b, n);
      if (this.#merge === 'average') kernels.scale(y, y, 0.5, n);
    }
  }

  /** Sets the gradients by the directions' outputs, in the places of the outputs where possible. */
  #splitGradient(
    kernels: NNKernels,
    { dy, scratch: room }: LayerArrays,
    rows: number,
    width: number,
  ): void {
    const [a, b] = [this.#forwards, this.#backwards];
    const n = rows * width;
    switch (this.#merge) {
      case 'concat':
        a.dy = a.y;
        b.dy = b.y;
        kernels.copyColumns(a.dy, width, dy, 2 * width, width, rows);
        kernels.copyColumns(b.dy, width, dy + 4 * width, 2 * width, width, rows);
        break;
      case 'multiply':
        a.dy = room;
        b.dy = a.y;
        kernels.multiply(a.dy, dy, b.y, n);
        kernels.multiply(b.dy, dy, a.y, n);
        break;
      case 'average':
        a.dy = a.y;
        b.dy = a.y;
        kernels.scale(a.dy, dy, 0.5, n);
        break;
      default:
        a.dy = dy;
        b.dy = dy;
    }
  }
}

export default kind;
