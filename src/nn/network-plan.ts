/**
 * Plans a network: shapes, parameters, and the place of every array of a pass in one workspace.
 *
 * Times are those of a training pass over L nodes: forward through node i at i, the losses at L,
 * backward through node i at 2L - i. An array lives from its first writer to its last reader; later
 * arrays may take its place. Inputs, targets, outputs and constants live throughout.
 */
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import { alignedBytes, floatsBytes } from '../memory-layout/nn-layout';
import type { ArrayPlan, PlannedLayer, Shape } from './layers/layer';
import { type Loss, lossKindOf, type OutputLosses, positionsOf } from './losses';
import { type BufferLife, placeBuffers } from './memory-plan';
import { type ModelGraph, type PlannedNode, planNodes } from './model-graph';
import type { NamedPenalty } from './penalties';

export interface NetworkOptions {
  readonly graph: ModelGraph;
  /** Losses of the outputs, in their order; null for outputs without one. */
  readonly losses: OutputLosses;
  /** Penalties of parameters. @default none */
  readonly penalties?: readonly NamedPenalty[];
  readonly batchSize: number;
  /** Whether gradients will be computed; if not, arrays of the backward pass have no place. */
  readonly training: boolean;
  /** Threads that may share a kernel call, each with its own scratch. @default 1 */
  readonly threads?: number;
  /** Full names of the parameters that are not trained. @default none */
  readonly frozen?: ReadonlySet<string>;
  /** Whether backward computes gradients by the inputs. @default false */
  readonly inputGradients?: boolean;
  /** Whether backward can add to the gradients of the parameters. @default false */
  readonly accumulateGradients?: boolean;
}

/** A parameter or running statistic of the network. */
export interface NamedArray extends ArrayPlan {
  /** Name that users see: `conv1.weight`. */
  readonly fullName: string;
  /** Whether the array has no gradient. */
  readonly frozen: boolean;
}

/** A node with the offsets of its arrays in the workspace; -1 for absent arrays. */
export interface Stage {
  readonly name: string;
  readonly layer: PlannedLayer;
  /** Index of the stage whose weights this one uses. */
  readonly owner: number;
  /** Parameters and running statistics of its own: none if it uses those of another stage. */
  readonly parameters: readonly NamedArray[];
  readonly statistics: readonly NamedArray[];
  /**
   * Whether the stage runs in training as in evaluation: nothing below it is trained, and at it or
   * above it are frozen parameters that no trained one comes before.
   */
  readonly evaluated: boolean;
  /** Whether backward runs through the stage. */
  readonly hasBackward: boolean;
  readonly inputs: readonly number[];
  readonly y: number;
  readonly inputGradients: readonly number[];
  readonly dy: number;
  /** Where the gradients by the inputs are added after backward; -1 where they lie already. */
  readonly sums: readonly number[];
  /** Elements of each input per sample. */
  readonly inputSizes: readonly number[];
  /** Room for the parameters' gradients before they are added to others. */
  readonly gradientRoom: number;
  /** Whether backward writes the parameters' gradients, rather than adds to those of a stage. */
  readonly writesGradients: boolean;
  readonly kept: number;
  readonly record: number;
}

/** An input of the network; offsets in the workspace. */
export interface InputPlan {
  readonly name: string;
  readonly shape: Shape;
  /** Floats per sample. */
  readonly size: number;
  readonly values: number;
  /** -1 if no gradient by the input is computed. */
  readonly gradient: number;
}

/** An output of the network; offsets in the workspace. */
export interface OutputPlan {
  readonly name: string;
  readonly shape: Shape;
  /** Floats per sample. */
  readonly size: number;
  readonly values: number;
  /** -1 without training. */
  readonly gradient: number;
  readonly loss: Loss | null;
  /** Factor of the loss in the network's. */
  readonly lossWeight: number;
  /** Positions per sample that the loss treats one by one. */
  readonly positions: number;
  /** Targets per sample; 0 without a loss. */
  readonly targetsPerSample: number;
  readonly targets: number;
  readonly lossConstants: number;
}

/** A penalty of one parameter. */
export interface PenaltyPlan {
  readonly stage: number;
  /** Index of the parameter in the stage. */
  readonly parameter: number;
  readonly length: number;
  readonly l1: number;
  readonly l2: number;
}

/** A network planned for a batch size. */
export interface NetworkPlan {
  readonly stages: readonly Stage[];
  readonly inputs: readonly InputPlan[];
  readonly outputs: readonly OutputPlan[];
  readonly penalties: readonly PenaltyPlan[];
  /** Smallest batch to train on. */
  readonly fewestSamples: number;
  /** Offset of the scratch that all layers use in turn, as large as any of them needs. */
  readonly scratch: number;
  readonly workspaceBytes: number;
}

