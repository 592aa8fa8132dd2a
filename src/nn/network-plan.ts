/**
 * Plans a network from its layers: shapes, parameters, and the place of every array of a pass in
 * one workspace.
 *
 * Times are those of a training pass over L layers: forward through layer i at i, the loss at L,
 * backward through layer i at 2L - i. An array lives from its first writer to its last reader;
 * later arrays may take its place. Input, targets, output and constants live throughout.
 */

import { elementCount } from '../math/shape';
import { alignedBytes, floatsBytes } from '../memory-layout/nn-layout';
import { checkLayers, kindOf, type Layer } from './layers';
import type { ArrayPlan, PlannedLayer, Shape } from './layers/layer';
import { checkLoss, type Loss, lossKindOf } from './losses';
import { type BufferLife, placeBuffers } from './memory-plan';

export interface NetworkOptions {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  readonly loss: Loss;
  readonly batchSize: number;
  /** Whether gradients will be computed; if not, arrays of the backward pass have no place. */
  readonly training: boolean;
  /** Threads that may share a kernel call, each with its own scratch. @default 1 */
  readonly threads?: number;
  /** Full names of the parameters that are not trained. @default none */
  readonly frozen?: ReadonlySet<string>;
}

/** A parameter or running statistic of the network. */
export interface NamedArray extends ArrayPlan {
  /** Name that users see: `conv1.weight`. */
  readonly fullName: string;
  /** Whether the array has no gradient. */
  readonly frozen: boolean;
}

/** A layer with its name and the offsets of its arrays in the workspace; -1 for absent arrays. */
export interface Stage {
  readonly name: string;
  readonly layer: PlannedLayer;
  readonly parameters: readonly NamedArray[];
  readonly statistics: readonly NamedArray[];
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly kept: number;
  readonly record: number;
}

/** A network planned for a batch size. */
export interface NetworkPlan {
  readonly stages: readonly Stage[];
  /** Index of the first stage with parameters to train, at which backward stops. */
  readonly firstTrained: number;
  /**
   * Number of first stages that run as in evaluation during training: all up to the last stage with
   * frozen parameters before `firstTrained`.
   */
  readonly evaluated: number;
  readonly outputShape: Shape;
  /** Floats per sample. */
  readonly inputs: number;
  readonly outputs: number;
  readonly targetsPerSample: number;
  /** Smallest batch to train on. */
  readonly fewestSamples: number;
  /** Offset in the workspace, as are the following. */
  readonly input: number;
  readonly targets: number;
  readonly output: number;
  readonly lossGradient: number;
  readonly lossConstants: number;
  /** Scratch that all layers use in turn, as large as any of them needs. */
  readonly scratch: number;
  readonly workspaceBytes: number;
}

/**
 * Plans each layer for the output of the one before.
 * @throws ArgumentError naming the layer that does not fit
 */
export function inferShapes(inputShape: Shape, layers: readonly Layer[]): PlannedLayer[] {
  let shape = inputShape;
  return checkLayers('layers', layers).map((layer, index) => {
    const planned = kindOf(layer).plan(layer, shape, `layers[${index}] (${layer.kind})`, index);
    shape = planned.output;
    return planned;
  });
}

/** Names layers by kind, numbered from 1 in order: `dense1`, `conv1`, `dense2`. */
export function namesOf(layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>();
  return layers.map((layer) => {
    const { prefix } = kindOf(layer);
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    return `${prefix}${count}`;
  });
}

/** Collects buffers with their lifetimes, then places them. */
class Workspace {
  readonly #buffers: BufferLife[] = [];
  /** Buffers that a backward pass still reads, so that no layer may overwrite them in place. */
  readonly #pinned = new Set<number>();

  /** Adds a buffer that lives from `from` to `to`; returns its number, or -1 for no bytes. */
  add(bytes: number, from: number, to: number): number {
    if (bytes === 0) return -1;
    return this.#buffers.push({ bytes, from, to }) - 1;
  }

  /** Extends the life of `buffer` to `time`. */
  use(buffer: number, time: number): void {
    const life = this.#buffers[buffer];
    life.from = Math.min(life.from, time);
    life.to = Math.max(life.to, time);
  }

  /** Keeps layers from overwriting `buffer` in place. */
  pin(buffer: number): void {
    this.#pinned.add(buffer);
  }

  isPinned(buffer: number): boolean {
    return this.#pinned.has(buffer);
  }

