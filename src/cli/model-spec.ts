/** Parsing and formatting of `--model`, before the data are known. */
import { describeModel } from '../nn';
import { UsageError } from './errors';
import { type ModelDefinition, parseDefinition, readModelFile } from './model-file';
import { quote } from './printable';

export type ModelSpec =
  | {
      readonly kind: 'mlp';
      /** Units of the hidden layers; empty for softmax regression. */
      readonly hidden: readonly number[];
      /** Required numbers of features and classes; null to take those of the data. */
      readonly outer: { readonly inputs: number; readonly classes: number } | null;
    }
  | { readonly kind: 'cnn' }
  | { readonly kind: 'charlm' }
  | {
      readonly kind: 'definition';
      readonly definition: ModelDefinition;
      /** The file, or '--model' for a definition on the command line; for messages and records. */
      readonly source: string;
    };

/** Number of characters from which `charlm` predicts the next one. */
export const CHARLM_CONTEXT = 8;
/** Hidden layers of plain `mlp`. */
const DEFAULT_HIDDEN = [64];
/** Source of a definition that is itself the value of `--model`. */
const DEFINITION_TYPED = '--model';

/**
 * Parses `mlp`, `mlp:<h1>-<h2>…`, `softmax`, all sizes (`<inputs>-<h1>-…-<classes>`), `cnn`,
 * `charlm`, `<file>.json`, or the text of such a file.
 */
export function parseModel(text: string): ModelSpec {
  if (text === 'cnn' || text === 'charlm') return { kind: text };
  if (text === 'softmax') return { kind: 'mlp', hidden: [], outer: null };
  if (text === 'mlp') return { kind: 'mlp', hidden: DEFAULT_HIDDEN, outer: null };
  if (text.startsWith('{')) {
    return {
      kind: 'definition',
      definition: parseDefinition(text, DEFINITION_TYPED),
      source: DEFINITION_TYPED,
    };
  }
  if (/\.json$/i.test(text))
    return { kind: 'definition', definition: readModelFile(text), source: text };
  const [, prefix, list] = /^(mlp:)?(\d+(?:-\d+)*)$/.exec(text) ?? [];
  const sizes = list?.split('-').map(Number) ?? [];
  const valid = sizes.every((size) => size >= 1 && size <= 2 ** 24);
  if (list && valid && prefix) return { kind: 'mlp', hidden: sizes, outer: null };
  if (list && valid && sizes.length >= 2) {
    return {
      kind: 'mlp',
      hidden: sizes.slice(1, -1),
      outer: { inputs: sizes[0], classes: sizes[sizes.length - 1] },
    };
  }
  const expected =
    'mlp, mlp:<h1>-<h2>-…, softmax, cnn, charlm, <file>.json, or all sizes as in 64-64-10';
  throw new UsageError('--model', expected, quote(text));
}

/** Formats a model as text that `parseModel` reads back, without the file it came from. */
export function formatModel(spec: ModelSpec): string {
  if (spec.kind === 'definition') return JSON.stringify(spec.definition);
  if (spec.kind !== 'mlp') return spec.kind;
  const { hidden, outer } = spec;
  if (outer) return [outer.inputs, ...hidden, outer.classes].join('-');
  return hidden.length === 0 ? 'softmax' : `mlp:${hidden.join('-')}`;
}

/** Returns the number of classes, if the model defines it. */
export function classesOf(spec: ModelSpec): number | undefined {
  if (spec.kind === 'mlp') return spec.outer?.classes;
  return spec.kind === 'definition' && isOnClasses(spec)
    ? describeModel(spec.definition).outputShape[0]
    : undefined;
}

/** Tells whether the model is for classification. */
export function isOnClasses(spec: ModelSpec): boolean {
  return spec.kind !== 'definition' || spec.definition.loss.kind === 'crossEntropy';
}
