/**
 * A builder of graphs in the manner of functional APIs: `input` makes a value, `apply` computes a
 * value from others by a layer, and `graph` collects everything that leads to the outputs.
 */
import { checkObject, fail } from '../validate';
import { checkLayer, checkLayerName, kindOf, type Layer } from './layers';
import type { Shape } from './layers/layer';
import type { Graph, GraphNode } from './model-graph';

/** How a value comes about. */
interface Origin {
  /** The layer object, whose second use shares the weights of its first; null for an input. */
  readonly layer: Layer | null;
  readonly inputs: readonly Value[];
  readonly shape: Shape | number | null;
  readonly name: string | undefined;
}

const origins = /* @__PURE__ */ new WeakMap<Value, Origin>();

/** A value in a graph under construction, made by `input` or `apply`. */
export class Value {
  /** @internal */
  constructor(origin: Origin) {
    origins.set(this, origin);
  }

  /**
   * Computes a value from this one: short for `apply(layer, this, name)`.
   * @throws ArgumentError as `apply` does
   * @example const logits = input('x', 4).apply(dense(8)).apply(relu()).apply(dense(2));
   */
  apply(layer: Layer, name?: string): Value {
    return apply(layer, this, name);
  }
}

/**
 * Makes an input of a graph.
 *
 * @param name name of the input, under which samples have it; 1 to 200 characters without "."
 * @param shape shape of one sample, as in the option `inputShape`; n stands for [n]
 * @throws ArgumentError for other names; `createModel` checks the shape
 * @example const image = input('image', [28, 28, 1]);
 */
export function input(name: string, shape: Shape | number): Value {
  checkLayerName('name', name);
  return new Value({ layer: null, inputs: [], shape, name });
}

/**
 * Computes a value from one or several others by a layer. Applying the same layer object again
 * shares its weights.
 *
 * @param layer a layer, such as `dense(8)`; `add()` and its like take several values
 * @param inputs the value, or an array of them
 * @param name name of the node and its parameters; the layer's own name, or its kind and a number,
 * if left out
 * @throws ArgumentError for something that is no layer or value
 * @example
 * const x = input('x', 8);
 * const sum = apply(add(), [x, apply(dense(8), x, 'inner')]);
 */
export function apply(layer: Layer, inputs: Value | readonly Value[], name?: string): Value {
  checkLayer('layer', layer);
  const values = Array.isArray(inputs) ? inputs : [inputs];
  if (values.length === 0) fail('inputs', 'at least one value', inputs);
  for (const value of values) {
    if (!origins.has(value)) fail('inputs', 'values made by input() or apply()', value);
  }
  if (name !== undefined) checkLayerName('name', name);
  return new Value({ layer, inputs: [...values], shape: null, name });
}

/**
 * Collects the graph that leads to some values: the options `inputs`, `nodes` and `outputs` of a
 * model.
 *
 * @param outputs the outputs by name, or an array of values, whose nodes' names are then the names
 * of the outputs
 * @returns plain data
 * @throws ArgumentError for other outputs, and if two nodes or inputs have one name
 * @example
 * const image = input('image', [28, 28, 1]);
 * const features = image.apply(flatten()).apply(dense(64)).apply(relu());
 * const digit = features.apply(dense(10), 'digit');
 * const parity = features.apply(dense(2), 'parity');
 * const model = await createModel(runtime, {
 *   ...graph([digit, parity]),
 *   loss: { digit: crossEntropy(), parity: crossEntropy() },
 * });
 */
export function graph(outputs: readonly Value[] | Readonly<Record<string, Value>>): Graph {
  const listed = Array.isArray(outputs);
  if (!listed && origins.has(outputs as unknown as Value))
    fail('outputs', 'values by name or in an array, as in graph([value])', outputs);
  const wanted: [string | null, Value][] = listed
    ? outputs.map((value) => [null, value])
    : Object.entries(checkObject('outputs', outputs) as Record<string, Value>);
  if (wanted.length === 0) fail('outputs', 'at least one value', outputs);
  const collected = new Collection();
  const named = wanted.map(([name, value], index) => {
    const origin = origins.get(value);
    const argument = name === null ? `outputs[${index}]` : `outputs.${name}`;
    if (!origin?.layer) fail(argument, 'a value made by apply()', value);
    return [name, collected.nameOf(value)] as const;
  });
  return {
    inputs: collected.inputs,
    nodes: collected.nodes,
    outputs: listed
      ? named.map(([, node]) => node)
      : Object.fromEntries(named.map(([name, node]) => [name!, node])),
  };
}

/** Collects values, each after those that it is computed from. */
class Collection {
  readonly inputs: Record<string, Shape | number> = {};
  readonly nodes: GraphNode[] = [];
  readonly #names = new Map<Value, string>();
  readonly #taken = new Set<string>();
  /** Names of the nodes that used a layer object first. */
  readonly #owners = new Map<Layer, string>();
  readonly #counts = new Map<string, number>();

  /** Returns the name of a value, after collecting all that it is computed from. */
  nameOf(value: Value): string {
    // A stack of its own: graphs may be deeper than the engine's call stack.
    const open = [value];
    while (open.length > 0) {
      const next = open[open.length - 1];
      const missing = origins.get(next)!.inputs.filter((each) => !this.#names.has(each));
      if (missing.length > 0) {
        open.push(...missing.reverse());
        continue;
      }
      open.pop();
      if (!this.#names.has(next)) this.#add(next);
    }
    return this.#names.get(value)!;
  }

  #add(value: Value): void {
    const { layer, inputs, shape, name: given } = origins.get(value)!;
    const name = given ?? this.#freeName(layer!);
    if (this.#taken.has(name)) fail('name', 'a name that no other node or input has', name);
    this.#taken.add(name);
    this.#names.set(value, name);
    if (layer === null) {
      this.inputs[name] = shape!;
      return;
    }
    const owner = this.#owners.get(layer);
    if (owner === undefined) this.#owners.set(layer, name);
    const names = inputs.map((each) => this.#names.get(each)!);
    this.nodes.push({ name, layer: owner ?? withoutName(layer), inputs: names });
  }

  /** Returns the layer's own name, numbered from 2 in further uses, or its kind and a number. */
  #freeName(layer: Layer): string {
    if (layer.name !== undefined && !this.#owners.has(layer)) return layer.name;
    const prefix = layer.name ?? kindOf(layer).prefix;
    let count = this.#counts.get(prefix) ?? (layer.name === undefined ? 0 : 1);
    do count++;
    while (this.#taken.has(`${prefix}${count}`));
    this.#counts.set(prefix, count);
    return `${prefix}${count}`;
  }
}

/** Returns a layer without the name that a node has in its stead. */
function withoutName(layer: Layer): Layer {
  if (layer.name === undefined) return layer;
  const { name: _, ...rest } = layer;
  return rest as Layer;
}