  /** Gives every buffer its offset. */
  place(): { offsetOf: (buffer: number) => number; bytes: number } {
    const { offsets, totalBytes } = placeBuffers(this.#buffers);
    return { offsetOf: (buffer) => (buffer < 0 ? -1 : offsets[buffer]), bytes: totalBytes };
  }
}

/** Numbers of the buffers of one layer, before they have offsets; -1 for absent buffers. */
interface Buffers {
  x: number;
  y: number;
  dx: number;
  dy: number;
  kept: number;
  record: number;
}

/**
 * Plans a network.
 * @throws ArgumentError naming the layer or loss that does not fit
 */
export function planNetwork(options: NetworkOptions): NetworkPlan {
  const { inputShape, layers, batchSize, training } = options;
  const { threads = 1, frozen = new Set() } = options;
  const planned = inferShapes(inputShape, layers);
  const names = namesOf(layers);
  const outputShape = planned[planned.length - 1].output;
  const [inputs, outputs] = [elementCount(inputShape), elementCount(outputShape)];
  const loss = checkLoss('loss', options.loss, outputs);
  const lossKind = lossKindOf(loss);
  const targetsPerSample = lossKind.targets === 'classes' ? 1 : outputs;
  const { firstTrained, evaluated } = findTrained(planned, names, frozen);
  const scratchBytes = planned.map((layer) => layer.scratchBytes(batchSize, threads));

  const end = 2 * planned.length + 1;
  const space = new Workspace();
  const input = space.add(floatsBytes(batchSize * inputs), 0, end);
  space.pin(input);
  const targets = space.add(floatsBytes(batchSize * targetsPerSample), 0, end);
  const lossConstants = space.add(floatsBytes(lossKind.constants(loss).length), 0, end);
  const scratch = space.add(threads * alignedBytes(Math.max(...scratchBytes)), 0, end);
  const withoutBackward = training ? evaluated : planned.length;
  const buffers = planForward(space, planned, input, batchSize, withoutBackward);
  const output = buffers[buffers.length - 1].y;
  space.use(output, end);
  const lossGradient = space.add(floatsBytes(batchSize * outputs), planned.length, planned.length);
  if (training) planBackward(space, planned, buffers, lossGradient, batchSize, firstTrained);

  const { offsetOf, bytes: workspaceBytes } = space.place();
  return {
    stages: assemble(names, frozen, planned, buffers, offsetOf),
    firstTrained,
    evaluated,
    outputShape,
    inputs,
    outputs,
    targetsPerSample,
    fewestSamples: Math.max(1, ...planned.slice(evaluated).map((layer) => layer.fewestSamples)),
    workspaceBytes,
    input: offsetOf(input),
    targets: offsetOf(targets),
    output: offsetOf(output),
    lossGradient: offsetOf(lossGradient),
    lossConstants: offsetOf(lossConstants),
    scratch: offsetOf(scratch),
  };
}

/** Finds the stages where training begins: `firstTrained` and `evaluated` of NetworkPlan. */
function findTrained(
  planned: readonly PlannedLayer[],
  names: readonly string[],
  frozen: ReadonlySet<string>,
) {
  const trains = planned.map(({ parameters }, index) =>
    parameters.some(({ name }) => !frozen.has(`${names[index]}.${name}`)),
  );
  const firstTrained = trains.includes(true) ? trains.indexOf(true) : planned.length;
  const hasParameters = planned
    .slice(0, firstTrained)
    .map(({ parameters }) => parameters.length > 0);
  return { firstTrained, evaluated: hasParameters.lastIndexOf(true) + 1 };
}

/** Returns the layers with their names and offsets. */
function assemble(
  names: readonly string[],
  frozen: ReadonlySet<string>,
  planned: readonly PlannedLayer[],
  buffers: readonly Buffers[],
  offsetOf: (buffer: number) => number,
): Stage[] {
  return planned.map((layer, index) => {
    const name = names[index];
    const named = (arrays: readonly ArrayPlan[]) =>
      arrays.map((array) => {
        const fullName = `${name}.${array.name}`;
        return { ...array, fullName, frozen: frozen.has(fullName) };
      });
    const { x, y, dx, dy, kept, record } = buffers[index];
    return {
      name,
      layer,
      parameters: named(layer.parameters),
      statistics: named(layer.statistics),
      x: offsetOf(x),
      y: offsetOf(y),
      dx: offsetOf(dx),
      dy: offsetOf(dy),
      kept: offsetOf(kept),
      record: offsetOf(record),
    };
  });
}

/**
 * Plans the activations, in place where no later reader needs the overwritten values. The first
 * `evaluated` layers have no backward pass.
 */
function planForward(
  space: Workspace,
  planned: readonly PlannedLayer[],
  input: number,
  batchSize: number,
  evaluated: number,
): Buffers[] {
  const end = 2 * planned.length + 1;
  let x = input;
  return planned.map((layer, index) => {
    const training = index >= evaluated;
    const reads = training ? layer.backwardReads : { input: false, output: false };
    space.use(x, index);
    if (reads.input) {
      space.pin(x);
      space.use(x, 2 * planned.length - index);
    }
    const shared = layer.inPlace === 'view' || (layer.inPlace === 'allowed' && !space.isPinned(x));
    const y = shared
      ? x
      : space.add(floatsBytes(batchSize * elementCount(layer.output)), index, index);
    if (reads.output) {
      space.pin(y);
      space.use(y, 2 * planned.length - index);
    }
    const keptFloats = layer.keptFloats(batchSize, training);
    const keptUntil = training ? 2 * planned.length - index : index;
    const kept = space.add(floatsBytes(keptFloats), index, keptUntil);
    const record = space.add(layer.record ? 4 * layer.record.length : 0, 0, end);
    const buffers = { x, y, dx: -1, dy: -1, kept, record };
    x = y;
    return buffers;
  });
}

/** Plans the gradients by activations, from the loss down to the first layer to train. */
function planBackward(
  space: Workspace,
  planned: readonly PlannedLayer[],
  buffers: Buffers[],
  lossGradient: number,
  batchSize: number,
  firstTrained: number,
): void {
  let dy = lossGradient;
  for (let index = planned.length - 1; index >= firstTrained; index--) {
    const layer = planned[index];
    const now = 2 * planned.length - index;
    space.use(dy, now);
    buffers[index].dy = dy;
    if (index > firstTrained) {
      const bytes = floatsBytes(
        batchSize * elementCount(index > 0 ? planned[index - 1].output : []),
      );
      buffers[index].dx = layer.inPlace === 'never' ? space.add(bytes, now, now) : dy;
      dy = buffers[index].dx;
    }
  }
}
