/** `createModel` and `describeModel`: check the options of a model and plan its layers. */
import type { NNFamily } from '../../build/nn-families';
import { ArgumentError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  checkRuntime,
  fail,
} from '../validate';
import { type Freeze, frozenNames } from './freeze';
import { kindOf, type Layer } from './layers';
import type { Shape } from './layers/layer';
import { checkLoss, type Loss, lossKindOf, type OutputLosses } from './losses';
import { crossEntropy } from './losses/cross-entropy';
import { MAX_BATCH, Model, type ModelSettings } from './model';
import {
  chainGraph,
  checkShapeOf,
  type Graph,
  type ModelGraph,
  type PlannedNode,
  planNodes,
  readGraph,
} from './model-graph';
import { countElements } from './model-memory';
import { type Penalty, readPenalties } from './penalties';

/**
 * Options of `createModel`. A chain has `layers`, with `inputSize` or `inputShape`; a graph has
 * `inputs`, `nodes` and `outputs`.
 */
export interface ModelOptions {
  /**
   * Number of features per sample: an integer in [1, 2^24]. Short for `inputShape: [inputSize]`.
   */
  inputSize?: number;
  /**
   * Shape of one sample: [features], [steps, features] or [height, width, channels], with sizes in
   * [1, 2^24]. Either `inputSize` or `inputShape` is required for a chain.
   */
  inputShape?: Shape;
  /** Layers of a chain, from input to output, at least one. */
  layers?: readonly Layer[];
  /** Inputs of a graph: shapes of one sample by name; a number n stands for [n]. */
  inputs?: Graph['inputs'];
  /** Nodes of a graph, in any order. */
  nodes?: Graph['nodes'];
  /** Outputs of a graph: names of nodes, or nodes by the names of the outputs. */
  outputs?: Graph['outputs'];
  /**
   * Loss that training minimizes; or losses by the names of the outputs, whose weighted sum it then
   * minimizes. An output that is left out has no loss, and `null` stands for none at all: such
   * outputs are for predictions, and for losses of your own (`forward` and `backward`).
   * @default crossEntropy() of the only output, taken as the logits of the classes
   */
  loss?: Loss | Readonly<Record<string, Loss>> | null;
  /**
   * Factors of the losses in their sum, by the names of the outputs, each in (0, ∞).
   * @default 1 each
   */
  lossWeights?: Readonly<Record<string, number>>;
  /**
   * L1 and L2 penalties of weights that training changes; frozen ones have none. They are part of
   * the loss that `computeGradients`, `evaluateBatch`, `fit` and `evaluate` report, as in Keras,
   * and of the gradients of `computeGradients`; not of the losses of single outputs, nor of
   * `backward`.
   * @default none
   */
  penalties?: readonly Penalty[];
  /**
   * Maximum number of samples in a batch: an integer in [1, 2^24]. Memory for activations grows
   * with it.
   * @default 32
   */
  batchSize?: number;
  /**
   * Seed of the initial weights and of dropout: an integer in [0, 2^53).
   * @default 0
   */
  seed?: number;
  /**
   * Parameters that training does not change: by layer (`'conv1'`), by name (`'conv1.weight'`), or
   * by a RegExp or function of the name. They have no gradients, and no gradient is computed below
   * the first trained layer. Below that layer, the layers up to the last frozen one work in
   * training as in evaluation: batch norm uses its running statistics there.
   * @default none
   */
  freeze?: Freeze;
  /**
   * Whether the model can be trained. If false, it can only predict and evaluate, and takes no
   * memory for gradients.
   * @default true
   */
  training?: boolean;
  /**
   * Whether `backward` computes the gradients by the inputs, too.
   * @default false
   */
  inputGradients?: boolean;
  /**
   * Whether `backward` can add to the gradients of the parameters. Takes room for the parameters of
   * the largest layer.
   * @default false
   */
  accumulateGradients?: boolean;
}

const OPTION_NAMES = [
  'inputSize',
  'inputShape',
  'layers',
  'inputs',
  'nodes',
  'outputs',
  'loss',
  'lossWeights',
  'penalties',
  'batchSize',
  'seed',
  'freeze',
  'training',
  'inputGradients',
  'accumulateGradients',
];
const GRAPH_NAMES = ['inputs', 'nodes', 'outputs'] as const;
const CHAIN_NAMES = ['layers', 'inputSize', 'inputShape'] as const;

/** Returns the graph of a model, from either form of its options. */
function readStructure(options: ModelOptions): ModelGraph {
  if (GRAPH_NAMES.every((name) => options[name] === undefined))
    return chainGraph(checkInputShape(options), options.layers);
  for (const name of CHAIN_NAMES)
    if (options[name] !== undefined) fail(name, 'nothing beside inputs and nodes', options[name]);
  return readGraph(options as Graph);
}

/** Returns the shape of a sample: 1 to 3 positive integers. */
function checkInputShape({ inputSize, inputShape }: ModelOptions): Shape {
  if (inputShape === undefined) return [checkInteger('inputSize', inputSize, 1, 2 ** 24)];
  if (inputSize !== undefined) fail('inputSize', 'nothing beside inputShape', inputSize);
  return checkShapeOf('inputShape', inputShape);
}

/**
 * Creates a model. Its initial weights depend on the layers and the seed alone.
 *
 * @throws ArgumentError for options out of range; a layer that does not fit is named: `layers[2]
 * (conv2d)`
 * @throws OutOfMemoryError if the model does not fit in linear memory; nothing has been allocated
 * then
 * @example
 * const model = await createModel(runtime, {
 *   inputShape: [28, 28, 1],
 *   layers: [
 *     conv2d(16, { kernelSize: 3, padding: 'same' }),
 *     relu(),
 *     maxPool2d(2),
 *     flatten(),
 *     dense(10),
 *   ],
 * });
 */