/** The buffers of a pass, with their lifetimes. */
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

/** Numbers of the buffers of one node, before they have offsets; -1 for absent buffers. */
interface Buffers {
  readonly inputs: number[];
  readonly inputGradients: number[];
  readonly sums: number[];
  y: number;
  dy: number;
  kept: number;
  record: number;
  gradientRoom: number;
}

/**
 * Plans a network.
 * @throws ArgumentError naming the node that does not fit
 */
export function planNetwork(options: NetworkOptions): NetworkPlan {
  const { graph, batchSize, threads = 1 } = options;
  const nodes = planNodes(graph);
  const roles = rolesOf(nodes, options);
  const scratchBytes = nodes.map(({ planned }) => planned.scratchBytes(batchSize, threads));
  const end = 2 * nodes.length + 1;
  const space = new Workspace();
  const inputs = graph.inputs.map(({ shape }) => {
    const input = space.add(floatsBytes(batchSize * elementCount(shape)), 0, end);
    space.pin(input);
    return input;
  });
  const losses = graph.outputs.map(({ node }, index) => {
    return planLoss(space, options, index, nodes[node].planned.output, nodes.length);
  });
  const scratch = space.add(threads * alignedBytes(Math.max(...scratchBytes)), 0, end);
  const { buffers, values } = planForward(space, graph, nodes, roles, inputs, batchSize);
  for (const { node } of graph.outputs) space.use(buffers[node].y, end);
  const gradients = options.training
    ? planBackward(space, graph, nodes, roles, buffers, losses, options)
    : [];
  for (const index of inputs.keys()) if (gradients[index] >= 0) space.use(gradients[index], end);

  const { offsetOf, bytes: workspaceBytes } = space.place();
  const stages = assemble(nodes, roles, buffers, options, offsetOf);
  return {
    stages,
    penalties: planPenalties(stages, options.penalties ?? []),
    inputs: graph.inputs.map(({ name, shape }, index) => ({
      name,
      shape,
      size: elementCount(shape),
      values: offsetOf(inputs[index]),
      gradient: offsetOf(gradients[index] ?? -1),
    })),
    outputs: graph.outputs.map(({ name, node }, index) => {
      const { output: shape } = nodes[node].planned;
      const { gradient, targets, constants, ...loss } = losses[index];
      return {
        name,
        shape,
        size: elementCount(shape),
        values: offsetOf(values[inputs.length + node]),
        gradient: offsetOf(gradient),
        ...loss,
        targets: offsetOf(targets),
        lossConstants: offsetOf(constants),
      };
    }),
    fewestSamples: Math.max(
      1,
      ...nodes.filter((_, i) => !roles[i].evaluated).map(({ planned }) => planned.fewestSamples),
    ),
    scratch: offsetOf(scratch),
    workspaceBytes,
  };
}

/** What training does with a node. */
interface Role {
  /** As in Stage. */
  readonly evaluated: boolean;
  readonly hasBackward: boolean;
  readonly writesGradients: boolean;
  /** Whether the gradients of its parameters need room before they are added to others. */
  readonly addsGradients: boolean;
  /** Whether each input's gradient is needed. */
  readonly needs: readonly boolean[];
}

/** Returns the full name of a node's array: that of the node whose weights it uses. */
function fullNameOf(nodes: readonly PlannedNode[], index: number, name: string): string {
  return `${nodes[nodes[index].owner].name}.${name}`;
}

