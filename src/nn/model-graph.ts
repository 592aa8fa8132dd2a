/**
 * The structure of a model: named inputs, nodes and named outputs. A chain of layers is the graph
 * whose nodes each read the node before.
 */
import { ArgumentError } from '../errors';
import { checkInteger, checkOptions, fail } from '../validate';
import { checkLayer, checkLayerName, checkLayers, kindOf, type Layer } from './layers';
import type { PlannedLayer, Shape } from './layers/layer';

/** One node of a graph: a layer with the values that it reads. */
export interface GraphNode {
  /** Name of the node, which begins the names of its parameters: `conv.weight`. */
  readonly name: string;
  /** Layer of the node; or the name of another node, whose layer and weights this node shares. */
  readonly layer: Layer | string;
  /** Names of the model inputs and nodes that the layer reads, in order. */
  readonly inputs: readonly string[];
}

/**
 * A model as a graph, in plain data. Nodes may be listed in any order; values must not depend on
 * themselves.
 */
export interface Graph {
  /** Shape of one sample of each input by name; a number n stands for [n]. */
  readonly inputs: Readonly<Record<string, Shape | number>>;
  /** Nodes; each of them must lead to an output. */
  readonly nodes: readonly GraphNode[];
  /** Names of the nodes that are outputs; or nodes by the names of the outputs. */
  readonly outputs: readonly string[] | Readonly<Record<string, string>>;
}

/** A node of a checked graph. Values are numbered: first the inputs, then the nodes in order. */
export interface CheckedNode {
  readonly name: string;
  /** Name of the node in errors. */
  readonly path: string;
  readonly layer: Layer;
  /** Index of the node whose weights this one uses: its own unless it shares them. */
  readonly owner: number;
  /** Numbers of the values that the layer reads. */
  readonly inputs: readonly number[];
}

/** A checked graph, with its nodes in an order in which they can run. */
export interface ModelGraph {
  readonly inputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly nodes: readonly CheckedNode[];
  readonly outputs: readonly { readonly name: string; readonly node: number }[];
}

/** A node planned for the shapes of its inputs. */
export interface PlannedNode extends CheckedNode {
  readonly planned: PlannedLayer;
}

/** The name of the only input, or only output, of a chain. */
export const ONLY_INPUT = 'input';
export const ONLY_OUTPUT = 'output';

/** Returns a chain of layers as a graph. */
export function chainGraph(inputShape: Shape, layers: unknown): ModelGraph {
  const checked = checkLayers('layers', layers);
  const names = namesOf(checked);
  const nodes = checked.map((layer, index) => ({
    name: names[index],
    path: `layers[${index}] (${layer.kind})`,
    layer,
    owner: index,
    inputs: [index],
  }));
  return {
    inputs: [{ name: ONLY_INPUT, shape: inputShape }],
    nodes,
    outputs: [{ name: ONLY_OUTPUT, node: nodes.length - 1 }],
  };
}

/**
 * Names the layers of a chain: by their own names, or by kind, numbered from 1 in order without
 * those names: `dense1`, `conv1`, `dense2`.
 * @throws ArgumentError if two layers have one name
 */
export function namesOf(layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>();
  const given = new Set(layers.map(({ name }) => name));
  const names = layers.map((layer) => {
    const { prefix } = kindOf(layer);
    let count = counts.get(prefix) ?? 0;
    do count++;
    while (layer.name === undefined && given.has(`${prefix}${count}`));
    counts.set(prefix, count);
    return layer.name ?? `${prefix}${count}`;
  });
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0)
    fail(`layers[${twice}].name`, 'a name that no other layer of the model has', names[twice]);
  return names;
}

/**
 * Checks a graph and brings its nodes into an order in which they can run.
 * @throws ArgumentError naming the input, node or output that is wrong
 */
export function readGraph(graph: Graph): ModelGraph {
  const inputs = readInputs(graph.inputs);
  const listed = readNodes(graph.nodes, new Set(inputs.map(({ name }) => name)));
  const nodes = inOrder(listed);
  const indexOf = new Map(nodes.map(({ name }, index) => [name, index]));
  const numberOf = new Map(inputs.map(({ name }, index) => [name, index]));
  for (const [name, index] of indexOf) numberOf.set(name, inputs.length + index);
  const checked = nodes.map(({ name, layer, inputs: read }, index) => {
    const owner = typeof layer === 'string' ? indexOf.get(layer)! : index;
    const own = nodes[owner].layer as Layer;
    return {
      name,
      path: pathOf(name, own.kind),
      layer: own,
      owner,
      inputs: read.map((value) => numberOf.get(value)!),
    };
  });
  const outputs = readOutputs(graph.outputs, indexOf);
  checkUse(inputs, checked, outputs);
  return { inputs, nodes: checked, outputs };
}

const pathOf = (name: string, kind: string) => `nodes.${name} (${kind})`;

/** Returns a checked shape: 1 to 3 sizes in [1, 2^24]. */
export function checkShapeOf(argument: string, shape: unknown): Shape {
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > 3)
    fail(argument, '[features], [steps, features] or [height, width, channels]', shape);
  for (const [index, size] of shape.entries())
    checkInteger(`${argument}[${index}]`, size, 1, 2 ** 24);
  return Object.freeze([...shape]);
}

function readInputs(inputs: unknown): ModelGraph['inputs'] {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs))
    fail('inputs', 'shapes by the names of the inputs', inputs);
  const entries = Object.entries(inputs);
  if (entries.length === 0) fail('inputs', 'at least one input', inputs);
  return entries.map(([name, shape]) => {
    checkLayerName('inputs', name);
    const argument = `inputs.${name}`;
    if (typeof shape === 'number')
      return { name, shape: [checkInteger(argument, shape, 1, 2 ** 24)] };
    return { name, shape: checkShapeOf(argument, shape) };
  });
}

