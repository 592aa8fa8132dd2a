/**
 * From layers to a plan: shapes, parameters, and where every array of a pass lies in one workspace.
 *
 * Time runs over a training pass: forward through layer i is i, the loss is L, backward through
 * layer i is 2L - i. An array lives from its first writer to its last reader; what is dead makes
 * room. Input, targets, output and constants live throughout.
 */

import { elementCount } from '../math/shape';
import { scratchStep } from '../memory-layout/nn-layout';
import { checkLayers, kindOf, type Layer } from './layers';
import type { ArrayPlan, PlannedLayer, Shape } from './layers/layer';
import { checkLoss, type Loss, lossKindOf } from './losses';
import { type BufferLife, placeBuffers } from './memory-plan';

export interface NetworkOptions {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  readonly loss: Loss;
  readonly batchSize: number;
  /** Whether gradients will be computed: without, no array of the backward pass has a place. */
  readonly training: boolean;
  /** Threads that may share a kernel's call, each with scratch of its own. @default 1 */
  readonly threads?: number;
  /** Full names of parameters that will not be trained. @default none */
  readonly frozen?: ReadonlySet<string>;
}

/** A parameter or running figure under the name that users see. */
export interface NamedArray extends ArrayPlan {
  readonly fullName: string;
  /** Whether it has no gradient. */
  readonly frozen: boolean;
}

/** A layer with its place: offsets in the workspace, -1 for what it does not have. */
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

export interface NetworkPlan {
  readonly stages: readonly Stage[];
  /** Backward stops after this stage: none before it has parameters to train. */
  readonly firstTrained: number;
  /**
   * In training passes so many stages, from the first, work as in evaluation: those up to the last
   * with frozen parameters before `firstTrained`.
   */
  readonly evaluated: number;
  readonly outputShape: Shape;
  /** Floats a sample. */
  readonly inputs: number;
  readonly outputs: number;
  readonly targetsPerSample: number;
  /** Fewest samples of a batch to train on. */
  readonly fewestSamples: number;
  /** Offsets in the workspace. */
  readonly input: number;
  readonly targets: number;
  readonly output: number;
  readonly lossGradient: number;
  readonly lossConstants: number;
  /** One for all layers, as large as the most that any needs. */
  readonly scratch: number;
  readonly workspaceBytes: number;
}

/** Bytes of n f32, padded as every tensor is. */
function floatBytes(n: number): number {
  return 64 * Math.ceil(n / 16);
}

/**
 * Plans every layer for the output of the one before. @throws ArgumentError naming the layer that
 * does not fit
 */
export function inferShapes(inputShape: Shape, layers: readonly Layer[]): PlannedLayer[] {
  let shape = inputShape;
  return checkLayers('layers', layers).map((layer, index) => {
    const planned = kindOf(layer).plan(layer, shape, `layers[${index}] (${layer.kind})`, index);
    shape = planned.output;
    return planned;
  });
}

/** Numbers the layers of each kind from 1, in order: `dense1`, `conv1`, `dense2`. */
export function namesOf(layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>();
  return layers.map((layer) => {
    const { prefix } = kindOf(layer);
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    return `${prefix}${count}`;
  });
}

/** Collects buffers with their lives, then gives them offsets. */
class Workspace {
  readonly #buffers: BufferLife[] = [];
  /** Buffers that some backward pass still reads, and must not be overwritten in place. */
  readonly #pinned = new Set<number>();

  /** A buffer for [from, to]; -1 for an empty one. */
  add(bytes: number, from: number, to: number): number {
    if (bytes === 0) return -1;
    return this.#buffers.push({ bytes, from, to }) - 1;
  }

  /** `buffer` is read at `time`. */
  use(buffer: number, time: number): void {
    const life = this.#buffers[buffer];
    life.from = Math.min(life.from, time);
    life.to = Math.max(life.to, time);
  }

  pin(buffer: number): void {
    this.#pinned.add(buffer);
  }

  isPinned(buffer: number): boolean {
    return this.#pinned.has(buffer);
  }