function rolesOf(nodes: readonly PlannedNode[], options: NetworkOptions): Role[] {
  const { graph, training, frozen = new Set(), inputGradients = false } = options;
  const { accumulateGradients = false } = options;
  const inputCount = graph.inputs.length;
  const trains = nodes.map(({ planned }, index) =>
    planned.parameters.some(({ name }) => !frozen.has(fullNameOf(nodes, index, name))),
  );
  /** By value: whether parameters to train come before it, and whether it has a gradient. */
  const learns = graph.inputs.map(() => false);
  const hasGradient = graph.inputs.map(() => inputGradients);
  for (const [index, { inputs, planned, path }] of nodes.entries()) {
    if (inputGradients && !planned.differentiable)
      throw new ArgumentError('inputGradients', 'false, since indices have no gradient', path);
    learns.push(trains[index] || inputs.some((value) => learns[value]));
    hasGradient.push(trains[index] || inputs.some((value) => hasGradient[value]));
  }
  /** By node without anything to learn: whether it or a node above it has parameters. */
  const isFrozen = nodes.map(() => false);
  const last = new Map<number, number>();
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { planned, inputs, owner } = nodes[index];
    if (!last.has(owner)) last.set(owner, index);
    if (learns[inputCount + index]) continue;
    isFrozen[index] ||= planned.parameters.length > 0;
    if (isFrozen[index])
      for (const value of inputs) if (value >= inputCount) isFrozen[value - inputCount] = true;
  }
  // Applications of one layer update the same running statistics, so they agree.
  const trained = new Set(nodes.filter((_, index) => !isFrozen[index]).map(({ owner }) => owner));
  return nodes.map(({ inputs, owner }, index) => {
    const hasBackward = training && hasGradient[inputCount + index];
    const writesGradients = last.get(owner) === index;
    return {
      evaluated: isFrozen[index] && !trained.has(owner),
      hasBackward,
      writesGradients,
      addsGradients: hasBackward && trains[index] && (accumulateGradients || !writesGradients),
      needs: inputs.map((value) => hasBackward && hasGradient[value]),
    };
  });
}

/** Numbers of the buffers of an output's loss; -1 for absent ones. */
interface LossBuffers {
  readonly loss: Loss | null;
  readonly lossWeight: number;
  readonly positions: number;
  readonly targetsPerSample: number;
  readonly gradient: number;
  readonly targets: number;
  readonly constants: number;
}

function planLoss(
  space: Workspace,
  { losses, batchSize, training }: NetworkOptions,
  index: number,
  output: Shape,
  now: number,
): LossBuffers {
  const end = 2 * now + 1;
  const { loss, weight: lossWeight } = losses[index];
  const kind = loss && lossKindOf(loss);
  const size = elementCount(output);
  const positions = loss ? positionsOf(loss, output) : 1;
  const targetsPerSample = kind === null ? 0 : kind.targets === 'classes' ? positions : size;
  return {
    loss,
    lossWeight,
    positions,
    targetsPerSample,
    targets: space.add(floatsBytes(batchSize * targetsPerSample), 0, end),
    constants: space.add(floatsBytes(kind ? kind.constants(loss!).length : 0), 0, end),
    // Evaluation computes the loss too, and some losses need room for it.
    gradient: training || loss !== null ? space.add(floatsBytes(batchSize * size), now, now) : -1,
  };
}

/**
 * Plans the activations, in place where no later reader needs the overwritten values.
 * @returns the buffers by node, and by value
 */
function planForward(
  space: Workspace,
  graph: ModelGraph,
  nodes: readonly PlannedNode[],
  roles: readonly Role[],
  inputs: readonly number[],
  batchSize: number,
): { buffers: Buffers[]; values: number[] } {
  const end = 2 * nodes.length + 1;
  const lastReads = lastReadsOf(graph, nodes, end);
  const values = [...inputs];
  const buffers = nodes.map(({ planned, inputs: read }, index) => {
    const { hasBackward } = roles[index];
    const now = 2 * nodes.length - index;
    const places = read.map((value) => values[value]);
    for (const x of places) {
      space.use(x, index);
      if (!hasBackward || !planned.backwardReads.input) continue;
      space.pin(x);
      space.use(x, now);
    }
    const [x] = places;
    const isFree = lastReads[read[0]] === index && !places.includes(x, 1) && !space.isPinned(x);
    const shared = planned.inPlace === 'view' || (planned.inPlace === 'allowed' && isFree);
    const y = shared
      ? x
      : space.add(floatsBytes(batchSize * elementCount(planned.output)), index, index);
    values.push(y);
    if (hasBackward && planned.backwardReads.output) {
      space.pin(y);
      space.use(y, now);
    }
    const keptFloats = planned.keptFloats(batchSize, hasBackward);
    const kept = space.add(floatsBytes(keptFloats), index, hasBackward ? now : index);
    const record = space.add(planned.record ? 4 * planned.record.length : 0, 0, end);
    const none = read.map(() => -1);
    return {
      inputs: places,
      inputGradients: none,
      sums: [...none],
      y,
      dy: -1,
      kept,
      record,
      gradientRoom: -1,
    };
  });
  return { buffers, values };
}

/** Returns the time of the last forward that reads each value, or a view of it. */
function lastReadsOf(graph: ModelGraph, nodes: readonly PlannedNode[], end: number): number[] {
  const reads = new Array<number>(graph.inputs.length + nodes.length).fill(-1);
  for (const { node } of graph.outputs) reads[graph.inputs.length + node] = end;
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { inputs, planned } = nodes[index];
    const own = planned.inPlace === 'view' ? reads[graph.inputs.length + index] : index;
    for (const value of inputs) reads[value] = Math.max(reads[value], own);
  }
  // A view stands for the value it shows: nobody may overwrite one while the other is read.
  for (const [index, { inputs, planned }] of nodes.entries()) {
    const view = graph.inputs.length + index;
    if (planned.inPlace === 'view') reads[view] = Math.max(reads[view], reads[inputs[0]]);
  }
  return reads;
}

