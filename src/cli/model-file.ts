/**
 * Model definitions as JSON:
 *
 *     { "inputShape": [28, 28, 1],
 *       "layers": [{ "kind": "conv2d", "filters": 16, "kernelSize": 3 }, { "kind": "relu" }, …,
 *                  { "kind": "dense", "units": 10 }],
 *       "loss": { "kind": "crossEntropy" } }
 *
 * Layers and losses are the plain objects that the functions of adal-wasm/nn return. The default
 * loss is cross-entropy, for which the last layer returns the logits of the classes.
 */
import { AdalError, DataError } from '../index';
import { describeModel, type Layer, type Loss } from '../nn';
import { checkOptions } from '../validate';
import { readText } from './files';

/** Checked definition of a model. */
export interface ModelDefinition {
  readonly inputShape: readonly number[];
  readonly layers: readonly Layer[];
  readonly loss: Loss;
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
