/** The linear memory that an optimizer takes, by purpose. */
import type { RegisteredParameter } from './registered-parameter';
import type { StepTable } from './step-table';

/** Bytes of linear memory that an optimizer uses. */
export interface OptimizerMemory {
  /** Values of all parameters. */
  readonly params: number;
  /** Gradients of the parameters that are not sparse. */
  readonly gradients: number;
  /** Moments and other state arrays. */
  readonly state: number;
  /**
   * Descriptors, partial norms, gathered rows of sparse parameters, and buffers for decoded compact
   * state.
   */
  readonly scratch: number;
  /** Sum of the others. */
  readonly total: number;
}

/**
 * Bytes, padding included. Gradients of sparse parameters come with each step's rows, and are
 * scratch.
 */
export function memoryOf(
  parameters: readonly RegisteredParameter[],
  table: StepTable,
): OptimizerMemory {
  let params = 0;
  let gradients = 0;
  let state = 0;
  let scratch = table.byteLength;
  for (const { parameter, states, rows } of parameters) {
    params += parameter.value.byteLength;
    if (rows) scratch += rows.byteLength;
    else gradients += parameter.grad.byteLength;
    for (const { byteLength } of states) state += byteLength;
  }
  return { params, gradients, state, scratch, total: params + gradients + state + scratch };
}
