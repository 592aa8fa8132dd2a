/**
 * A model as JSON:
 *
 *     { "inputShape": [28, 28, 1],
 *       "layers": [{ "kind": "conv2d", "filters": 16, "kernelSize": 3 }, { "kind": "relu" }, …, { "kind": "dense", "units": 10 }],
 *       "loss": { "kind": "crossEntropy" } }
 *
 * Layers and losses are the plain objects that the functions of adal-wasm/nn return, with the same
 * fields. Without a loss it is cross-entropy, and the last layer gives the classes' logits.
 */
import { AdalError, DataError } from '../index';
import { describeModel, type Layer, type Loss } from '../nn';
import { checkOptions } from '../validate';
import { readText } from './files';

/** A checked model. */
export interface ModelDefinition {
  readonly inputShape: readonly number[];
  readonly layers: readonly Layer[];
  readonly loss: Loss;
}

/** Far beyond any model; larger files are something else. */
const MAX_BYTES = 2 ** 20;
/** What is kept of each layer is a hundred times its text. */
const MAX_LAYERS = 4096;
/** Definitions have three levels: the model, its layers, their sizes. */
const MAX_DEPTH = 32;

/** @throws DataError naming the file and the place in it; file errors */
export function readModelFile(path: string): ModelDefinition {
  return parseDefinition(readText(path, 'a JSON model', MAX_BYTES), path);
}

/**
 * Reads a model's JSON.
 * @param source what errors call it
 * @throws DataError naming the place: `model.json: "layers[2].units" expected …`
 */
export function parseDefinition(text: string, source: string): ModelDefinition {
  try {
    checkSize(text);
    const parsed = JSON.parse(text);
    checkOptions('model', parsed, ['inputShape', 'layers', 'loss']);
    const { inputShape = null, layers, loss = { kind: 'crossEntropy' } } = parsed;
    if (Array.isArray(layers) && layers.length > MAX_LAYERS) {
      throw new DataError(`"layers" expected at most ${MAX_LAYERS} layers, got ${layers.length}`);
    }
    describeModel({ inputShape, layers, loss });
    return { inputShape, layers, loss };
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new DataError(`${source}: expected JSON: ${error.message}`, { cause: error });
    if (error instanceof AdalError)
      throw new DataError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Refuses JSON whose length or depth would exhaust the memory or the stack of those who walk it.
 */
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