export async function createModel(runtime: Runtime, options: ModelOptions): Promise<Model> {
  checkRuntime('runtime', runtime);
  const { settings } = readModelOptions(options);
  const kernels = await runtime.nn(familiesOf(settings.graph));
  return new Model(runtime, kernels, { ...settings, threads: kernels.threads });
}

/** Returns the families of the layers of a graph. */
function familiesOf({ nodes }: ModelGraph): Set<NNFamily> {
  return new Set(nodes.flatMap(({ layer }) => kindOf(layer).family ?? []));
}

/** Shapes and size of a model that has not been created. */
export interface ModelDescription {
  /** Shape of one sample of the first input, the only one of a chain. */
  readonly inputShape: Shape;
  /** Shape of one sample of the first output, the only one of a chain. */
  readonly outputShape: Shape;
  /** Shapes of one sample of each input, by name. */
  readonly inputShapes: Readonly<Record<string, Shape>>;
  /** Shapes of one sample of each output, by name. */
  readonly outputShapes: Readonly<Record<string, Shape>>;
  /** Elements of all parameters, frozen ones included. */
  readonly parameterCount: number;
}

/**
 * Checks the options of a model as `createModel` does, and returns its shapes and the number of its
 * parameters. Needs no runtime and allocates nothing.
 *
 * @throws ArgumentError for options out of range; a layer that does not fit is named: `layers[2]
 * (conv2d)`
 * @example
 * const { outputShape, parameterCount } = describeModel({
 *   inputSize: 64,
 *   layers: [dense(64), relu(), dense(10)],
 * });
 * console.log(outputShape, parameterCount); // [ 10 ] 4810
 */
export function describeModel(options: ModelOptions): ModelDescription {
  const { settings, nodes } = readModelOptions(options);
  const { inputs, outputs } = settings.graph;
  const shapeOf = (node: number) => nodes[node].planned.output;
  return {
    inputShape: inputs[0].shape,
    outputShape: shapeOf(outputs[0].node),
    inputShapes: Object.fromEntries(inputs.map(({ name, shape }) => [name, shape])),
    outputShapes: Object.fromEntries(outputs.map(({ name, node }) => [name, shapeOf(node)])),
    parameterCount: countElements(
      nodes.filter(({ owner }, index) => owner === index).map(({ planned }) => planned),
    ),
  };
}

/**
 * Checks the options, fills in the defaults and plans the layers.
 * @throws ArgumentError
 */
export function readModelOptions(options: ModelOptions): {
  settings: ModelSettings;
  nodes: readonly PlannedNode[];
} {
  checkOptions('options', options, OPTION_NAMES);
  const { batchSize = 32, seed = 0, freeze, training = true } = options;
  const { inputGradients = false, accumulateGradients = false } = options;
  const structure = readStructure(options);
  checkInteger('batchSize', batchSize, 1, MAX_BATCH);
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const switches = { training, inputGradients, accumulateGradients };
  for (const [name, value] of Object.entries(switches)) {
    checkBoolean(name, value);
    if (value && !training) fail(name, 'false in a model with training: false', value);
  }
  const nodes = planNodes(structure);
  const graph = { ...structure, nodes: structure.nodes.map((node) => Object.freeze({ ...node })) };
  const losses = readLosses(options, graph, nodes);
  const frozen = frozenNames(freeze, nodes, training);
  const penalties = readPenalties(options.penalties, nodes);
  return { settings: { graph, losses, penalties, batchSize, seed, frozen, ...switches }, nodes };
}

/** Returns the loss of every output, with its weight. */
function readLosses(
  { loss, lossWeights = {} }: ModelOptions,
  { outputs }: ModelGraph,
  nodes: readonly PlannedNode[],
): OutputLosses {
  const names = outputs.map(({ name }) => name);
  const alone = outputs.length === 1;
  checkOptions('lossWeights', lossWeights, names, 'output');
  let given: Readonly<Record<string, unknown>>;
  if (loss === null) given = {};
  else if (alone && (loss === undefined || typeof (loss as Partial<Loss>)?.kind === 'string'))
    given = { [names[0]]: loss ?? crossEntropy() };
  else if (alone && typeof loss !== 'object') given = { [names[0]]: loss };
  else {
    if (loss === undefined || typeof (loss as Partial<Loss>).kind === 'string')
      fail('loss', `losses by output: { ${names.join(', ')} }`, loss);
    checkOptions('loss', loss, names, 'output');
    if (Object.keys(loss).length === 0) fail('loss', 'a loss of an output, or null for none', loss);
    given = loss as Readonly<Record<string, unknown>>;
  }
  return outputs.map(({ name, node }) => {
    const weight = checkNumber(
      `lossWeights.${name}`,
      lossWeights[name] ?? 1,
      '(0, ∞)',
      (value) => value > 0,
    );
    const own = given[name];
    if (own === undefined) {
      if (lossWeights[name] !== undefined)
        fail(`lossWeights.${name}`, 'nothing, since the output has no loss', weight);
      return { loss: null, weight };
    }
    const argument = alone ? 'loss' : `loss.${name}`;
    const { planned, path } = nodes[node];
    const checked = checkLoss(argument, own, planned.output);
    checkLossFits(checked, path, planned.output);
    return { loss: checked, weight };
  });
}

/** Checks that an output has the shape that its loss needs. */
function checkLossFits(loss: Loss, path: string, output: Shape): void {
  // With one class the loss is always 0.
  if (lossKindOf(loss).lastAxis && output[output.length - 1] === 1) {
    const expected =
      'at least 2 outputs, one per class (binaryCrossEntropy() decides with one output)';
    throw new ArgumentError(path, expected, '1');
  }
}
