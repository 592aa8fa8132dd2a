/** Counts the bytes and the parameters of a planned network. */
import { elementCount } from '../math/shape';
import { alignedBytes } from '../memory-layout/nn-layout';
import { tensorBytes } from '../tensors/tensor';
import type { NamedArray, NetworkPlan } from './network-plan';

/** Bytes of linear memory that a model takes, by use, including padding. */
export interface ModelMemory {
  /**
   * Values of all parameters and running statistics; with `training: true` also the provisional
   * statistics, which the next step commits.
   */
  readonly weights: number;
  /** Gradients of the trainable parameters. */
  readonly gradients: number;
  /** Input, targets, activations, their gradients and scratch memory, in one allocation. */
  readonly workspace: number;
  /** Sum of the others. */
  readonly total: number;
}

/** Returns the bytes that a model of this plan takes of the arena. */
export function memoryOf(plan: NetworkPlan, training: boolean): ModelMemory {
  const bytesOf = (arrays: readonly NamedArray[]) =>
    arrays.reduce((sum, { shape }) => sum + tensorBytes(elementCount(shape)), 0);
  const total = (pick: (stage: NetworkPlan['stages'][number]) => number) =>
    plan.stages.reduce((sum, stage) => sum + pick(stage), 0);
  const values = total(({ parameters }) => bytesOf(parameters));
  const running = total(({ statistics }) => bytesOf(statistics));
  const pending = training
    ? total(({ statistics, evaluated }) => (evaluated ? 0 : bytesOf(statistics)))
    : 0;
  const weights = values + running + pending;
  const gradients = training
    ? total(({ parameters }) => bytesOf(parameters.filter(({ frozen }) => !frozen)))
    : 0;
  const workspace = alignedBytes(plan.workspaceBytes);
  return { weights, gradients, workspace, total: weights + gradients + workspace };
}

/** Returns the number of elements of all parameters of some layers. */
export function countElements(
  layers: readonly { readonly parameters: readonly { readonly shape: readonly number[] }[] }[],
): number {
  let count = 0;
  for (const { parameters } of layers)
    for (const { shape } of parameters) count += elementCount(shape);
  return count;
}