  place(): { offsetOf: (buffer: number) => number; bytes: number } {
    const { offsets, totalBytes } = placeBuffers(this.#buffers);
    return { offsetOf: (buffer) => (buffer < 0 ? -1 : offsets[buffer]), bytes: totalBytes };
  }
}

/** Buffers of one layer, before they have offsets. */
interface Buffers {
  x: number;
  y: number;
  dx: number;
  dy: number;
  kept: number;
  record: number;
}

/** Plans the whole network. @throws ArgumentError naming the layer or loss that does not fit */
export function planNetwork(options: NetworkOptions): NetworkPlan {
  const {
    inputShape,
    layers,
    loss,
    batchSize,
    training,
    threads = 1,
    frozen = new Set(),
  } = options;
  const planned = inferShapes(inputShape, layers);
  const names = namesOf(layers);
  const outputShape = planned[planned.length - 1].output;
  const [inputs, outputs] = [elementCount(inputShape), elementCount(outputShape)];
  const kind = lossKindOf(checkLoss('loss', loss, outputs));
  const targetsPerSample = kind.targets === 'classes' ? 1 : outputs;
  const end = 2 * planned.length + 1;
  const space = new Workspace();
  const input = space.add(floatBytes(batchSize * inputs), 0, end);
  space.pin(input);
  const targets = space.add(floatBytes(batchSize * targetsPerSample), 0, end);
  const lossConstants = space.add(floatBytes(kind.constants(loss).length), 0, end);
  const scratchBytes = scratchStep(
    Math.max(...planned.map((layer) => layer.scratchBytes(batchSize, threads))),
  );
  const scratch = space.add(threads * scratchBytes, 0, end);
  const { firstTrained, evaluated } = findTrained(planned, names, frozen);
  const fewestSamples = Math.max(
    1,
    ...planned.slice(evaluated).map((layer) => layer.fewestSamples),
  );
  const buffers = planForward(
    space,
    planned,
    input,
    batchSize,
    training ? evaluated : planned.length,
  );
  const output = buffers[buffers.length - 1].y;
  space.use(output, end);
  const lossGradient = space.add(floatBytes(batchSize * outputs), planned.length, planned.length);
  if (training) planBackward(space, planned, buffers, lossGradient, batchSize, firstTrained);
  const { offsetOf, bytes: workspaceBytes } = space.place();
  return {
    stages: assemble(names, frozen, planned, buffers, offsetOf),
    ...{
      firstTrained,
      evaluated,
      outputShape,
      inputs,
      outputs,
      targetsPerSample,
      fewestSamples,
      workspaceBytes,
    },
    input: offsetOf(input),
    targets: offsetOf(targets),
    output: offsetOf(output),
    lossGradient: offsetOf(lossGradient),
    lossConstants: offsetOf(lossConstants),
    scratch: offsetOf(scratch),
  };
}

/** Where training begins: see NetworkPlan. */
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

/** Layers with names and offsets. */
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
 * Activations: in place where nobody will read what is overwritten. The first `evaluated` layers
 * have no backward pass.
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
      : space.add(floatBytes(batchSize * elementCount(layer.output)), index, index);
    if (reads.output) {
      space.pin(y);
      space.use(y, 2 * planned.length - index);
    }
    const keptFloats = layer.keptFloats(batchSize, training);
    const keptUntil = training ? 2 * planned.length - index : index;
    const kept = space.add(floatBytes(keptFloats), index, keptUntil);
    const record = space.add(layer.record ? 4 * layer.record.length : 0, 0, end);
    const buffers = { x, y, dx: -1, dy: -1, kept, record };
    x = y;
    return buffers;
  });
}

/** Gradients by activations, from the loss down to the first layer with parameters. */
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
      const bytes = floatBytes(
        batchSize * elementCount(index > 0 ? planned[index - 1].output : []),
      );
      buffers[index].dx = layer.inPlace === 'never' ? space.add(bytes, now, now) : dy;
      dy = buffers[index].dx;
    }
  }
}
