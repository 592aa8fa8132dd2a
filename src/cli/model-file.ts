/**
 * Model definitions as JSON:
 *
 *     { "inputShape": [28, 28, 1],
 *       "layers": [{ "kind": "conv2d", "filters": 16, "kernelSize": 3 }, { "kind": "relu" }, …,
 *                  { "kind": "dense", "units": 10 }],
 *       "loss": { "kind": "crossEntropy" } }
 *
 * Layers and losses are the plain objects that the functions of adal-wasm/nn return. The default
 * loss is cross-entropy, for which the last layer returns the logits of the classes. A graph has
 * "inputs" (one), "nodes" and "outputs" (one) instead of "inputShape" and "layers":
 *
 *     { "inputs": { "x": [4] },
 *       "nodes": [{ "name": "a", "layer": { "kind": "dense", "units": 4 }, "inputs": ["x"] },
 *                 { "name": "sum", "layer": { "kind": "add" }, "inputs": ["x", "a"] }],
 *       "outputs": ["sum"] }
 */
import { AdalError, DataError } from '../index';
import { describeModel, type Graph, type Layer, type Loss } from '../nn';
import { checkOptions } from '../validate';
import { readText } from './files';

/** The structure of a model, as options of `createModel`: a chain, or a graph. */
export type ModelStructure =
  | { readonly inputShape: readonly number[]; readonly layers: readonly Layer[] }
  | Graph;

/** Checked definition of a model with one input and one output. */
export type ModelDefinition = ModelStructure & { readonly loss: Loss };

/** Returns the layers of a model, in the order of its definition. */
export function layersOf(structure: ModelStructure): readonly Layer[] {
  if ('layers' in structure) return structure.layers;
  const layers = new Map(structure.nodes.map(({ name, layer }) => [name, layer]));
  return structure.nodes.map(({ layer }) =>
    typeof layer === 'string' ? (layers.get(layer) as Layer) : layer,
  );
}

/** The largest file; no model definition is as large. */
const MAX_BYTES = 2 ** 20;
/** In memory a layer takes a hundred times the size of its text. */
const MAX_LAYERS = 4096;
/** Bound on the nesting; a definition has three levels. */
const MAX_DEPTH = 32;

/** Reads a model file. @throws DataError naming the file and the key; file errors */
export function readModelFile(path: string): ModelDefinition {
  return parseDefinition(readText(path, 'a JSON model', MAX_BYTES), path);
}

/**
 * Parses the JSON of a model.
 *
 * @param source name of the text in errors
 * @throws DataError naming the key: `model.json: "layers[2].units" expected …`
 */
export function parseDefinition(text: string, source: string): ModelDefinition {
  try {
    checkSize(text);
    const parsed = JSON.parse(text);
    checkOptions('model', parsed, ['inputShape', 'layers', 'inputs', 'nodes', 'outputs', 'loss']);
    const { inputShape = null, layers, loss = { kind: 'crossEntropy' } } = parsed;
    for (const [name, list] of [
      ['layers', layers],
      ['nodes', parsed.nodes],
    ] as const) {
      if (Array.isArray(list) && list.length > MAX_LAYERS)
        throw new DataError(`"${name}" expected at most ${MAX_LAYERS} layers, got ${list.length}`);
    }
    if (parsed.nodes === undefined) {
      describeModel({ inputShape, layers, loss });
      return { inputShape, layers, loss };
    }
    return checkGraph({ ...parsed, loss });
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new DataError(`${source}: expected JSON: ${error.message}`, { cause: error });
    if (error instanceof AdalError)
      throw new DataError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Checks a graph for data of one kind of features and one kind of answers. */
function checkGraph(definition: Graph & { loss: Loss }): ModelDefinition {
  if (typeof definition.loss?.kind !== 'string')
    throw new DataError('"loss" expected the loss of the only output, as { "kind": … }');
  const { inputShapes, outputShapes } = describeModel(definition);
  for (const [name, shapes] of [
    ['inputs', inputShapes],
    ['outputs', outputShapes],
  ] as const) {
    const count = Object.keys(shapes).length;
    if (count > 1) throw new DataError(`"${name}" expected only one, got ${count}`);
  }
  return definition;
}

/** Refuses JSON whose length or depth could exhaust memory or stack. */
function checkSize(text: string): void {
  if (text.length > MAX_BYTES)
    throw new DataError(`expected at most ${MAX_BYTES} characters, got ${text.length}`);
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === '[' || character === '{') {
      if (++depth > MAX_DEPTH)
        throw new DataError(`expected JSON nested at most ${MAX_DEPTH} deep, got a deeper one`);
    } else if (character === ']' || character === '}') {
      depth--;
    }
  }
}