/** Checks the fields of the nodes, and that each name stands for one value. */
function readNodes(nodes: unknown, taken: Set<string>): GraphNode[] {
  if (!Array.isArray(nodes) || nodes.length === 0) fail('nodes', 'at least one node', nodes);
  const layers = new Map<string, Layer>();
  const read = nodes.map((node: unknown, index): GraphNode => {
    const argument = `nodes[${index}]`;
    checkOptions(argument, node, ['name', 'layer', 'inputs']);
    const { name, layer, inputs } = node as Partial<GraphNode>;
    checkLayerName(`${argument}.name`, name);
    if (taken.has(name!)) fail(`${argument}.name`, 'a name that no other node or input has', name);
    taken.add(name!);
    const path = `nodes.${name}`;
    if (typeof layer !== 'string') layers.set(name!, checkLayer(`${path}.layer`, layer));
    if (!Array.isArray(inputs) || inputs.length === 0)
      fail(`${path}.inputs`, 'names of inputs or nodes, at least one', inputs);
    return { name: name!, layer: layers.get(name!) ?? layer!, inputs: [...inputs] };
  });
  for (const { name, layer, inputs } of read) {
    for (const [place, value] of inputs.entries()) {
      if (!taken.has(value))
        fail(`nodes.${name}.inputs[${place}]`, 'the name of an input or node', value);
    }
    if (typeof layer === 'string' && !layers.has(layer))
      fail(`nodes.${name}.layer`, 'a layer, or the name of a node that has a layer', layer);
  }
  return read;
}

/**
 * Returns the nodes in an order in which each comes after those that it reads, and after the one
 * whose weights it shares; otherwise in the order given.
 */
function inOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const names = new Set(nodes.map(({ name }) => name));
  const placed = new Set<string>();
  const order: GraphNode[] = [];
  const isReady = ({ name, layer, inputs }: GraphNode) =>
    !placed.has(name) &&
    [...inputs, ...(typeof layer === 'string' ? [layer] : [])].every(
      (value) => placed.has(value) || !names.has(value),
    );
  while (order.length < nodes.length) {
    const next = nodes.find(isReady);
    if (!next) {
      const open = nodes.filter(({ name }) => !placed.has(name)).map(({ name }) => name);
      throw new ArgumentError('nodes', 'values that do not depend on themselves', open.join(', '));
    }
    placed.add(next.name);
    order.push(next);
  }
  return order;
}

function readOutputs(
  outputs: Graph['outputs'],
  indexOf: ReadonlyMap<string, number>,
): ModelGraph['outputs'] {
  const named = Array.isArray(outputs)
    ? outputs.map((node) => [node, node])
    : Object.entries(
        typeof outputs === 'object' && outputs !== null
          ? outputs
          : fail('outputs', 'names of nodes', outputs),
      );
  if (named.length === 0) fail('outputs', 'at least one output', outputs);
  const seen = new Set<string>();
  return named.map(([name, node]) => {
    checkLayerName('outputs', name);
    const argument = `outputs.${name}`;
    const index = indexOf.get(node);
    if (index === undefined) fail(argument, 'the name of a node', node);
    if (seen.has(node)) fail(argument, 'a node that is no other output', node);
    seen.add(node);
    return { name, node: index };
  });
}

/** Checks that every input and node leads to an output. */
function checkUse(
  inputs: ModelGraph['inputs'],
  nodes: ModelGraph['nodes'],
  outputs: ModelGraph['outputs'],
): void {
  const used = new Set(outputs.map(({ node }) => inputs.length + node));
  for (let index = nodes.length - 1; index >= 0; index--) {
    if (!used.has(inputs.length + index)) {
      const { path } = nodes[index];
      throw new ArgumentError(path, 'to lead to an output', 'a node that nothing reads');
    }
    for (const value of nodes[index].inputs) used.add(value);
  }
  for (const [index, { name }] of inputs.entries()) {
    if (!used.has(index))
      throw new ArgumentError(`inputs.${name}`, 'to be read by a node', 'an input that none reads');
  }
}

/**
 * Plans the layer of each node for the shapes of the values that it reads.
 * @throws ArgumentError naming the node that does not fit
 */
export function planNodes({ inputs, nodes }: ModelGraph): PlannedNode[] {
  const shapes = inputs.map(({ shape }) => shape);
  const planned: PlannedNode[] = [];
  for (const [index, node] of nodes.entries()) {
    const { layer, path } = node;
    const read = node.inputs.map((value) => shapes[value]);
    const kind = kindOf(layer);
    if (!kind.merges && read.length > 1)
      throw new ArgumentError(path, 'one input', `${read.length}`);
    const readsInput = node.inputs.every((value) => value < inputs.length);
    const plan = kind.plan(layer, read[0], path, { index, inputs: read, readsInput });
    if (node.owner !== index) checkShared(node, plan, planned[node.owner]);
    planned.push({ ...node, planned: plan });
    shapes.push(plan.output);
  }
  return planned;
}

/** Checks that a node can use the weights of the one whose layer it shares. */
function checkShared(node: CheckedNode, plan: PlannedLayer, owner: PlannedNode): void {
  const shapesOf = ({ parameters, statistics }: PlannedLayer) =>
    [...parameters, ...statistics].map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  const [weights, others] = [shapesOf(owner.planned), shapesOf(plan)];
  if (`${weights}` === `${others}`) return;
  const expected = `an input that fits the weights of ${owner.name}, ${weights.join(', ')}`;
  throw new ArgumentError(node.path, expected, `one for ${others.join(', ')}`);
}
