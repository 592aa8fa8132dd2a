/**
 * The list of losses: the one place that names them all. A new loss is a file in this folder and,
 * here, its import, its export, its place in `Loss` and its kind. As with layers, a loss's file
 * exports its function and its types by name, and its kind by default.
 */
import binaryCrossEntropy, { type BinaryCrossEntropyLoss } from './binary-cross-entropy';
import categoricalCrossEntropy, {
  type CategoricalCrossEntropyLoss,
} from './categorical-cross-entropy';
import crossEntropy, { type CrossEntropyLoss } from './cross-entropy';
import huber, { type HuberLoss } from './huber';
import type { LossKind } from './loss';
import meanAbsoluteError, { type MeanAbsoluteErrorLoss } from './mean-absolute-error';
import meanSquaredError, { type MeanSquaredErrorLoss } from './mean-squared-error';

export * from './binary-cross-entropy';
export * from './categorical-cross-entropy';
export * from './cross-entropy';
export * from './huber';
export * from './mean-absolute-error';
export * from './mean-squared-error';

/** The description of a loss of any kind. */
export type Loss =
  | BinaryCrossEntropyLoss
  | CategoricalCrossEntropyLoss
  | CrossEntropyLoss
  | HuberLoss
  | MeanAbsoluteErrorLoss
  | MeanSquaredErrorLoss;

/** The kind of every loss; TypeScript refuses a table that lacks one. */
const KINDS: { readonly [Name in Loss['kind']]: LossKind<Extract<Loss, { kind: Name }>> } = {
  crossEntropy,
  categoricalCrossEntropy,
  binaryCrossEntropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
};

export default KINDS;
