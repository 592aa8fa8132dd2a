/** The numbers of one step that change from step to step. */
import {
  TENSOR_RECORD_CONSTANTS_COUNT,
  TENSOR_RECORD_SCALARS_COUNT,
} from '../../build/optim-records';

/**
 * The scalars of the coming step, of a group and of a tensor; one object serves all in turn. They
 * travel as fields, since V8 allocates a number that is passed to a function it does not inline.
 */
export class StepScalars {
  /** The group's learning rate. */
  lr = 0.5;
  /** The group's momentum, μ or β1, where the algorithm has one: its own, or its schedule's. */
  momentum = 0.5;
  /** The optimizer's step to come, 1-based. */
  optimizerStep = 0;
  /** A tensor of the group with Σ|g| at or above it refuses the step. */
  normLimit = 0.5;
  /** Shape of a tensor that is orthogonalised, as a matrix; 0 by 0 for others. */
  rows = 0;
  columns = 0;
  /** t: the tensor's step to come, 1-based. */
  step = 0;
  /**
   * The tensor's own scalars, in the order in which the algorithm declares them: as they are, and,
   * once written, as they will be if the step is accepted.
   */
  readonly own = new Float64Array(TENSOR_RECORD_SCALARS_COUNT);
  /** The kernel's constants, rounded to float32 when they are written here. */
  readonly constants = new Float32Array(TENSOR_RECORD_CONSTANTS_COUNT);
}