/**
 * Plans the gradients by values, from the losses down. The first gradient that reaches a value is
 * written to its buffer, in place of the gradient it was computed from where the layer allows it;
 * later ones are added to it, always in descending order of the nodes and their inputs.
 * @returns the buffer of each value's gradient; -1 for none
 */
function planBackward(
  space: Workspace,
  graph: ModelGraph,
  nodes: readonly PlannedNode[],
  roles: readonly Role[],
  buffers: Buffers[],
  losses: readonly LossBuffers[],
  { batchSize, frozen = new Set() }: NetworkOptions,
): number[] {
  const inputCount = graph.inputs.length;
  const gradients = new Array<number>(inputCount + nodes.length).fill(-1);
  for (const [index, { node }] of graph.outputs.entries())
    gradients[inputCount + node] = losses[index].gradient;
  const sizeOf = (value: number) =>
    elementCount(
      value < inputCount ? graph.inputs[value].shape : nodes[value - inputCount].planned.output,
    );
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { planned, inputs } = nodes[index];
    const { hasBackward, needs, addsGradients } = roles[index];
    if (!hasBackward) continue;
    const now = 2 * nodes.length - index;
    const own = buffers[index];
    const dy = gradients[inputCount + index];
    space.use(dy, now);
    own.dy = dy;
    if (addsGradients) {
      const bytes = planned.parameters
        .filter(({ name }) => !frozen.has(fullNameOf(nodes, index, name)))
        .reduce((sum, { shape }) => sum + floatsBytes(elementCount(shape)), 0);
      own.gradientRoom = space.add(bytes, now, now);
    }
    for (let slot = inputs.length - 1; slot >= 0; slot--) {
      if (!needs[slot]) continue;
      const value = inputs[slot];
      const dx =
        slot === 0 && planned.inPlace !== 'never'
          ? dy
          : space.add(floatsBytes(batchSize * sizeOf(value)), now, now);
      own.inputGradients[slot] = dx;
      if (gradients[value] < 0) {
        gradients[value] = dx;
      } else {
        space.use(gradients[value], now);
        own.sums[slot] = gradients[value];
      }
    }
  }
  return gradients;
}

/** Returns the penalties of trained parameters, in the order of the parameters. */
function planPenalties(
  stages: readonly Stage[],
  penalties: readonly NamedPenalty[],
): PenaltyPlan[] {
  return stages.flatMap(({ parameters }, stage) =>
    parameters.flatMap(({ fullName, frozen, shape }, parameter) =>
      penalties
        .filter(({ names }) => !frozen && names.has(fullName))
        .map(({ l1, l2 }) => ({ stage, parameter, length: elementCount(shape), l1, l2 })),
    ),
  );
}

/** Returns the stages with their names and offsets. */
function assemble(
  nodes: readonly PlannedNode[],
  roles: readonly Role[],
  buffers: readonly Buffers[],
  { graph, frozen = new Set() }: NetworkOptions,
  offsetOf: (buffer: number) => number,
): Stage[] {
  const shapes = [
    ...graph.inputs.map(({ shape }) => shape),
    ...nodes.map(({ planned }) => planned.output),
  ];
  return nodes.map(({ name, planned, owner, inputs }, index) => {
    const named = (arrays: readonly ArrayPlan[]) =>
      owner !== index
        ? []
        : arrays.map((array) => {
            const fullName = `${name}.${array.name}`;
            return { ...array, fullName, frozen: frozen.has(fullName) };
          });
    const own = buffers[index];
    const { evaluated, hasBackward, writesGradients } = roles[index];
    return {
      name,
      layer: planned,
      owner,
      parameters: named(planned.parameters),
      statistics: named(planned.statistics),
      evaluated,
      hasBackward,
      writesGradients,
      inputs: own.inputs.map(offsetOf),
      y: offsetOf(own.y),
      inputGradients: own.inputGradients.map(offsetOf),
      dy: offsetOf(own.dy),
      sums: own.sums.map(offsetOf),
      inputSizes: inputs.map((value) => elementCount(shapes[value])),
      gradientRoom: offsetOf(own.gradientRoom),
      kept: offsetOf(own.kept),
      record: offsetOf(own.record),
    };
  });
}
