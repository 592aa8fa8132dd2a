/** What a planned network takes of linear memory, and how many elements it has. */
import { elementCount } from '../math/shape';
import { alignedBytes } from '../memory-layout/nn-layout';
import { tensorBytes } from '../tensors/tensor';
import type { NamedArray, NetworkPlan } from './network-plan';

/** Bytes of linear memory, all as allocated. */
export interface ModelMemory {
  /**
   * Values of all parameters and running figures; in training, of the figures that the next step
   * will make of them too.
   */
  readonly weights: number;
  /** Gradients of all parameters that are trained. */
  readonly gradients: number;
  /** One allocation for input, targets, activations, their gradients and scratch. */
  readonly workspace: number;
  readonly total: number;
}

/** As the arena will have it. */
export function memoryOf(plan: NetworkPlan, training: boolean): ModelMemory {
  const bytesOf = (arrays: readonly NamedArray[]) =>
    arrays.reduce((sum, { shape }) => sum + tensorBytes(elementCount(shape)), 0);
  const total = (pick: (stage: NetworkPlan['stages'][number]) => number) =>
    plan.stages.reduce((sum, stage) => sum + pick(stage), 0);
  const values = total(({ parameters }) => bytesOf(parameters));
  const figures = total(({ statistics }) => bytesOf(statistics));
  const pending = training
    ? plan.stages
        .slice(plan.evaluated)
        .reduce((sum, { statistics }) => sum + bytesOf(statistics), 0)
    : 0;
  const weights = values + figures + pending;
  const gradients = training
    ? total(({ parameters }) => bytesOf(parameters.filter(({ frozen }) => !frozen)))
    : 0;
  const workspace = alignedBytes(plan.workspaceBytes);
  return { weights, gradients, workspace, total: weights + gradients + workspace };
}

/** Elements of the parameters of some layers. */
export function countElements(
  layers: readonly { readonly parameters: readonly { readonly shape: readonly number[] }[] }[],
): number {
  let count = 0;
  for (const { parameters } of layers)
    for (const { shape } of parameters) count += elementCount(shape);
  return count;
}
