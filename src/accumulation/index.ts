/** Gradient accumulation over several batches. Public exports, nothing else. */
export {
  GradientAccumulator,
  type GradientAccumulatorOptions,
  type GradientAccumulatorStateDict,
} from './gradient-accumulator';
