/** A recurrent layer in both directions (Schuster and Paliwal 1997). */
import { elementCount } from '../../math/shape';
import { floatsBytes } from '../../memory-layout/nn-layout';
import type { NNKernels } from '../../runtime/kernels-nn';
import { checkChoice, checkNoMore, checkOptions, fail } from '../../validate';
import gru, { type GruLayer } from './gru';
import {
  checked,
  type LayerArrays,
  type LayerKind,
  type LayerSpec,
  PLAIN,
  type PlannedLayer,
  positionsOf,
} from './layer';
import lstm, { type LstmLayer } from './lstm';
import { blocksFrom, type RecurrentSpec } from './recurrent';
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
 * ends. The layer may take lengths; it must not set `goBackwards`, `initialState` or `returnState`:
 * for states in both directions apply two layers, one of them with `goBackwards`, and `concat`.
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
    for (const option of ['goBackwards', 'initialState', 'returnState'] as const)
      if (layer[option]) fail(`${path}.${option}`, 'false in both directions', layer[option]);
    checkChoice(nameOf('merge'), merge, ['concat', 'sum', 'average', 'multiply']);
  },
  plan({ layer, merge = 'concat' }, input, path, context) {
    const plan = (goBackwards: boolean) => {
      const directed: RecurrentSpec = { ...layer, goBackwards };
      return kindOf(layer).plan(directed, input, path, context);
    };
    return new Both(plan(false), plan(true), merge, elementCount(input)).plan();
  },
};

/** The two planned layers and how they share the arrays of a pass. */
class Both {
  readonly #layers: readonly [PlannedLayer, PlannedLayer];
  readonly #merge: NonNullable<BidirectionalOptions['merge']>;
  /** Floats per sample of the input, and of the output of one direction. */
  readonly #inputFloats: number;
  readonly #floats: number;

  constructor(
    forwards: PlannedLayer,
    backwards: PlannedLayer,
    merge: NonNullable<BidirectionalOptions['merge']>,
    inputFloats: number,
  ) {
    this.#layers = [forwards, backwards];
    this.#merge = merge;
    this.#inputFloats = inputFloats;
    this.#floats = elementCount(forwards.output);
  }

  plan(): PlannedLayer {
    const [forwards, backwards] = this.#layers;
    const { output } = forwards;
    const width = output[output.length - 1];
    const prefixed = (direction: string, { parameters }: PlannedLayer) =>
      parameters.map((each) => ({ ...each, name: `${direction}.${each.name}` }));
    const rowsOf = (count: number) => count * positionsOf(output);
    return {
      ...PLAIN,
      output: this.#merge === 'concat' ? [...output.slice(0, -1), 2 * width] : output,
      parameters: [...prefixed('forward', forwards), ...prefixed('backward', backwards)],
      backwardReads: { input: true, output: false },
      inputValues: forwards.inputValues ?? [],
      keptFloats: (batchSize, training) => {
        const [outputs, inner] = this.#keptSizes(batchSize, training);
        return (2 * floatsBytes(outputs) + 2 * floatsBytes(inner)) / 4;
      },
      scratchBytes: (batchSize, threads) =>
        floatsBytes(this.#roomFloats(batchSize)) + forwards.scratchBytes(batchSize, threads),
      forward: (arrays, pass) => {
        const { kernels, count } = pass;
        const [a, b] = this.#outputs(arrays, count);
        for (let index = 0; index < 2; index++) {
          const y = index === 0 ? a : b;
          this.#layers[index].forward(this.#arraysOf(index, arrays, count, y, arrays.dy, 0), pass);
        }
        this.#mergeOutputs(kernels, arrays.y, a, b, rowsOf(count), width);
      },
      backward: (arrays, pass) => {
        const { kernels, count } = pass;
        const room = arrays.scratch;
        const { dx } = arrays;
        const [a, b] = this.#splitGradient(kernels, arrays, count, rowsOf(count), width);
        forwards.backward(this.#arraysOf(0, arrays, count, 0, a, dx), pass);
        const other = dx === 0 ? 0 : room;
        backwards.backward(this.#arraysOf(1, arrays, count, 0, b, other), pass);
        if (dx !== 0) kernels.add(dx, dx, room, count * this.#inputFloats);
      },
    };
  }

  /** Floats of the output of a direction, and of what one keeps. */
  #keptSizes(count: number, training: boolean): [outputs: number, inner: number] {
    return [count * this.#floats, this.#layers[0].keptFloats(count, training)];
  }

  /** Room for a gradient by the output of a direction, then for one by the input. */
  #roomFloats(count: number): number {
    return count * Math.max(this.#floats, this.#inputFloats);
  }

  /** Returns the addresses of the directions' outputs. */
  #outputs({ kept }: LayerArrays, count: number): number[] {
    return blocksFrom(kept, [count * this.#floats, count * this.#floats]);
  }

  /** Returns the arrays of one direction. */
  #arraysOf(
    index: number,
    arrays: LayerArrays,
    count: number,
    y: number,
    dy: number,
    dx: number,
  ): LayerArrays {
    const outputs = count * this.#floats;
    const inner = this.#layers[index].keptFloats(count, arrays.dy !== 0);
    const kept = blocksFrom(arrays.kept, [outputs, outputs, inner, inner])[2 + index];
    const half = this.#layers[0].parameters.length;
    const own = (all: readonly number[]) => all.slice(index * half, (index + 1) * half);
    const lengthsGradient = index === 0 ? arrays.inputGradients.slice(1) : [0];
    return {
      ...arrays,
      y,
      dy,
      dx,
      inputGradients: [dx, ...lengthsGradient],
      weights: own(arrays.weights),
      gradients: own(arrays.gradients),
      kept,
      scratch: arrays.scratch + floatsBytes(this.#roomFloats(count)),
    };
  }

  #mergeOutputs(
    kernels: NNKernels,
    y: number,
    a: number,
    b: number,
    rows: number,
    width: number,
  ): void {
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

  /** Returns the addresses of the gradients by the directions' outputs. */
  #splitGradient(
    kernels: NNKernels,
    arrays: LayerArrays,
    count: number,
    rows: number,
    width: number,
  ): [number, number] {
    const { dy, scratch: room } = arrays;
    const [a, b] = this.#outputs(arrays, count);
    const n = rows * width;
    switch (this.#merge) {
      case 'concat':
        kernels.copyColumns(a, width, dy, 2 * width, width, rows);
        kernels.copyColumns(b, width, dy + 4 * width, 2 * width, width, rows);
        return [a, b];
      case 'multiply':
        kernels.multiply(room, dy, b, n);
        kernels.multiply(a, dy, a, n);
        return [room, a];
      case 'average':
        kernels.scale(a, dy, 0.5, n);
        return [a, a];
      default:
        return [dy, dy];
    }
  }
}

export default kind;
